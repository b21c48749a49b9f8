#pragma once

#include <chrono>

#include "bridge/time.h"

namespace jobs_bridge {

/// How often something happened in about the last second: a sliding window made of two counts. Not
/// thread-safe; time must not go backwards.
class PerSecond {
 public:
  void add(MonotonicTime now) {
    using namespace std::chrono_literals;
    if (const auto into = now - since_; into >= 1s) {
      before_ = into < 2s ? count_ : 0;
      count_ = 0;
      since_ = into < 2s ? since_ + 1s : now;
    }
    ++count_;
  }

  [[nodiscard]] double rate(MonotonicTime now) const {
    const double into = in_seconds(now - since_);
    if (into < 1) return count_ + before_ * (1 - into);
    return into < 2 ? count_ * (2 - into) : 0;
  }

 private:
  MonotonicTime since_{};
  double count_ = 0;   ///< in the second from `since_`
  double before_ = 0;  ///< in the second before
};

}  // namespace jobs_bridge
