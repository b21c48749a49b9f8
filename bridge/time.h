#pragma once

#include <chrono>
#include <cstdint>

namespace jobs_bridge {

/// Time that only goes forward. Every deadline is one of these, so that a clock set by hand or by
/// NTP moves none. The core never reads a clock: whoever calls it says what time it is.
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
  /// core does not look at it: whoever reads the clock for it adds it, see Dispatcher.
  Duration suspended = Duration::zero();
};

}  // namespace jobs_bridge
