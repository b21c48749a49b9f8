#include "adapters/fibers/event_loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <limits>
#include <new>
#include <span>
#include <system_error>
#include <utility>

#include "adapters/fibers/stack_switch.h"

namespace jobs_bridge::fibers {
namespace {

/// The epoll event data for the wake-up descriptor, which no fiber waits for.
constexpr std::uint64_t wakeup = std::uint64_t{1} << 32;
constexpr std::uint64_t wait_set = wakeup + 1;

using files::FileDescriptor;

FileDescriptor checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
  return FileDescriptor(descriptor);
}

bool control(const FileDescriptor& epoll, int operation, int descriptor, std::uint32_t events,
             std::uint64_t name) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = name;
  return epoll_ctl(epoll.get(), operation, descriptor, &event) == 0;
}

/// How many rounds of woken fibers run before descriptors are polled again: work that one fiber
/// triggers in others is done at once, and fibers that keep waking each other do not starve the
/// rest.
constexpr int rounds_of_a_turn = 4;

/// Like epoll_wait, but with a resolution of microseconds if the system supports it: a quota is
/// ready every few milliseconds.
int wait_for_events(const FileDescriptor& epoll, std::span<epoll_event> events,
                    MonotonicTime deadline) {
  using std::chrono::ceil;
  const auto most = static_cast<int>(events.size());
  if (deadline == MonotonicTime::max()) return epoll_wait(epoll.get(), events.data(), most, -1);
  const auto now = std::chrono::steady_clock::now();
  const auto left = deadline > now ? deadline - now : Duration::zero();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec limit{static_cast<std::time_t>(seconds.count()),
                       static_cast<long>((left - seconds).count())};
  const int count = epoll_pwait2(epoll.get(), events.data(), most, &limit, nullptr);
  if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
  // Rounded up, so that it does not wake just too early.
  constexpr std::chrono::milliseconds::rep longest = std::numeric_limits<int>::max();
  const auto milliseconds = std::min(longest, ceil<std::chrono::milliseconds>(left).count());
  return epoll_wait(epoll.get(), events.data(), most, static_cast<int>(milliseconds));
}

}  // namespace

class EventLoop::Fiber : public std::enable_shared_from_this<Fiber> {
 public:
  Fiber(EventLoop& owner, std::function<void()> task) : loop(owner), stack(std::move(task)) {}

  EventLoop& loop;
  StackSwitch stack;
  bool asleep = false;
  bool woken = false;  ///< while it was not asleep
  MonotonicTime deadline = MonotonicTime::max();
  std::uint32_t ready = 0;  ///< what for
  std::size_t place = 0;    ///< in fibers_
};

namespace {

/// The one that runs on this thread. A fiber never changes its thread, so this is always the right
/// one.
thread_local EventLoop::Fiber* running_here = nullptr;

}  // namespace

EventLoop::EventLoop()
    : epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wakeup_fd_(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  // Edge-triggered: each write is one event, and it need not be read.
  if (!control(epoll_, EPOLL_CTL_ADD, wakeup_fd_.get(), EPOLLIN | EPOLLET, wakeup)) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
  thread_ = std::thread([this] { run(); });
}

EventLoop::~EventLoop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wakeup_fd_.get(), &one, sizeof one);
  thread_.join();
}

std::shared_ptr<EventLoop::Fiber> EventLoop::start(std::function<void()> task) {
  auto fiber = std::make_shared<Fiber>(*this, std::move(task));
  post(started_, fiber);
  return fiber;
}

bool EventLoop::is_here() {
  return running_here != nullptr;
}

bool EventLoop::has_caller() const {
  return running_here != nullptr && &running_here->loop == this;
}

std::shared_ptr<EventLoop::Fiber> EventLoop::current() {
  return running_here == nullptr ? nullptr : running_here->shared_from_this();
}

void EventLoop::sleep(MonotonicTime deadline) {
  Fiber& self = *running_here;
  if (std::exchange(self.woken, false)) return;
  self.deadline = deadline;
  self.loop.next_deadline_ = std::min(self.loop.next_deadline_, deadline);
  self.asleep = true;
  self.stack.leave();
}

std::optional<std::uint32_t> EventLoop::sleep_until_ready(int descriptor, std::uint32_t events,
                                                          MonotonicTime deadline,
                                                          std::uint64_t id) {
  Fiber& self = *running_here;
  auto& loop = self.loop;
  if (!loop.arm(descriptor, events, id)) return std::nullopt;
  self.ready = 0;
  sleep(deadline);
  // Its number may have been reused by now.
  auto& watched = loop.watched_[static_cast<std::size_t>(descriptor)];
  if (watched.fiber == &self) {
    watched.fiber = nullptr;
    if (watched.kept == 0) loop.disarm(descriptor);
  }
  return self.ready;
}

bool EventLoop::arm(int descriptor, std::uint32_t events, std::uint64_t id) {
  if (descriptor < 0) return false;
  const auto place = static_cast<std::size_t>(descriptor);
  try {
    if (place >= watched_.size()) watched_.resize(place + 1);
  } catch (const std::bad_alloc&) {
    return false;
  }
  auto& watched = watched_[place];
  // A socket is usually writable, so an event for that between two waits would be useless.
  const bool keep = id != 0 && events == EPOLLIN;
  if (keep && watched.kept == id) {
    watched.fiber = running_here;
    return true;
  }
  // Otherwise one shot, so that a descriptor without a waiting fiber causes no wake-up. A
  // descriptor that was closed meanwhile is no longer registered, even if its number is in use
  // again.
  const auto wanted = keep ? events : events | EPOLLONESHOT;
  const auto name = static_cast<std::uint64_t>(descriptor);
  watched.kept = 0;
  if (!control(epoll_, EPOLL_CTL_MOD, descriptor, wanted, name) &&
      !(errno == ENOENT && control(epoll_, EPOLL_CTL_ADD, descriptor, wanted, name))) {
    return false;
  }
  watched.fiber = running_here;
  if (keep) watched.kept = id;
  return true;
}

void EventLoop::disarm(int descriptor) {
  control(epoll_, EPOLL_CTL_MOD, descriptor, EPOLLONESHOT, static_cast<std::uint64_t>(descriptor));
}

void EventLoop::wake_all_at(int descriptor, std::uint64_t id) {
  auto& loop = running_here->loop;
  if (std::find(loop.wait_sets_.begin(), loop.wait_sets_.end(), id) != loop.wait_sets_.end())
    return;
  loop.wait_sets_.push_back(id);
  control(loop.epoll_, EPOLL_CTL_ADD, descriptor, EPOLLIN | EPOLLET, wait_set);
}

void EventLoop::wake(const std::shared_ptr<Fiber>& fiber) {
  if (fiber->loop.has_caller()) {
    fiber->loop.wake_here(*fiber);
  } else {
    fiber->loop.post(fiber->loop.posted_, fiber);
  }
}

void EventLoop::post(std::vector<std::shared_ptr<Fiber>>& to, std::shared_ptr<Fiber> fiber) {
  bool ring = false;
  {
    const std::lock_guard lock(mutex_);
    to.push_back(std::move(fiber));
    ring = std::exchange(asleep_, false);
  }
  if (!ring) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wakeup_fd_.get(), &one, sizeof one);
}

void EventLoop::wake_here(Fiber& fiber) {
  if (std::exchange(fiber.asleep, false)) {
    ready_.push_back(fiber.shared_from_this());
  } else {
    fiber.woken = true;
  }
}

void EventLoop::run() {
  pthread_setname_np(pthread_self(), "event-loop");
  while (take_posted()) {
    run_ready();
    poll();
    end_overdue();
  }
}

bool EventLoop::take_posted() {
  std::vector<std::shared_ptr<Fiber>> posted;
  std::vector<std::shared_ptr<Fiber>> started;
  {
    const std::lock_guard lock(mutex_);
    asleep_ = false;
    if (ending_ && started_.empty() && fibers_.empty()) return false;
    posted.swap(posted_);
    started.swap(started_);
  }
  for (auto& fiber : started) {
    fiber->place = fibers_.size();
    fibers_.push_back(fiber);
    ready_.push_back(std::move(fiber));
  }
  for (const auto& fiber : posted) wake_here(*fiber);
  return true;
}

void EventLoop::run_ready() {
  for (int round = 0; round < rounds_of_a_turn && !ready_.empty(); ++round) {
    running_.swap(ready_);
    for (const auto& fiber : running_) {
      running_here = fiber.get();
      fiber->stack.enter();
      running_here = nullptr;
      if (fiber->stack.finished()) forget(*fiber);
    }
    running_.clear();
  }
}

void EventLoop::forget(Fiber& fiber) {
  fibers_.back()->place = fiber.place;
  std::swap(fibers_[fiber.place], fibers_.back());
  fibers_.pop_back();
}

void EventLoop::poll() {
  auto until = MonotonicTime::min();
  if (ready_.empty()) {
    const std::lock_guard lock(mutex_);
    if (posted_.empty() && started_.empty() && !(ending_ && fibers_.empty())) {
      until = next_deadline_;
      asleep_ = true;
    }
  }
  std::array<epoll_event, 64> events;
  const int count = wait_for_events(epoll_, events, until);
  for (int i = 0; i < count; ++i) {
    const auto name = events[static_cast<std::size_t>(i)].data.u64;
    if (name == wakeup) continue;
    if (name == wait_set) {
      for (const auto& fiber : fibers_) wake_here(*fiber);
      continue;
    }
    auto& watched = watched_[static_cast<std::size_t>(name)];
    if (auto* const fiber = std::exchange(watched.fiber, nullptr)) {
      fiber->ready = events[static_cast<std::size_t>(i)].events;
      wake_here(*fiber);
    } else if (std::exchange(watched.kept, 0) != 0) {
      disarm(static_cast<int>(name));  // or it would be reported at each poll
    }
  }
}

void EventLoop::end_overdue() {
  if (next_deadline_ == MonotonicTime::max()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_deadline_) return;
  next_deadline_ = MonotonicTime::max();
  std::vector<Fiber*> overdue;
  for (const auto& fiber : fibers_) {
    if (!fiber->asleep) continue;
    if (fiber->deadline <= now) {
      overdue.push_back(fiber.get());
    } else {
      next_deadline_ = std::min(next_deadline_, fiber->deadline);
    }
  }
  // If several deadlines have passed meanwhile, the earliest comes first.
  std::ranges::sort(overdue, {}, &Fiber::deadline);
  for (auto* fiber : overdue) wake_here(*fiber);
}

}  // namespace jobs_bridge::fibers
