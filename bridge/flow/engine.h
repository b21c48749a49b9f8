#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/flow/answered_updates.h"
#include "bridge/flow/call.h"
#include "bridge/flow/delivery.h"
#include "bridge/flow/effects.h"
#include "bridge/flow/intake.h"
#include "bridge/flow/notifier.h"
#include "bridge/flow/partition.h"
#include "bridge/flow/quota.h"
#include "bridge/flow/random.h"
#include "bridge/flow/recent_failures.h"
#include "bridge/flow/recent_replies.h"
#include "bridge/flow/request_table.h"
#include "bridge/flow/scheduler.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/message.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/request.h"
#include "bridge/jobs/topic.h"
#include "bridge/ports.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// How updates are held that cannot be delivered while their devices wait.
struct HoldingSettings {
  /// Whether what goes into Effects::recorded outlives the process. If not, a shutdown answers
  /// every update that is held.
  bool durable = false;
  /// Of all updates taken and not settled: what their messages take, and held_overhead for each.
  std::size_t max_bytes = std::size_t{64} << 20;
  std::size_t max_per_thing = 256;
  /// An update that could not be delivered for so long is given up.
  Duration max_age = std::chrono::hours(24 * 7);
};
/// What an update takes besides the bytes of its message, in memory and in a journal.
inline constexpr std::size_t held_overhead = 512;

struct EngineSettings {
  /// From the moment a request is received to its reply.
  Duration deadline = std::chrono::seconds(8);
  /// Most requests waiting for their turn: all things together, and one thing.
  std::size_t queue = 10000;
  std::size_t queue_per_thing = 16;
  /// Longest payload of a request, in bytes.
  std::size_t max_payload = 128 * 1024;
  /// Most calls a second; 0: no limit.
  double reads_per_second = 0;
  double writes_per_second = 0;
  Partition partition = {};
  HoldingSettings holding = {};
  /// Most calls at the same time for things whose calls alone fail: those that hang leave the other
  /// connections to the others.
  std::size_t failing_calls_in_flight = 16;
  NotifierSettings notifier = {};
  /// Of the jitter: the same one makes the same decisions.
  std::uint64_t seed = 0;
};

/// The bridge's decisions over time: which request is carried out when, and what its device hears.
/// Events go in, effects come out; no socket, no thread, no clock. Not thread-safe: one call at a
/// time. Time must not go backwards between calls.
///
/// The life of a request is that of its state: see next_state(). Received is refused at once, or
/// taken; next_call() begins it; answered() concludes it, or has it requeued, paused or reconciled;
/// tick() resumes it, and at its deadline has it withdrawn, or held if it is an update. An event
/// that cannot happen in a request's state is a fault of ours: it is among the effects, the request
/// is rejected, and all others go on.
///
/// Promises kept here: every request gets exactly one reply inside its deadline, but for an update
/// that cannot be delivered by then, which is answered when its outcome is known; the requests of a
/// thing are carried out in arrival order, one at a time (a late call still counts as its thing's
/// one); things take turns; what waits is bounded, and past the bound the reply is
/// RequestThrottled; no more calls are made than the quotas and the endpoint's state allow; a
/// request touches only its own thing's paths and topics.
class Engine {
 public:
  Engine(EngineSettings settings, TopicGrammar topics);

  /// A message came from the broker. Retained ones, and those on topics that are no requests, are
  /// ignored. Effects::recorded holds an entry if it is an update: if that cannot be kept, call
  /// unrecorded() before anything else.
  void received(Now now, Message message, Effects& effects);
  /// An update that was just received could not be kept: it is rejected. `cause` is for the device
  /// and the operator.
  void unrecorded(Now now, const JournalEntry& entry, const std::string& cause, Effects& effects);

  /// Takes over an update that was recorded before a restart; in the order of their numbers, before
  /// the first message. False if it is none for this instance any more, as the base of topics or
  /// the partition may have changed.
  bool restore(Now now, const JournalEntry& entry);
  /// Takes up a thing whose device was watched before a restart; before the first message.
  void remember(Now now, const WatchedThing& thing);
  /// Watches a thing whether or not its device asks.
  void always_watch(Now now, ThingName thing);

  /// The call to make now, if there is one: a device's or a poll.
  std::optional<Call> next_call(Now now, Effects& effects);

  /// The call of that id ended. What it tells of the endpoint, for observers. It counts before what
  /// is due at the same time: an answer that is there is what its device is to hear.
  Health answered(Now now, RequestId id, const HttpOutcome& outcome, Effects& effects);

  /// The broker has taken the reply to that update, Publication::update, or will never take it:
  /// then it is settled.
  void reply_taken(std::uint64_t number, Effects& effects);

  /// Time passed: answers what has reached its deadline. To be called at next_tick() or soon
  /// after; more often does no harm.
  void tick(Now now, Effects& effects);

  /// When tick() is due, as things are; after it, has_call() is worth asking. If nothing is, the
  /// moment at which an ordinary request received now would make it due, so that such a request
  /// need not wake whoever sleeps until then.
  [[nodiscard]] MonotonicTime next_tick(MonotonicTime now) const;

  /// Whether next_call() would give out a call: whoever hears it sees to it that next_call() is
  /// called. Ask after each of the events above.
  [[nodiscard]] bool has_call(Now now) const;

  /// From now on every request is rejected at once, but for updates that are recorded, and no call
  /// is begun for an update that is held; the others go on.
  void refuse_new_requests();
  /// Rejects everything that has had no reply yet, but for updates that were recorded: those are
  /// left to the journal. Returns how many.
  std::size_t abandon(Now now, Effects& effects);

  /// From now on these count of `settings`: deadline, queue, queue_per_thing, max_payload, the
  /// quotas and what the notifier takes of them, and notifier.repeat_replies. What has been taken
  /// keeps its deadline and its place.
  void change_limits(Now now, const EngineSettings& settings);

  struct Counts {
    std::size_t waiting = 0;    ///< requests that wait for a call and are not held
    std::size_t in_flight = 0;  ///< calls for requests, late ones included
    std::size_t pausing = 0;    ///< requests that wait before their next try, held ones included
    std::size_t held = 0;       ///< updates that are past their deadline
    std::size_t updates = 0;    ///< updates taken and not answered
    std::size_t update_bytes = 0;
    std::size_t answered = 0;  ///< updates kept until the broker has taken their reply
    bool endpoint_reachable = true;
  };
  [[nodiscard]] Counts counts() const;
  /// How long ago the oldest update that is held was received; nothing if none is.
  [[nodiscard]] std::optional<Duration> oldest_held(MonotonicTime now) const;
  [[nodiscard]] const Quota& quota(QuotaKind kind) const { return scheduler_.quota(kind); }
  /// Whether nothing is left to do for a device that waits.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] Notifier::Counts notifier_counts() const { return notifier_.counts(); }

  /// How often each event happened in each state, over all requests: which of them a test or a
  /// simulation has reached.
  [[nodiscard]] const TransitionCounts& transitions() const { return requests_.transitions(); }

 private:
  friend class EngineFaults;  // of the tests, which break what cannot break
  using Place = RequestTable::Place;

  /// An update that was redelivered has been answered, and is again, or waits for its answer.
  bool is_known(const Request& request, const ReplyAddress& address, Effects& effects);
  /// The request whose answer will be this one's as well, or the end.
  Place find_same(const Request& request, const Message& message, MonotonicTime deadline);
  /// `same`: the request that would be joined, or the end.
  std::optional<Rejection> refusal(const Request& request, std::size_t bytes,
                                   RequestTable::Requests::const_iterator same) const;

  /// Nothing if it cannot be begun: a fault.
  std::optional<Call> start(Now now, RequestId id, bool alone);
  [[nodiscard]] MonotonicTime call_deadline(const PendingRequest& pending, MonotonicTime now) const;
  /// What the engine knows of an update whose fate is asked for.
  [[nodiscard]] Reconciliation::Evidence evidence(Now now, const PendingRequest& pending,
                                                  const HttpOutcome& described) const;
  /// Whether a thing takes its turns among those whose calls alone fail; before each that it waits
  /// for, as it may be others' calls that tell.
  void rank(Place place);
  void observe(Now now, RequestId id, std::string_view thing, QuotaKind kind,
               const Outcome& outcome, Effects& effects);
  void try_again(Now now, Place place, Delivery::Again again, Effects& effects);
  void conclude(Now now, Place place, const Answer& answer, const std::string& endpoint_request_id,
                Effects& effects);
  void overdue(Now now, Place place, Effects& effects);
  [[nodiscard]] Rejection overdue_rejection(const PendingRequest& pending) const;
  [[nodiscard]] Rejection too_old() const;

  /// Answers all askers. What was recorded is kept only until the broker has the reply.
  void reply(Now now, PendingRequest& pending, const Answer& answer,
             const std::string& endpoint_request_id, Effects& effects);
  void reply_to(Now now, const PendingRequest& pending, Asker asker, const Answer& answer,
                const std::string& endpoint_request_id, Effects& effects);
  /// Rejects the requests that something happened to that cannot happen.
  void reject_faulty(Now now, Effects& effects);

  /// How much time a call for a device that waits needs at least: with less, it would be carried
  /// out for a device that hears of a rejection.
  [[nodiscard]] Duration least_time_for_call() const;

  EngineSettings settings_;
  Intake intake_;
  RequestTable requests_;
  Scheduler scheduler_;
  Notifier notifier_;
  RecentFailures failures_;
  AnsweredUpdates answered_;
  RecentReplies recent_;
  Random random_;
  RequestId next_id_ = 1;
  bool refusing_ = false;
};

}  // namespace jobs_bridge
