#include "adapters/fibers/wait.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <system_error>

#include "adapters/fibers/event_loop.h"

namespace jobs_bridge::fibers {
namespace {

Waited wait_on_thread(int descriptor, short events, MonotonicTime deadline,
                      const StopSignal& stop) noexcept {
  pollfd polled[] = {{descriptor, events, 0}, {stop.descriptor(), POLLIN, 0}};
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(
        deadline - std::chrono::steady_clock::now());
    // Checked even if something is ready: a peer that always sends another byte must not extend the
    // deadline.
    if (left.count() <= 0) return Waited::timeout;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{static_cast<std::time_t>(seconds.count()),
                           static_cast<long>((left - seconds).count())};
    const int ready = ::ppoll(polled, 2, &timeout, nullptr);
    if (polled[1].revents != 0 && ready > 0) return Waited::stopped;
    if (ready > 0) return Waited::ready;
    // Lack of memory in the kernel leaves the decision to the next read or write.
    if (ready < 0 && errno != EINTR) return Waited::ready;
  }
}

Waited wait_on_fiber(int descriptor, short events, MonotonicTime deadline, const StopSignal& stop,
                     std::uint64_t id) noexcept {
  // The numbers of poll's events are those of epoll's.
  const auto wanted = static_cast<std::uint32_t>(events);
  EventLoop::wake_all_at(stop.descriptor(), stop.id());
  for (;;) {
    if (stop.raised()) return Waited::stopped;
    if (std::chrono::steady_clock::now() >= deadline) return Waited::timeout;
    const auto ready = EventLoop::sleep_until_ready(descriptor, wanted, deadline, id);
    if (!ready) return wait_on_thread(descriptor, events, deadline, stop);
    if (*ready != 0) return stop.raised() ? Waited::stopped : Waited::ready;
  }
}

}  // namespace

StopSignal::StopSignal() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), id_(descriptor_id()) {
  if (!event_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void StopSignal::raise() noexcept {
  raised_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  // It is never read, so it stays readable. The write can fail only if it is readable already.
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

std::uint64_t descriptor_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

Waited wait_for(int descriptor, short events, MonotonicTime deadline, const StopSignal& stop,
                std::uint64_t id) noexcept {
  return EventLoop::is_here() ? wait_on_fiber(descriptor, events, deadline, stop, id)
                              : wait_on_thread(descriptor, events, deadline, stop);
}

}  // namespace jobs_bridge::fibers
