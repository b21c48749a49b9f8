#include "adapters/admin/windows.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

namespace jobs_bridge::admin {

using std::chrono::microseconds;

LatencyWindow::LatencyWindow(std::size_t slices, Duration slice)
    : slice_(slice), slices_(slices, Histogram{}) {}

std::size_t LatencyWindow::bucket_of(Duration took) {
  const auto us = std::chrono::duration_cast<microseconds>(took).count();
  if (us < 8) return static_cast<std::size_t>(std::max<std::int64_t>(us, 0));
  // The power of two and the three bits below its leading one.
  const auto value = static_cast<std::uint64_t>(us);
  const auto power = static_cast<std::size_t>(std::bit_width(value)) - 1;
  const auto eighth = static_cast<std::size_t>((value >> (power - 3)) & 7U);
  return std::min(buckets - 1, 8 * (power - 2) + eighth);
}

Duration LatencyWindow::middle_of(std::size_t bucket) {
  if (bucket < 8) return microseconds(static_cast<std::int64_t>(bucket));
  const auto power = bucket / 8 + 2;
  const auto width = std::uint64_t{1} << (power - 3);
  const auto low = (8 + bucket % 8) * width;
  return microseconds(static_cast<std::int64_t>(low + width / 2));
}

std::int64_t LatencyWindow::number_of(MonotonicTime now) const {
  return now.time_since_epoch() / slice_;
}

void LatencyWindow::advance(std::int64_t number) {
  const auto count = static_cast<std::int64_t>(slices_.size());
  if (!latest_) latest_ = number - count;
  const auto first = std::max({*latest_ + 1, number - count + 1, std::int64_t{0}});
  for (auto passed = first; passed <= number; ++passed) {
    slices_[static_cast<std::size_t>(passed % count)].fill(0);
  }
  latest_ = std::max(*latest_, number);
}

const LatencyWindow::Histogram* LatencyWindow::find(std::int64_t number) const {
  const auto count = static_cast<std::int64_t>(slices_.size());
  if (!latest_ || number < 0 || number > *latest_ || number <= *latest_ - count) return nullptr;
  return &slices_[static_cast<std::size_t>(number % count)];
}

void LatencyWindow::add(MonotonicTime now, Duration took) {
  advance(number_of(now));
  const auto count = static_cast<std::int64_t>(slices_.size());
  ++slices_[static_cast<std::size_t>(*latest_ % count)][bucket_of(took)];
}

Latency LatencyWindow::quantiles(const Histogram& histogram) {
  Latency latency;
  for (const auto count : histogram) latency.count += count;
  const auto quantile = [&](double share) {
    const auto wanted =
        static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(latency.count)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      seen += histogram[bucket];
      if (seen >= wanted) return middle_of(bucket);
    }
    return Duration{};
  };
  if (latency.count == 0) return latency;
  latency.p50 = quantile(0.50);
  latency.p95 = quantile(0.95);
  latency.p99 = quantile(0.99);
  return latency;
}

Latency LatencyWindow::over(MonotonicTime now, Duration span) const {
  Histogram sum{};
  const auto present = number_of(now);
  const auto count =
      std::min<std::int64_t>(span / slice_, static_cast<std::int64_t>(slices_.size()));
  for (auto number = present - count + 1; number <= present; ++number) {
    const auto* slice = find(number);
    if (slice == nullptr) continue;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) sum[bucket] += (*slice)[bucket];
  }
  return quantiles(sum);
}

std::vector<Latency> LatencyWindow::course(MonotonicTime now) const {
  std::vector<Latency> course;
  const auto present = number_of(now);
  const auto count = static_cast<std::int64_t>(slices_.size());
  for (auto number = present - count + 1; number < present; ++number) {
    const auto* slice = find(number);
    course.push_back(slice == nullptr ? Latency{} : quantiles(*slice));
  }
  return course;
}

}  // namespace jobs_bridge::admin
