#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/time.h"

namespace jobs_bridge::admin {

/// Finds the names that recently caused the most events, among any number of names, in bounded
/// memory.
///
/// An event's weight halves with every half-life. When the table is full, the median weight is
/// subtracted from all entries and those with nothing left are removed (Anderson et al., "A
/// High-Performance Algorithm for Identifying Frequent Items in Data Streams", 2017), so that an
/// event costs constant time, amortised, and every name that causes more than 2 / capacity of all
/// events is in the table. Its count is too low by at most that share, and never too high. Not
/// thread-safe; time must not go backwards.
class HeavyHitters {
 public:
  /// `capacity`: at least 2.
  HeavyHitters(std::size_t capacity, Duration half_life);

  /// One event of `name`; the `note` of the latest event is kept.
  void add(MonotonicTime now, std::string_view name, std::string_view note = {});

  struct Entry {
    std::string name;
    double per_minute = 0;
    std::string note;
  };
  /// At most `count` names with the most events, the most first; names whose events are long past
  /// are left out.
  [[nodiscard]] std::vector<Entry> top(MonotonicTime now, std::size_t count) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Counted {
    double weight = 0;
    std::string note;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  /// The weight of an event at `now` relative to one at `origin_`.
  [[nodiscard]] double weight_at(MonotonicTime now) const;
  void move_origin(MonotonicTime now);
  void make_room();

  const std::size_t capacity_;
  const Duration half_life_;
  MonotonicTime origin_{};
  std::unordered_map<std::string, Counted, Hash, std::equal_to<>> entries_;
};

}  // namespace jobs_bridge::admin
