#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bridge/flow/call.h"
#include "bridge/flow/delivery.h"
#include "bridge/flow/lanes.h"
#include "bridge/flow/publish_reply.h"
#include "bridge/flow/request_state.h"
#include "bridge/jobs/request.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// A device that waits for the answer to a request.
struct Asker {
  ReplyAddress address;
  MonotonicTime deadline;
  /// Of an update: its JournalEntry::number; 0: none. The request itself has the number of the
  /// first asker.
  std::uint64_t entry = 0;
  std::size_t bytes = 0;  ///< what its message takes, see HoldingSettings::max_bytes
};

/// A request and all devices that wait for its answer.
struct PendingRequest {
  PendingRequest(Delivery to_make, Asker asker) : delivery(std::move(to_make)) {
    askers.push_back(std::move(asker));
  }

  Delivery delivery;
  std::vector<Asker> askers;  ///< by deadline
  /// Of an update: the first so many askers are past their deadline. Only RequestTable may change
  /// this, as well as `due` and the state.
  std::size_t held_askers = 0;
  /// Its entry in due(); nothing in the state calling_answered.
  std::optional<std::set<std::pair<MonotonicTime, RequestId>>::iterator> due;
  /// When the message expires, if that is before the deadline. It counts until the first call.
  std::optional<MonotonicTime> expiry;
  MonotonicTime give_up;  ///< of an update
  MonotonicTime resume;   ///< while pausing
  std::uint32_t calls = 0;
  RequestState state = RequestState::absent;
  bool failed = false;  ///< its last call: Health::failing

  [[nodiscard]] const Request& request() const { return delivery.request(); }
  [[nodiscard]] const std::string& thing() const { return request().thing.text(); }
  [[nodiscard]] bool must_be_delivered() const {
    return jobs_bridge::must_be_delivered(request().operation);
  }
  /// Whether an asker is left whose deadline has not passed.
  [[nodiscard]] bool is_awaited() const { return held_askers < askers.size(); }
};

/// All requests that were entered and are not finished, each with its state, and everything derived
/// from the states: the lanes, what is due when, what pauses, what is held, and all counts. Only
/// apply() and discard() change a state, and they keep all of these consistent. Not thread-safe;
/// time must not go backwards.
class RequestTable {
 public:
  using Requests = std::unordered_map<RequestId, PendingRequest>;
  using Iterator = Requests::iterator;
  /// What is due when.
  using Agenda = std::set<std::pair<MonotonicTime, RequestId>>;

  /// Adds a request; `event`: entered or restored.
  void add(RequestId id, PendingRequest request, RequestEvent event);

  /// An event happened to a request; a request that is finished by it is removed from the table.
  /// False if the event cannot happen in its state: then nothing has changed, and the event is
  /// added to the illegal transitions.
  /// - begun: take_turn() returned the request, or it was next_reconciling();
  /// - paused: until `resume`;
  /// - held: one more asker of an update is past its deadline.
  bool apply(Iterator it, RequestEvent event, MonotonicTime resume = {});
  /// The illegal transitions since the last call.
  std::vector<IllegalTransition> take_illegal_transitions() {
    return std::exchange(illegal_transitions_, {});
  }
  /// Removes a request whose state cannot be relied on. If its call is under way, it goes on
  /// in the state calling_answered.
  void discard(Iterator it);
  /// All transitions applied so far, for tests.
  [[nodiscard]] const TransitionCounts& transitions() const { return transitions_; }

  /// Another device waits for the same answer.
  void join(Iterator it, Asker asker);
  /// The first asker is answered; any others go on waiting.
  Asker remove_first_asker(Iterator it);
  /// All askers are answered.
  std::vector<Asker> remove_askers(PendingRequest& request);

  [[nodiscard]] Iterator find(RequestId id) { return requests_.find(id); }
  [[nodiscard]] Requests::const_iterator find(RequestId id) const { return requests_.find(id); }
  [[nodiscard]] Iterator end() { return requests_.end(); }
  [[nodiscard]] Requests::const_iterator end() const { return requests_.end(); }
  /// The last request entered for a thing, or the end.
  [[nodiscard]] Iterator last_of(const std::string& thing);

  /// The request whose turn it is, which is now to be begun.
  std::optional<RequestId> take_turn(const Lanes::Allowed& allowed) {
    return lanes_.start(allowed);
  }
  [[nodiscard]] const Lanes& lanes() const { return lanes_; }
  /// See Lanes.
  void set_fails_alone(std::string_view thing, bool fails_alone) {
    lanes_.set_fails_alone(thing, fails_alone);
  }
  /// The request to reconcile before all other calls; nothing if there is none.
  [[nodiscard]] std::optional<RequestId> next_reconciling() const;

  /// All requests that are not calling_answered, by the time at which they need attention.
  [[nodiscard]] const Agenda& due() const { return due_; }
  /// While it waits, a request other than an update is due this long before its deadline.
  void set_min_time_for_call(Duration time) { min_time_for_call_ = time; }
  /// Those that pause, by the end of the pause.
  [[nodiscard]] const Agenda& pauses() const { return pauses_; }

  /// Requests that wait for a turn or pause and whose devices still wait.
  [[nodiscard]] std::size_t waiting() const {
    return lanes_.waiting() + pausing_ + reconciling_.size();
  }
  /// Calls under way, including those for requests already answered.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  /// In the order in which they were received.
  [[nodiscard]] const std::set<RequestId>& held() const { return held_; }
  /// The number of askers of updates.
  [[nodiscard]] std::size_t updates() const { return updates_; }
  [[nodiscard]] std::size_t update_bytes() const { return update_bytes_; }
  /// The bytes of all askers' messages, updates included; and of those of one thing, in time linear
  /// in their number.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t bytes(std::string_view thing) const;

 private:
  void leave_state(Iterator it, RequestState from, RequestState to);
  void enter_state(Iterator it, RequestState from, RequestState to);
  void count(const PendingRequest& request, const Asker& asker);
  void discount(const PendingRequest& request, const Asker& asker);
  void schedule(Iterator it);
  void unschedule(PendingRequest& request);

  Requests requests_;
  Lanes lanes_;
  Agenda due_;
  Agenda pauses_;
  std::set<RequestId> held_;
  std::deque<RequestId> reconciling_;
  Duration min_time_for_call_{};
  std::size_t in_flight_ = 0;
  std::size_t pausing_ = 0;  ///< those of `pauses_` that are not held
  std::size_t updates_ = 0;
  std::size_t update_bytes_ = 0;
  std::size_t bytes_ = 0;
  TransitionCounts transitions_{};
  std::vector<IllegalTransition> illegal_transitions_;
};

}  // namespace jobs_bridge
