#pragma once

#include "bridge/time.h"

namespace jobs_bridge::fibers {

/// A moment on two clocks of the system. The sum of both is CLOCK_BOOTTIME, which never goes back
/// either.
struct Moment {
  MonotonicTime now;
  /// How long the machine has been suspended since it booted, which `now` does not count, nor do
  /// waits that use it, whereas devices go on meanwhile. Jitters by microseconds.
  Duration suspended{};
};

/// Takes well under a microsecond.
Moment read_moment() noexcept;

}  // namespace jobs_bridge::fibers
