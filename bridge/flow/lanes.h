#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/flow/call.h"
#include "bridge/flow/quota.h"

namespace jobs_bridge {

/// Decides whose turn it is. Every thing with something to do has a lane: its requests wait there
/// in arrival order and are carried out one at a time; the lanes take turns, so that a thing that
/// floods delays only itself.
///
/// Held requests, whose devices no longer wait for the reply, do not delay the others: lanes that
/// contain only held requests take turns among themselves and get one turn in four while there are
/// other lanes. So the backlog of an outage drains alongside new requests.
///
/// Nor do the things that fail alone (see ThingHealth): they take turns among themselves, and get
/// one turn in four while there are others. Within both kinds, held requests come last as well.
///
/// A lane with nothing to do does not exist: memory grows with the requests, not with the things
/// ever seen. All operations take constant time, except those that change the middle of a lane.
class Lanes {
 public:
  Lanes() = default;
  // Not copyable: a copy's iterators would point into the original's lists.
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  Lanes(Lanes&&) = default;
  Lanes& operator=(Lanes&&) = default;
  ~Lanes() = default;

  /// Puts a request at the end of its thing's lane. `kind` is the quota that its call takes from.
  void add(std::string_view thing, RequestId request, QuotaKind kind, bool held = false);

  /// A thing fails alone, or no longer does. This applies as long as it has a lane.
  void set_fails_alone(std::string_view thing, bool fails_alone);
  [[nodiscard]] bool fails_alone(std::string_view thing) const;

  /// Which calls may be made now: by quota, whether for held requests and for things that fail
  /// alone, and for which things (empty: for all).
  struct Allowed {
    bool reads = true;
    bool writes = true;
    bool held = true;
    bool failing_alone = true;
    std::function<bool(std::string_view thing)> things = {};
  };
  /// Takes the first request of the lane whose turn it is among those whose call is allowed; that
  /// lane then counts as busy and has no further turn until finish() or requeue(). Nothing if there
  /// is no such lane.
  std::optional<RequestId> start(const Allowed& allowed);

  /// The request that start() returned for this lane is finished.
  void finish(std::string_view thing);
  /// The request that start() returned needs another turn: its lane goes to the end of the queue,
  /// with this request at its head.
  void requeue(std::string_view thing, QuotaKind kind, bool held);

  /// Removes a request that still waits.
  void remove(std::string_view thing, RequestId request);
  /// Removes a request in any state, and frees the lane if the request kept it busy.
  void drop(std::string_view thing, RequestId request);
  /// From now on a waiting request is held.
  void hold(std::string_view thing, RequestId request);

  /// Another device began to wait for the same answer, or so many no longer do: they count as
  /// waiting.
  void join(std::string_view thing);
  void leave(std::string_view thing, std::size_t count);

  /// Whether start() would return a request.
  [[nodiscard]] bool has_ready(const Allowed& allowed) const;
  /// How many requests wait that are not held, in all lanes and in one; including those that joined
  /// another request.
  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t waiting(std::string_view thing) const;
  /// How many requests of a thing wait, held ones included.
  [[nodiscard]] std::size_t length(std::string_view thing) const;
  /// All requests of a thing, the one under way first.
  [[nodiscard]] std::vector<RequestId> requests(std::string_view thing) const;
  /// The last request added for a thing, if it has not been finished or removed.
  [[nodiscard]] std::optional<RequestId> last(std::string_view thing) const;

 private:
  struct Waiting {
    RequestId request;
    QuotaKind kind;
    bool held;
  };
  struct Lane {
    std::string thing;
    std::vector<Waiting> waiting;
    std::size_t urgent = 0;  ///< those of `waiting` that are not held
    std::size_t joined = 0;
    std::uint64_t turn = 0;  ///< grows with each lane that becomes ready
    std::optional<RequestId> busy_with;
    bool fails_alone = false;
  };
  using List = std::list<Lane>;
  using Iterator = List::iterator;

  List& list_of(const Lane& lane);
  struct Turn {
    List* list;
    Iterator lane;
  };
  /// For requests of one kind, held or not.
  std::optional<Turn> first_turn(const Allowed& allowed, bool failing_alone, bool urgent);
  std::optional<Turn> next_turn(const Allowed& allowed);
  /// Moves a lane to the end of the list where it belongs now, or ends it.
  void move_to_end(List& from, Iterator lane);
  /// The same, but only if it belongs in another list than `from`.
  void move_if_list_changed(List& from, Iterator lane);

  /// Of two kinds the first takes precedence, and the second gets one turn in four while both wait.
  class Precedence {
   public:
    /// Whether it is the turn of the second kind, given which kinds wait.
    bool yields(bool first, bool second);

   private:
    int turns_ = 0;  ///< of the first since the second's last
  };

  /// Those with nothing urgent, and with; by the kind of the first one's call.
  using Ready = std::array<std::array<List, 2>, 2>;
  /// A lane moves between the lists by splicing: its address stays.
  std::array<Ready, 2> ready_;  ///< of healthy things, and of things that fail alone
  List busy_;
  std::unordered_map<std::string_view, Iterator> by_thing_;  ///< keys point into the lanes
  std::size_t waiting_ = 0;
  std::uint64_t next_turn_ = 1;
  std::size_t failing_alone_ = 0;             ///< lanes
  std::array<Precedence, 2> urgent_first_{};  ///< before those with nothing urgent, of either kind
  Precedence healthy_first_;                  ///< before those that fail alone
};

}  // namespace jobs_bridge
