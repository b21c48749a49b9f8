#pragma once

#include <chrono>
#include <cstdint>

namespace jobs_bridge {

/// Time that only goes forward. Every deadline is one of these, so that setting the clock, by hand
/// or by NTP, does not move any. The core never reads a clock: its caller passes the time.
using MonotonicTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

constexpr double in_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// The moment at which the core is called.
struct Now {
  MonotonicTime monotonic;
  /// Seconds since 1970 UTC, for the `timestamp` of a reply and for nothing else.
  std::int64_t unix_seconds = 0;
  /// How long the machine has been suspended since it booted, which `monotonic` does not count. The
  /// core ignores it: the code that reads the clock adds it, see Dispatcher.
  Duration suspended = Duration::zero();
};

}  // namespace jobs_bridge
