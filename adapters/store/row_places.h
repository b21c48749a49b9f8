#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace jobs_bridge::store {

/// Where entries are in a table, by their numbers. A new one takes the place of one that is removed
/// in the same transaction, or else the lowest free place: then mostly a single page changes, and
/// the table becomes no larger than what it held at its fullest.
class RowPlaces {
 public:
  /// The places of those that are there.
  [[nodiscard]] std::vector<std::int64_t> of(std::span<const std::uint64_t> numbers) const {
    std::vector<std::int64_t> places;
    places.reserve(numbers.size());
    for (const auto number : numbers) {
      if (const auto found = places_.find(number); found != places_.end()) {
        places.push_back(found->second);
      }
    }
    return places;
  }

  /// The place for a new entry once `released` are free too.
  [[nodiscard]] std::int64_t for_new(const std::vector<std::int64_t>& released) const {
    auto place = free_.empty() ? next_ : *free_.begin();
    for (const auto each : released) place = std::min(place, each);
    return place;
  }

  void take(std::int64_t place, std::uint64_t number) {
    places_[number] = place;
    taken_.insert(place);
    free_.erase(place);
    while (taken_.contains(next_)) ++next_;
  }

  void release(std::uint64_t number) {
    const auto found = places_.find(number);
    if (found == places_.end()) return;
    taken_.erase(found->second);
    if (found->second < next_) free_.insert(found->second);
    places_.erase(found);
  }

 private:
  std::unordered_map<std::uint64_t, std::int64_t> places_;
  std::unordered_set<std::int64_t> taken_;
  std::set<std::int64_t> free_;  ///< below `next_`
  std::int64_t next_ = 1;        ///< not taken; all places below it are taken or in `free_`
};

}  // namespace jobs_bridge::store
