#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "bridge/time.h"

namespace jobs_bridge::admin {

/// How often something happened a second, over the last ten whole seconds. Not thread-safe; an
/// event that is older than the latest counts as of that one's second.
class RateWindow {
 public:
  void add(MonotonicTime now) {
    advance(now);
    ++counts_[index(latest_)];
  }

  [[nodiscard]] double per_second(MonotonicTime now) const {
    const auto present = second_of(now);
    std::uint64_t sum = 0;
    for (auto second = present - span; second < present; ++second) {
      if (second >= 0 && second <= latest_ && second > latest_ - kept)
        sum += counts_[index(second)];
    }
    return static_cast<double>(sum) / static_cast<double>(span);
  }

 private:
  static constexpr std::int64_t span = 10;
  static constexpr std::int64_t kept = 16;

  static std::int64_t second_of(MonotonicTime now) {
    return now.time_since_epoch() / std::chrono::seconds(1);
  }
  static std::size_t index(std::int64_t second) { return static_cast<std::size_t>(second % kept); }

  void advance(MonotonicTime now) {
    const auto present = second_of(now);
    for (auto second = std::max(latest_ + 1, present - kept + 1); second <= present; ++second) {
      counts_[index(second)] = 0;
    }
    latest_ = std::max(latest_, present);
  }

  std::array<std::uint64_t, kept> counts_{};
  std::int64_t latest_ = 0;
};

}  // namespace jobs_bridge::admin
