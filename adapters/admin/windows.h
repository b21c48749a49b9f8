#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "adapters/admin/status.h"
#include "bridge/time.h"

namespace jobs_bridge::admin {

/// Durations of the last minutes: a ring of slices of time, each with a histogram whose buckets are
/// an eighth of a power of two wide, so that a quantile is off by 7 % at most. Memory and time per
/// event do not depend on the number of events. Not thread-safe; an event older than the latest is
/// counted in the latest one's slice.
class LatencyWindow {
 public:
  LatencyWindow(std::size_t slices, Duration slice);

  void add(MonotonicTime now, Duration took);

  /// For the last `span`, rounded to slices, the present one included.
  [[nodiscard]] Latency over(MonotonicTime now, Duration span) const;
  /// Every complete slice, oldest first: all before the present one.
  [[nodiscard]] std::vector<Latency> course(MonotonicTime now) const;

 private:
  /// From 1 us to 2^26 us, more than a minute, with eight buckets for each power of two.
  static constexpr std::size_t buckets = 8 * 27;
  using Histogram = std::array<std::uint32_t, buckets>;

  static std::size_t bucket_of(Duration took);
  static Duration middle_of(std::size_t bucket);
  static Latency quantiles(const Histogram& histogram);

  [[nodiscard]] std::int64_t number_of(MonotonicTime now) const;
  /// Empties the slices that time has passed over.
  void advance(std::int64_t number);
  /// Slice `number` if it is still kept.
  [[nodiscard]] const Histogram* find(std::int64_t number) const;

  const Duration slice_;
  std::vector<Histogram> slices_;
  std::optional<std::int64_t> latest_;  ///< number of the slice that was added to last
};

/// Events per second, over the last ten whole seconds. Not thread-safe; an event older than the
/// latest is counted in the latest one's second.
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
