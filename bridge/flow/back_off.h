#pragma once

#include <algorithm>
#include <chrono>

#include "bridge/flow/random.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// How long to wait before each retry. The pauses grow and are random, so that calls that failed
/// together are not retried together. Decorrelated jitter, as AWS's architecture blog describes it
/// ("Exponential Backoff And Jitter"): between the shortest pause and three times the one before.
class BackOff {
 public:
  Duration next(Duration shortest, Duration longest, Random& random) {
    const auto least = std::chrono::duration<double>(shortest);
    const auto most = std::max(least, std::chrono::duration<double>(last_) * 3);
    last_ = std::min(longest, std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
                                  random.between(least.count(), most.count()))));
    return last_;
  }

 private:
  Duration last_{};
};

}  // namespace jobs_bridge
