#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "bridge/flow/call.h"
#include "bridge/flow/effects.h"
#include "bridge/flow/notified_state.h"
#include "bridge/flow/thing_health.h"
#include "bridge/flow/token_bucket.h"
#include "bridge/jobs/answer.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/notification.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/request.h"
#include "bridge/jobs/thing_list.h"
#include "bridge/jobs/topic.h"
#include "bridge/ports/watch_store.h"
#include "bridge/time.h"

namespace jobs_bridge {

struct NotifierSettings {
  bool enabled = false;
  /// Time between two polls of a thing whose device sent a request within the last hour. After that
  /// hour it grows in proportion to the time since the last request, up to idle_interval. Both
  /// become longer where the quota requires it.
  Duration interval = std::chrono::seconds(60);
  Duration idle_interval = std::chrono::minutes(15);
  /// Maximum calls per second; 0: as many as the interval needs.
  double calls_per_second = 0;
  /// Maximum concurrent calls, so that a slow endpoint leaves connections for devices' requests.
  /// Half of them are reserved for things whose polls have not failed, since a failing poll may
  /// hang.
  std::size_t calls_in_flight = 8;
  /// How long after its last request a thing is watched.
  Duration watch_for = std::chrono::hours(24 * 30);
  std::size_t max_things = 100000;
  /// Of one call, from its start.
  Duration call_deadline = std::chrono::seconds(8);
  /// Things for which the execution that start-next or `$next/get` finds is published on
  /// notify-next as well, whether or not polling is enabled.
  ThingList repeat_replies = {};
};

/// Announces to devices what changes in their queues of jobs, as AWS IoT does: `notify` when an
/// execution becomes pending or ceases to be, `notify-next` when another one is at the head. The
/// HTTP API offers neither, so the endpoint is polled: each watched thing in turn, and a thing at
/// once when its device ended an execution through the bridge.
///
/// The watched things are those for which a request was accepted lately, and those passed to
/// always_watch(). A device is told of differences to what it was last told or learned from a
/// reply; a poll that shows nothing new publishes nothing.
///
/// For the things in repeat_replies an execution that was found by start-next or `$next/get` is
/// announced on notify-next right after the reply: some device code handles both alike and relies
/// on AWS sending a reply to the requesting connection even if it has not subscribed, which a
/// broker does not do.
///
/// Polls are spread evenly over the interval, those due within the same second are made together,
/// and the total stays within the rate. A thing whose polls fail is polled after growing pauses, up
/// to its interval; so are all things while all polls fail: see ThingHealth. Such things share half
/// of the calls in flight, so that polls that hang do not delay those of other things.
/// Deterministic, not thread-safe; time must not go backwards.
class Notifier {
 public:
  Notifier(NotifierSettings settings, const TopicGrammar& topics);

  /// Watches a thing permanently, at the interval, whether or not its device sends requests.
  void always_watch(Now now, ThingName thing);
  /// Restores a thing that was kept over a restart. To be called before the first accepted().
  void restore_watched(Now now, const WatchedThing& thing);

  /// A device's request was accepted, and its replies are among `effects`.
  void accepted(Now now, const Request& request, const Accepted& answer, Effects& effects);
  /// An update was rejected although its device may no longer receive the reply: what is pending is
  /// probably not what the device believes.
  void rejected_late(Now now, const Request& request);

  /// The call to make now, if there is one; it gets the given id. `retries`: a thing whose last
  /// poll failed may be polled as well.
  std::optional<Call> next_call(Now now, RequestId id, bool retries, Effects& effects);
  /// Whether the call with that id came from here and has not been answered.
  [[nodiscard]] bool owns(RequestId id) const { return polls_.contains(id); }
  /// What such a call is for.
  [[nodiscard]] const ThingName& thing_of(RequestId id) const {
    return polls_.at(id).watched->thing;
  }
  [[nodiscard]] Operation operation_of(RequestId id) const {
    return polls_.at(id).pending ? Operation::describe : Operation::get_pending;
  }
  /// Whether that thing's previous poll failed.
  [[nodiscard]] bool is_retry(RequestId id) const { return polls_.at(id).watched->failures > 0; }
  /// What the outcome of such a call means.
  [[nodiscard]] Outcome read(RequestId id, const HttpOutcome& outcome) const;
  void call_ended(Now now, RequestId id, const Outcome& outcome, Effects& effects);

  /// When next_call() has a call to make: `now` or later.
  [[nodiscard]] MonotonicTime next_due(MonotonicTime now, bool retries) const;

  /// No further polls.
  void stop() { stopped_ = true; }

  /// Changes the quota and the deadline of a call: see NotifierSettings.
  void set_limits(MonotonicTime now, double calls_per_second, Duration call_deadline);
  void set_repeat_replies(ThingList things) { settings_.repeat_replies = std::move(things); }

  struct Counts {
    std::size_t watched = 0;
    std::uint64_t not_watched = 0;  ///< things not watched because there are too many
    std::uint64_t calls = 0;
    std::uint64_t failed_calls = 0;
    std::uint64_t notifications = 0;  ///< notify and notify-next together
    Duration interval{};  ///< the current time between two polls of a recently active thing
  };
  [[nodiscard]] Counts counts() const;

 private:
  /// Maximum calls per second. If no limit is set: what the interval needs, and a little more.
  [[nodiscard]] double call_rate() const;

  struct Watched {
    ThingName thing;
    std::uint64_t number;  ///< in the order of becoming watched
    bool always = false;
    MonotonicTime asked;
    std::int64_t asked_unix = 0;
    std::int64_t kept_asked = 0;  ///< as last passed to the store
    NotifiedState told;
    MonotonicTime due;
    std::uint32_t pace = 0;  ///< see pace_for()
    bool polling = false;
    int failures = 0;  ///< polls that failed in a row
    /// Incremented when the device's own update changes the queue: the result of a poll that began
    /// earlier is outdated.
    std::uint64_t generation = 0;
    /// The earliest time at which something may have changed since the last poll.
    std::optional<MonotonicTime> unseen_since;
    /// Polls left for a change that is expected, in case the endpoint is slow to show it.
    int rechecks_left = 0;
  };
  struct Due {
    MonotonicTime at;
    std::uint64_t number;
    Watched* watched;
    friend std::strong_ordering operator<=>(const Due& left, const Due& right) {
      if (const auto order = left.at <=> right.at; order != 0) return order;
      return left.number <=> right.number;
    }
    friend bool operator==(const Due& left, const Due& right) { return (left <=> right) == 0; }
  };
  /// A poll under way: first for the pending executions, then, if needed, for the head.
  struct Poll {
    Watched* watched;
    std::uint64_t generation;
    MonotonicTime began;
    std::optional<PendingExecutions> pending;  ///< set once the list has arrived
  };

  /// Publishes on notify-next what the request found, if the thing is configured for that. Returns
  /// what was published.
  std::optional<NextExecution> repeat(Now now, const Request& request, const Accepted& answer,
                                      Effects& effects);
  Watched* watch(Now now, const ThingName& thing);
  [[nodiscard]] std::set<Due>& due_of(const Watched& watched) {
    return watched.failures > 0 ? retries_ : due_;
  }
  /// Whether another thing whose last poll failed may be polled now.
  [[nodiscard]] bool may_retry() const;
  /// The next one that may be polled; null if there is none.
  [[nodiscard]] const Due* first_due(bool retries) const;
  void schedule(Watched& watched, MonotonicTime at);
  void schedule_next(MonotonicTime now, Watched& watched);
  void unschedule(const Watched& watched);
  void poll_soon(Now now, Watched& watched);
  void forget_stale(Now now, bool retries, Effects& effects);
  void keep(Watched& watched, Effects& effects) const;
  void publish(Now now, const Poll& poll, NotifiedState::News news, const NextExecution& next,
               Effects& effects);
  void finish(Now now, Poll poll, NotifiedState before, Effects& effects);
  /// `for_all`: it would have failed for any thing.
  void failed(Now now, Poll poll, const Rejection& rejection, bool for_all);
  /// How often a thing wants to be polled, in billionths of a poll a second: sums are exact.
  [[nodiscard]] static std::uint32_t pace_for(Duration interval);
  void set_pace(MonotonicTime now, Watched& watched, std::uint32_t pace);
  /// The time between two polls of a thing if there were no quota.
  [[nodiscard]] Duration wanted_interval(MonotonicTime now, const Watched& watched) const;
  /// Lengthens an interval so that all things together keep to the quota.
  [[nodiscard]] Duration stretched(Duration interval) const;
  [[nodiscard]] Duration interval() const { return stretched(settings_.interval); }
  [[nodiscard]] MonotonicTime first_due(MonotonicTime now, const ThingName& thing) const;
  /// Rounds down to a moment at which all polls that are due about then are made: one wake-up
  /// serves them.
  [[nodiscard]] MonotonicTime aligned(MonotonicTime at) const;

  NotifierSettings settings_;
  TopicGrammar topics_;
  std::unordered_map<std::string, Watched> things_;
  // All things that are not being polled:
  std::set<Due> due_;
  std::set<Due> retries_;  ///< whose last poll failed
  std::unordered_map<RequestId, Poll> polls_;
  std::deque<Poll>
      awaiting_head_;  ///< polls whose list has arrived and whose head is not asked for yet
  std::uint64_t total_pace_ = 0;  ///< the paces of all together
  TokenBucket bucket_;
  std::uint64_t next_number_ = 1;
  bool stopped_ = false;
  ThingHealth health_;  ///< from the outcomes of polls
  int failures_ = 0;    ///< consecutive failures that concern the endpoint
  MonotonicTime paused_until_{};
  Counts counts_;
};

}  // namespace jobs_bridge
