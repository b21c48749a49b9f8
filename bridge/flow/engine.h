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
#include "bridge/flow/permissions.h"
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
#include "bridge/ports/journal.h"
#include "bridge/ports/watch_store.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// How updates are held when they cannot be delivered while their devices wait.
struct HoldingSettings {
  /// Whether the entries in Effects::recorded outlive the process. If not, a shutdown answers every
  /// held update.
  bool durable = false;
  /// Limit for all updates that are admitted and not settled: the size of their messages plus
  /// request_overhead for each.
  std::size_t max_bytes = std::size_t{64} << 20;
  std::size_t max_per_thing = 256;
  /// An update that could not be delivered for so long is given up.
  Duration max_age = std::chrono::hours(24 * 7);
};
/// What a request takes in addition to the bytes of its message, in memory and in the journal.
inline constexpr std::size_t request_overhead = 512;

struct EngineSettings {
  /// From the receipt of a request to its reply.
  Duration deadline = std::chrono::seconds(8);
  /// Maximum number of requests that wait for their turn: for all things together, and for one
  /// thing.
  std::size_t queue = 10000;
  std::size_t queue_per_thing = 16;
  /// Longest payload of a request, in bytes.
  std::size_t max_payload = 128 * 1024;
  /// Maximum calls per second; 0: no limit.
  double reads_per_second = 0;
  double writes_per_second = 0;
  Partition partition = {};
  HoldingSettings holding = {};
  /// Maximum concurrent calls for things that fail alone, so that calls that hang leave connections
  /// for other things.
  std::size_t failing_alone_calls_in_flight = 16;
  NotifierSettings notifier = {};
  /// Seed of the jitter: the same seed leads to the same decisions.
  std::uint64_t seed = 0;
};

/// The bridge's decisions over time: when each request is carried out and what its device is told.
/// Events go in, effects come out; no socket, no thread, no clock. Not thread-safe: one call at a
/// time. Time must not go backwards between calls.
///
/// The life of a request is that of its state: see next_state(). Received is rejected at once, or
/// admitted and entered; next_call() begins it; call_ended() concludes it, or has it requeued,
/// paused or reconciled; tick() resumes it, and at its deadline has it withdrawn, or held if it is
/// an update. An event that cannot happen in a request's state is an illegal transition, which only
/// an error in the bridge causes: it is reported in the effects, the request is rejected, and all
/// others go on.
///
/// Promises kept here: every request gets exactly one reply inside its deadline, but for an update
/// that cannot be delivered by then, which is answered when its outcome is known; the requests of a
/// thing are carried out in arrival order, one at a time (a call whose device has been
/// answered still counts as the one call of its thing); things take turns; the number of waiting
/// requests is bounded, and beyond the bound the reply is RequestThrottled; no more calls are made
/// than the quotas and the endpoint's state allow; a request touches only its own thing's paths and
/// topics.
class Engine {
 public:
  Engine(EngineSettings settings, TopicGrammar topics);

  /// A message came from the broker. Retained messages, and those on topics that are not request
  /// topics, are ignored. If Effects::recorded holds an entry afterwards, the message is an update
  /// that is admitted but not entered yet: it is to be recorded, and recorded() or not_recorded()
  /// to be called before the next received(). Other events may happen meanwhile.
  void received(Now now, Message message, Effects& effects);
  /// The update is in the journal, and is entered.
  void recorded(Now now, Effects& effects);
  /// The update is rejected. `cause` is for the device and the operator.
  void not_recorded(Now now, const std::string& cause, Effects& effects);

  /// Takes over an update that was recorded before a restart. To be called in the order of the
  /// entries' numbers, before the first message. False if the update is no longer for this
  /// instance, since the topic base or the partition may have changed.
  bool restore(Now now, const JournalEntry& entry);
  /// Resumes watching a thing that was watched before a restart. To be called before the first
  /// message.
  void restore_watched(Now now, const WatchedThing& thing);
  /// Watches a thing whether or not its device asks.
  void always_watch(Now now, ThingName thing);

  /// The call to make now, if there is one: for a device's request, or a poll.
  std::optional<Call> next_call(Now now, Effects& effects);

  /// The call with that id ended. Returns what it tells about the endpoint, for observers. An
  /// answer takes precedence over a deadline that is due at the same time.
  Health call_ended(Now now, RequestId id, const HttpOutcome& outcome, Effects& effects);

  /// The broker has acknowledged the reply to that update, Publication::update, or never will. The
  /// update is settled by that.
  void reply_ended(std::uint64_t number, Effects& effects);

  /// Time passed: answers requests that have reached their deadline. To be called at next_tick() or
  /// soon after; calling it more often is harmless.
  void tick(Now now, Effects& effects);

  /// When tick() is due in the present state; has_call() should be checked after it. If nothing is
  /// due, the time at which an ordinary request received now would make it due, so that such a
  /// request need not wake a caller that sleeps until then.
  [[nodiscard]] MonotonicTime next_tick(MonotonicTime now) const;

  /// Whether next_call() would return a call. To be checked after each of the events above; if
  /// true, the caller must call next_call().
  [[nodiscard]] bool has_call(Now now) const;

  /// From now on every request is rejected at once, except updates that are recorded, and no call
  /// is begun for a held update. Other requests go on.
  void reject_new_requests();
  /// Rejects every request that has had no reply yet, except updates that were recorded: those are
  /// left to the journal. Returns how many updates were left.
  std::size_t reject_remaining(Now now, Effects& effects);

  /// From now on these members of `settings` apply: deadline, queue, queue_per_thing, max_payload,
  /// the quotas and the notifier's share of them, and notifier.repeat_replies. Requests already
  /// entered keep their deadline and their place.
  void change_limits(Now now, const EngineSettings& settings);

  struct Counts {
    std::size_t waiting = 0;    ///< requests that wait for a call and are not held
    std::size_t in_flight = 0;  ///< calls for requests, including those already answered
    std::size_t pausing = 0;    ///< requests that wait before their next try, held ones included
    std::size_t held = 0;       ///< updates past their deadline
    std::size_t updates = 0;    ///< updates entered and not answered
    std::size_t update_bytes = 0;
    std::size_t answered = 0;  ///< updates kept until the broker has acknowledged their reply
    bool endpoint_reachable = true;
  };
  [[nodiscard]] Counts counts() const;
  /// How long ago the oldest update that is held was received; nothing if there is none.
  [[nodiscard]] std::optional<Duration> oldest_held(MonotonicTime now) const;
  [[nodiscard]] const Quota& quota(QuotaKind kind) const { return scheduler_.quota(kind); }
  [[nodiscard]] const Permissions& permissions() const { return permissions_; }
  /// Whether nothing is left to do for a device that waits.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] Notifier::Counts notifier_counts() const { return notifier_.counts(); }

  /// How often each event happened in each state, over all requests: which of them a test or a
  /// simulation has reached.
  [[nodiscard]] const TransitionCounts& transitions() const { return requests_.transitions(); }

 private:
  friend class EngineTransitions;  // for tests, which cause illegal transitions
  using Iterator = RequestTable::Iterator;

  /// A request that is not rejected at once.
  struct Admitted {
    RequestId id;
    Request request;
    Asker asker;
    std::optional<Duration> expires_after;
  };

  /// Returns whether a redelivered update is already known: one that was answered gets the same
  /// reply again, one that still waits goes on waiting.
  bool answer_if_known(const Request& request, const ReplyAddress& address, Effects& effects);
  /// The pending request whose answer can serve this one as well, or the end.
  Iterator find_same(const Request& request, std::optional<Duration> expires_after,
                     MonotonicTime deadline);
  /// Has it share the answer of `same`, unless that is the end.
  void enter(Now now, Admitted admitted, Iterator same, Effects& effects);
  /// `same`: the request that would be joined, or the end.
  std::optional<Rejection> admission_rejection(const Request& request, std::size_t bytes,
                                               RequestTable::Requests::const_iterator same) const;

  /// Nothing if it cannot be begun, which is an illegal transition.
  std::optional<Call> start(Now now, RequestId id, bool fails_alone);
  [[nodiscard]] MonotonicTime call_deadline(const PendingRequest& pending, MonotonicTime now) const;
  /// What the engine knows of an update whose fate is asked for.
  [[nodiscard]] Reconciliation::Evidence evidence(Now now, const PendingRequest& pending,
                                                  const HttpOutcome& described) const;
  /// Updates whether a thing takes its turns among those that fail alone; to be called before each
  /// turn, since that can change through calls for other things.
  void update_fails_alone(Iterator it);
  void observe(Now now, RequestId id, std::string_view thing, Operation operation,
               const Outcome& outcome, Effects& effects);
  void try_again(Now now, Iterator it, Delivery::Again again, Effects& effects);
  void conclude(Now now, Iterator it, const Answer& answer, const std::string& endpoint_request_id,
                Effects& effects);
  void overdue(Now now, Iterator it, Effects& effects);
  [[nodiscard]] Rejection overdue_rejection(const PendingRequest& pending) const;
  [[nodiscard]] Rejection too_old(const PendingRequest& pending) const;

  /// Answers all askers. What was recorded is kept only until the broker has the reply.
  void reply(Now now, PendingRequest& pending, const Answer& answer,
             const std::string& endpoint_request_id, Effects& effects);
  void reply_to(Now now, const PendingRequest& pending, Asker asker, const Answer& answer,
                const std::string& endpoint_request_id, Effects& effects);
  /// Rejects the requests to which an event happened that is illegal in their state.
  void reject_illegal_transitions(Now now, Effects& effects);

  /// The minimum time that a call for a waiting device needs. With less, the call might be carried
  /// out although its device is told of a rejection.
  [[nodiscard]] Duration min_time_for_call() const;

  EngineSettings settings_;
  Intake intake_;
  RequestTable requests_;
  Scheduler scheduler_;
  Permissions permissions_;
  Notifier notifier_;
  RecentFailures failures_;
  AnsweredUpdates answered_;
  RecentReplies recent_;
  Random random_;
  std::optional<Admitted> recording_;  ///< see received()
  RequestId next_id_ = 1;
  bool rejecting_ = false;
};

}  // namespace jobs_bridge
