#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ports/journal.h"
#include "bridge/time.h"
#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

/// While the disk is full entries are forgotten so late at most: it may have room at the next try
/// or the one after it.
inline constexpr Duration longest_forgetting = std::chrono::seconds(2);

/// A journal as bridge/ports/journal.h promises it, at its worst: while the disk is full entries
/// are forgotten late, in the order in which they were settled; a power cut undoes what was written
/// within its last 100 ms.
class JournalModel {
 public:
  explicit JournalModel(std::uint64_t seed) : dice_(seed) {}

  /// From now on this share of the entries is refused.
  void set_full(double share) { full_ = share; }

  std::optional<std::string> record(MonotonicTime now, const JournalEntry& entry);
  /// Its device is about to be answered: an end from now on may bring it back.
  void answered(std::uint64_t number) { entries_.at(number).brought_back = true; }
  void settle(MonotonicTime now, const std::vector<std::uint64_t>& numbers);

  /// The process ends.
  void kill(MonotonicTime now);
  struct Lost {
    JournalEntry entry;
    MonotonicTime recorded;
  };
  /// The machine ends. Returns the entries that are lost.
  std::vector<Lost> cut_power(MonotonicTime now);

  struct Kept {
    JournalEntry entry;
    MonotonicTime recorded;
    bool brought_back = false;  ///< although it was answered
  };
  /// By number.
  [[nodiscard]] const std::map<std::uint64_t, Kept>& entries() const { return entries_; }
  void catch_up(MonotonicTime now);

 private:
  struct Settled {
    MonotonicTime forget;
    std::uint64_t number;
  };
  struct Forgotten {
    MonotonicTime at;
    Kept kept;
  };

  Dice dice_;
  double full_ = 0;
  std::map<std::uint64_t, Kept> entries_;
  std::deque<Settled> settled_;
  std::deque<Forgotten> forgotten_;  ///< within the last 100 ms
};

}  // namespace jobs_bridge::simulation
