#include "adapters/admin/heavy_hitters.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace jobs_bridge::admin {
namespace {

/// Newer events weigh more, since decaying old weights would touch all entries; after so many
/// half-lives all are scaled down.
constexpr double max_half_lives = 64;
/// Less than one event in an hour is no longer "of late".
constexpr double min_per_minute = 1.0 / 60;

}  // namespace

HeavyHitters::HeavyHitters(std::size_t capacity, Duration half_life)
    : capacity_(std::max<std::size_t>(capacity, 2)), half_life_(half_life) {
  entries_.reserve(capacity_);
}

double HeavyHitters::weight_at(MonotonicTime now) const {
  return std::exp2(std::chrono::duration<double>(now - origin_) /
                   std::chrono::duration<double>(half_life_));
}

void HeavyHitters::move_origin(MonotonicTime now) {
  const auto scale = 1 / weight_at(now);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry->second.weight *= scale;
    entry = entry->second.weight < 1e-9 ? entries_.erase(entry) : std::next(entry);
  }
  origin_ = now;
}

void HeavyHitters::make_room() {
  std::vector<double> weights;
  weights.reserve(entries_.size());
  for (const auto& [name, counted] : entries_) weights.push_back(counted.weight);
  const auto middle = weights.begin() + static_cast<std::ptrdiff_t>(weights.size() / 2);
  std::nth_element(weights.begin(), middle, weights.end());
  const auto median = *middle;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry->second.weight -= median;
    entry = entry->second.weight <= 0 ? entries_.erase(entry) : std::next(entry);
  }
}

void HeavyHitters::add(MonotonicTime now, std::string_view name, std::string_view note) {
  if (now - origin_ > half_life_ * static_cast<int>(max_half_lives)) move_origin(now);
  auto entry = entries_.find(name);
  if (entry == entries_.end()) {
    if (entries_.size() >= capacity_) make_room();
    entry = entries_.emplace(std::string(name), Counted{}).first;
  }
  entry->second.weight += weight_at(now);
  if (entry->second.note != note) entry->second.note = note;
}

std::vector<HeavyHitters::Entry> HeavyHitters::top(MonotonicTime now, std::size_t count) const {
  // A steady r events a minute add up to r * half-life / ln 2.
  const auto half_life_minutes = std::chrono::duration<double, std::ratio<60>>(half_life_).count();
  const auto scale = std::numbers::ln2 / half_life_minutes / weight_at(now);
  std::vector<Entry> all;
  for (const auto& [name, counted] : entries_) {
    const auto per_minute = counted.weight * scale;
    if (per_minute >= min_per_minute) all.push_back({name, per_minute, counted.note});
  }
  const auto kept = std::min(count, all.size());
  const auto more = [](const Entry& left, const Entry& right) {
    return left.per_minute != right.per_minute ? left.per_minute > right.per_minute
                                               : left.name < right.name;
  };
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), more);
  all.resize(kept);
  return all;
}

}  // namespace jobs_bridge::admin
