#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "bridge/ports.h"
#include "bridge/time.h"
#include "tests/worlds/chance.h"

namespace jobs_bridge::simulation {

/// A journal that keeps what it promises and no more: what was recorded outlives a kill, and a
/// power cut a tenth of a second later; what was settled is removed a little later, and a crash can
/// bring it back.
class JournalModel {
 public:
  explicit JournalModel(std::uint64_t seed) : chance_(seed) {}

  bool full = false;

  bool record(MonotonicTime now, const JournalEntry& entry) {
    if (full) return false;
    entries_.insert_or_assign(entry.number, Kept{entry, now, MonotonicTime::max()});
    return true;
  }
  void settle(MonotonicTime now, std::uint64_t number) {
    const auto found = entries_.find(number);
    if (found == entries_.end()) return;
    found->second.removed = now + std::chrono::milliseconds(chance_.below(20));
  }
  /// Forgets what no crash brings back.
  void tidy(MonotonicTime now) {
    std::erase_if(entries_, [&](const auto& kept) {
      return kept.second.removed < now - std::chrono::milliseconds(200);
    });
  }

  /// What the next start finds after a kill, or a power cut.
  std::vector<JournalEntry> after_crash(MonotonicTime now, bool power_cut) {
    const auto lost_after =
        power_cut ? now - std::chrono::milliseconds(chance_.below(101)) : MonotonicTime::max();
    std::vector<JournalEntry> left;
    std::map<std::uint64_t, Kept> kept;
    for (auto& [number, entry] : entries_) {
      if (entry.recorded > lost_after) continue;
      if (entry.removed <= std::min(now, lost_after)) continue;
      left.push_back(entry.entry);
      kept.emplace(number, Kept{entry.entry, entry.recorded, MonotonicTime::max()});
    }
    entries_ = std::move(kept);
    return left;
  }

 private:
  struct Kept {
    JournalEntry entry;
    MonotonicTime recorded;
    MonotonicTime removed;
  };
  Chance chance_;
  std::map<std::uint64_t, Kept> entries_;
};

}  // namespace jobs_bridge::simulation
