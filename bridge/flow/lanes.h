#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/flow/call.h"

namespace jobs_bridge {

/// Whose turn it is. Every thing with something to do has a lane: its requests wait there in
/// arrival order and are carried out one at a time; the lanes take turns, so that a thing that
/// floods waits behind itself and not before others. A lane with nothing to do does not exist:
/// memory follows the requests, not the things ever seen. All operations take constant time, but
/// for removing from the middle of a lane.
class Lanes {
 public:
  Lanes() = default;
  // A copy's lanes would be found in the original's lists.
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  Lanes(Lanes&&) = default;
  Lanes& operator=(Lanes&&) = default;
  ~Lanes() = default;

  /// Puts a request at the end of its thing's lane.
  void add(std::string_view thing, RequestId request);

  /// Takes the first request of the lane whose turn it is; that lane then counts as busy and has
  /// no further turn until finish(). Nothing if every lane is busy or empty.
  std::optional<RequestId> start();

  /// The request that start() gave out of this lane is done with.
  void finish(std::string_view thing);

  /// Takes out a request that still waits.
  void remove(std::string_view thing, RequestId request);

  /// How many lanes have a request that could be started now.
  [[nodiscard]] std::size_t ready() const { return ready_.size(); }
  /// How many requests wait, in all lanes and in one.
  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t waiting(std::string_view thing) const;

 private:
  struct Lane {
    std::string thing;
    std::vector<RequestId> waiting;
    bool busy = false;
  };
  using Place = std::list<Lane>::iterator;

  /// A lane moves between the lists by splicing: its address stays.
  std::list<Lane> ready_;   ///< not busy, something waits; the first has its turn
  std::list<Lane> others_;  ///< busy
  std::unordered_map<std::string_view, Place> by_thing_;  ///< keys point into the lanes
  std::size_t waiting_ = 0;
};

}  // namespace jobs_bridge
