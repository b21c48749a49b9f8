#pragma once

#include "bridge/time.h"

namespace jobs_bridge::fibers {

/// A moment by two clocks of the system. The sum of both is CLOCK_BOOTTIME and never goes back
/// either.
struct Moment {
  MonotonicTime now;
  /// How long the machine has been suspended since it booted, which `now` does not count, nor
  /// whatever waits by it; devices live on meanwhile. Jitters by microseconds.
  Duration suspended{};
};

/// Takes well under a microsecond.
Moment read_moment() noexcept;

}  // namespace jobs_bridge::fibers
