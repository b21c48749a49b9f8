#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jobs_bridge {

/// Updates whose answer is known, but whose reply the broker has not acknowledged yet. They stay in
/// the journal until then: if they were removed earlier and the process were killed, their devices
/// would never get a reply.
///
/// The updates of one thing are forgotten in the order in which they were answered, whichever reply
/// the broker acknowledges first. An update that is restored after a kill is described, and may be
/// carried out once more; every later update of the thing must then be restored as well, so that
/// the last one decides the final state.
///
/// Bounded by what is waiting to be published, each of which is eventually acknowledged or dropped.
/// Not thread-safe.
class AnsweredUpdates {
 public:
  /// `thing`: as Publication::thing. `bytes`: the space that it takes in the journal.
  void add(std::uint64_t number, std::uint64_t thing, std::size_t bytes) {
    lanes_[thing].push_back({.number = number, .bytes = bytes});
    things_.emplace(number, thing);
    bytes_ += bytes;
  }

  /// The broker has acknowledged the reply, or never will. Returns the numbers of the updates to
  /// forget now, in order; empty if the number is unknown.
  std::vector<std::uint64_t> reply_ended(std::uint64_t number) {
    const auto known = things_.find(number);
    if (known == things_.end()) return {};
    const auto lane = lanes_.find(known->second);
    things_.erase(known);
    for (auto& update : lane->second) {
      if (update.number == number) update.reply_ended = true;
    }
    std::vector<std::uint64_t> forgotten;
    auto& updates = lane->second;
    while (!updates.empty() && updates.front().reply_ended) {
      forgotten.push_back(updates.front().number);
      bytes_ -= updates.front().bytes;
      updates.pop_front();
    }
    if (updates.empty()) lanes_.erase(lane);
    return forgotten;
  }

  /// Replies that have not ended.
  [[nodiscard]] std::size_t size() const { return things_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Update {
    std::uint64_t number;
    std::size_t bytes;
    bool reply_ended = false;
  };
  std::unordered_map<std::uint64_t, std::deque<Update>> lanes_;  ///< by thing
  std::unordered_map<std::uint64_t, std::uint64_t> things_;      ///< by number
  std::size_t bytes_ = 0;
};

}  // namespace jobs_bridge
