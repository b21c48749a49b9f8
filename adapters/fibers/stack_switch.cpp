#include "adapters/fibers/stack_switch.h"

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstddef>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define JOBS_BRIDGE_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JOBS_BRIDGE_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define JOBS_BRIDGE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define JOBS_BRIDGE_THREAD_SANITIZER 1
#endif
#endif

#if defined(JOBS_BRIDGE_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(JOBS_BRIDGE_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace jobs_bridge::fibers {
namespace {

namespace context = boost::context;

#if defined(JOBS_BRIDGE_ADDRESS_SANITIZER) || defined(JOBS_BRIDGE_THREAD_SANITIZER)
constexpr std::size_t stack_size = std::size_t{1} << 20;
#else
constexpr std::size_t stack_size = std::size_t{256} << 10;
#endif

/// Tells AddressSanitizer which stack is in use, since it would report any other as an overflow.
struct AddressSanitizer {
#if defined(JOBS_BRIDGE_ADDRESS_SANITIZER)
  void* outer_fake = nullptr;
  void* inner_fake = nullptr;
  const void* outer_bottom = nullptr;
  std::size_t outer_size = 0;
  void entering(const context::stack_context& inner) {
    __sanitizer_start_switch_fiber(&outer_fake, static_cast<char*>(inner.sp) - inner.size,
                                   inner.size);
  }
  void came_back() {
    __sanitizer_finish_switch_fiber(outer_fake, nullptr, nullptr);
  }
  void began() {
    __sanitizer_finish_switch_fiber(nullptr, &outer_bottom, &outer_size);
  }
  void leaving(bool for_good) {
    __sanitizer_start_switch_fiber(for_good ? nullptr : &inner_fake, outer_bottom, outer_size);
  }
  void reentered() {
    __sanitizer_finish_switch_fiber(inner_fake, &outer_bottom, &outer_size);
  }
#else
  void entering(const context::stack_context& /*inner*/) {}
  void came_back() {}
  void began() {}
  void leaving(bool /*for_good*/) {}
  void reentered() {}
#endif
};

/// Tells ThreadSanitizer that another stack is not another thread: everything before a switch
/// happens before everything after it.
struct ThreadSanitizer {
#if defined(JOBS_BRIDGE_THREAD_SANITIZER)
  void* inner = __tsan_create_fiber(0);
  void* outer = nullptr;
  ThreadSanitizer() = default;
  ThreadSanitizer(const ThreadSanitizer&) = delete;
  ThreadSanitizer& operator=(const ThreadSanitizer&) = delete;
  ~ThreadSanitizer() {
    __tsan_destroy_fiber(inner);
  }
  void entering() {
    outer = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(inner, 0);
  }
  void leaving() {
    __tsan_switch_to_fiber(outer, 0);
  }
#else
  void entering() {}
  void leaving() {}
#endif
};

}  // namespace

struct StackSwitch::State {
  explicit State(std::function<void()> what) : body(std::move(what)) {}

  std::function<void()> body;
  bool finished = false;
  context::protected_fixedsize_stack allocator{stack_size};
  context::stack_context stack = allocator.allocate();
  AddressSanitizer address;
  ThreadSanitizer thread;
  context::fiber outer;
  context::fiber inner{std::allocator_arg, context::preallocated(stack.sp, stack.size, stack),
                       allocator, [this](context::fiber&& from) {
                         address.began();
                         outer = std::move(from);
                         body();
                         finished = true;
                         address.leaving(true);
                         thread.leaving();
                         return std::move(outer);
                       }};
};

StackSwitch::StackSwitch(std::function<void()> body)
    : state_(std::make_unique<State>(std::move(body))) {}

StackSwitch::~StackSwitch() = default;

void StackSwitch::enter() {
  auto& state = *state_;
  state.address.entering(state.stack);
  state.thread.entering();
  state.inner = std::move(state.inner).resume();
  state.address.came_back();
}

void StackSwitch::leave() {
  auto& state = *state_;
  state.address.leaving(false);
  state.thread.leaving();
  state.outer = std::move(state.outer).resume();
  state.address.reentered();
}

bool StackSwitch::finished() const {
  return state_->finished;
}

}  // namespace jobs_bridge::fibers
