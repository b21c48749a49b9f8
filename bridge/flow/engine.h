#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "bridge/flow/call.h"
#include "bridge/flow/effects.h"
#include "bridge/flow/lanes.h"
#include "bridge/flow/notifier.h"
#include "bridge/flow/partition.h"
#include "bridge/flow/respond.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/message.h"
#include "bridge/jobs/request.h"
#include "bridge/jobs/settlement.h"
#include "bridge/jobs/topic.h"
#include "bridge/time.h"

namespace jobs_bridge {

struct EngineSettings {
  /// From the moment a request is received to its reply.
  Duration deadline = std::chrono::seconds(8);
  /// Most requests waiting for their turn: all things together, and one thing.
  std::size_t queue = 10000;
  std::size_t queue_per_thing = 16;
  /// Longest payload of a request, in bytes.
  std::size_t max_payload = 128 * 1024;
  Partition partition = {};
  NotifierSettings notifier = {};
};

/// The bridge's decisions over time: which request is carried out when, and what its device hears.
/// Events go in, effects come out; no socket, no thread, no clock. Not thread-safe: one call at a
/// time. Time must not go backwards between calls.
///
/// The life of a request:
///
///     received() ──> refused ───────────────────────────────> rejected reply
///         │           (no request, invalid, queue full)
///         v
///      waiting ──── deadline, or the message's expiry ──────> rejected reply
///         │ next_call()
///         v
///     in flight ── answered() ──> accepted or rejected reply
///      │  │  ^
///      │  │  └ next_call() ─ settling <─ answered(): an update whose outcome is open
///      │  │                      └ deadline ────────────────> rejected reply
///      │  └─ deadline ──> rejected reply ──> late ── answered() ──> forgotten
///
/// Promises kept here: every request gets exactly one reply inside its deadline; the requests of a
/// thing are carried out in arrival order, one at a time (a late call still counts as its thing's
/// one); things take turns; what waits is bounded, and past the bound the reply is
/// RequestThrottled; a request touches only its own thing's paths and topics.
class Engine {
 public:
  Engine(EngineSettings settings, TopicGrammar topics);

  /// A message came from the broker. Retained ones, and those on topics that are no requests, are
  /// ignored.
  void received(Now now, Message message, Effects& effects);

  /// Takes up a thing whose device was watched before a restart; before the first message.
  void remember(Now now, const WatchedThing& thing);
  /// Watches a thing whether or not its device asks.
  void always_watch(Now now, ThingName thing);

  /// The call to make now, if there is one: a device's or a poll.
  std::optional<Call> next_call(Now now, Effects& effects);

  /// The call of that id ended.
  void answered(Now now, RequestId id, const HttpOutcome& outcome, Effects& effects);

  /// Time passed: answers what has reached its deadline. To be called at next_tick() or soon
  /// after; more often does no harm.
  void tick(Now now, Effects& effects);

  /// When tick() is due, as things are. If nothing is, the moment at which an ordinary request
  /// received now would make it due, so that such a request need not wake whoever sleeps until
  /// then.
  [[nodiscard]] MonotonicTime next_tick(MonotonicTime now) const;

  /// True once when a poll is due that next_call() would give out: whoever hears it sees to it that
  /// next_call() is called.
  bool announce_poll(Now now) { return notifier_.announce(now.monotonic); }

  /// From now on every request is rejected at once; those already here go on.
  void refuse_new_requests();
  /// Rejects everything that has had no reply yet.
  void abandon(Now now, Effects& effects);

  /// How many calls for devices next_call() would give out now.
  [[nodiscard]] std::size_t ready() const { return lanes_.ready() + settling_.size(); }
  /// Requests that wait for their first call.
  [[nodiscard]] std::size_t waiting() const { return lanes_.waiting(); }
  /// Requests that have been given out and are not done with, late ones included.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] Notifier::Counts notifier_counts() const { return notifier_.counts(); }

 private:
  enum class Stage { waiting, in_flight, settling, late };
  struct Held {
    Request request;
    ReplyAddress address;
    MonotonicTime deadline;
    /// When the message expires, if that is before the deadline. It counts until the first call.
    std::optional<MonotonicTime> expiry;
    Stage stage = Stage::waiting;
    std::optional<Settlement> settlement;

    [[nodiscard]] MonotonicTime due() const {
      return stage == Stage::waiting ? expiry.value_or(deadline) : deadline;
    }
  };
  using HeldRequests = std::unordered_map<RequestId, Held>;

  /// Whether the reply may go where the message asks for it.
  bool allows_response(const Message& message) const;
  std::optional<Rejection> refusal(const Request& request) const;
  Call start(Now now, RequestId id);
  void conclude(Now now, HeldRequests::iterator held, const Answer& answer,
                std::string endpoint_request_id, Effects& effects);
  void expire(Now now, HeldRequests::iterator held, const Rejection& rejection, Effects& effects);
  Rejection overdue(const Held& held) const;

  EngineSettings settings_;
  TopicGrammar topics_;
  Lanes lanes_;
  HeldRequests held_;
  std::set<std::pair<MonotonicTime, RequestId>> deadlines_;  ///< when each is due, but the late
  std::deque<RequestId> settling_;                           ///< waiting for their next call
  Notifier notifier_;
  RequestId next_id_ = 1;
  std::size_t in_flight_ = 0;
  bool refusing_ = false;
};

}  // namespace jobs_bridge
