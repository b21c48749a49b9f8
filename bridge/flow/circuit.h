#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "bridge/flow/back_off.h"
#include "bridge/flow/call.h"
#include "bridge/flow/partition.h"
#include "bridge/flow/random.h"
#include "bridge/flow/thing_health.h"
#include "bridge/jobs/outcome.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Keeps calls from an endpoint that is down.
///
///     closed ── failures tell of the endpoint, no success for a second ──> open
///       ^                                                                  │  ^
///       │ enough successes                           a call is let through │  │ it fails: longer
///       │                                                                  v  │ pause
///       └──────────────── recovering <── it succeeds ──────────────── probing
///
/// A failure is an outcome that tells of the endpoint and not of the request: Health::failing. It
/// may still concern a single thing whose calls the endpoint always fails or leaves unanswered. So
/// failures open the circuit only if there are several in a row and
/// - the failures do not depend on the thing (Outcome::fails_for_all, such as an endpoint that
///   cannot be reached); or
/// - enough things fail that did not fail before: see ThingHealth for how many that takes. Things
///   that failed before do not count.
/// A failing thing waits before its next try, for growing pauses: see pause_of().
///
/// While open, one call at a time is let through, after a pause. If it fails for a thing that was
/// already failing, that says nothing about the others: a call for a thing that is not failing may
/// be made at once, even while the first call is under way. So a circuit that was opened because of
/// a few things, while no others were active, does not delay the others.
///
/// While recovering, for a minute at the most, the calls in flight are limited, by one more after
/// each success, so that an endpoint that recovers is not hit by the whole backlog at once. A call
/// counts towards that limit for a second at most: one that hangs may be for a thing whose calls
/// always hang. In addition there is one call per second for the things that fail alone.
///
/// A 503 with a Retry-After does not open the circuit by itself: it may concern only the thing
/// whose call it answered. If it concerns the whole endpoint, other things' calls fail as well; the
/// Retry-After that they carry then spaces the probes, up to the longest pause. Not thread-safe;
/// time must not go backwards.
class Circuit {
 public:
  /// The longest time between two probes: it bounds how late the end of an outage is noticed.
  static constexpr Duration max_pause = std::chrono::seconds(5);

  /// When a call may be made for a thing that is_suspected(), or for one that is not: a time in the
  /// past if at once, MonotonicTime::max() if not before another call ends. A call that is allowed
  /// for a suspected thing is allowed for any other too.
  [[nodiscard]] MonotonicTime ready_at(MonotonicTime now, bool suspected) const;
  /// Whether the last call of that thing failed.
  [[nodiscard]] bool is_suspected(std::string_view thing) const {
    return health_of(thing) != nullptr;
  }
  /// Whether that thing's calls fail while others' succeed.
  [[nodiscard]] bool fails_alone(std::string_view thing) const {
    return !things_.none_fails() && things_.fails_alone(name_hash(thing));
  }
  /// How long a thing waits after its failed call before the next; zero if the last one succeeded.
  [[nodiscard]] Duration pause_of(std::string_view thing) const {
    const auto* failing = health_of(thing);
    return failing == nullptr ? Duration::zero() : failing->pause;
  }
  /// Why the calls of a thing that fails alone fail, for its device; null for any other thing.
  [[nodiscard]] const std::string* cause_of(std::string_view thing) const {
    return fails_alone(thing) ? &health_of(thing)->cause : nullptr;
  }
  /// As ready_at(), for a thing that fails alone; at most so many calls for such things may be in
  /// flight.
  [[nodiscard]] MonotonicTime failing_alone_ready_at(MonotonicTime now, std::size_t most) const;

  /// A call that was allowed is being made. `fails_alone`: for a thing that fails alone.
  void called(MonotonicTime now, RequestId call, std::string_view thing, bool fails_alone);
  /// A call ended. The failure of a call that was begun before the outage tells nothing new.
  void ended(MonotonicTime now, RequestId call, std::string_view thing, const Outcome& outcome,
             Random& random);

  [[nodiscard]] bool is_open() const { return open_; }
  /// Of the last failure, for devices; empty while closed.
  [[nodiscard]] const std::string& cause() const { return cause_; }
  /// Since when no call has succeeded, while open.
  [[nodiscard]] MonotonicTime since() const { return since_; }

 private:
  [[nodiscard]] const ThingHealth::Failing* health_of(std::string_view thing) const {
    return things_.none_fails() ? nullptr : things_.find(name_hash(thing));
  }
  [[nodiscard]] bool is_recovering(MonotonicTime now) const {
    return window_ > 0 && now < recovered_at_;
  }
  void succeeded(MonotonicTime now, std::uint64_t thing);
  void failed(MonotonicTime now, bool probe, std::uint64_t thing, const Outcome& outcome,
              Random& random);

  bool open_ = false;
  std::optional<RequestId> probe_;              ///< under way, while open: for a suspected thing
  std::optional<RequestId> unsuspected_probe_;  ///< for a thing that is not suspected
  MonotonicTime next_probe_{};
  MonotonicTime next_unsuspected_probe_{};
  BackOff back_off_;
  std::size_t window_ = 0;  ///< while recovering: most calls in flight; 0: any number
  MonotonicTime recovered_at_{};
  using Begun = std::deque<std::pair<MonotonicTime, RequestId>>;
  Begun begun_;                ///< while recovering: in flight
  Begun begun_failing_alone_;  ///< in flight, of things that fail alone
  ThingHealth things_;
  int failures_ = 0;          ///< in a row
  int failures_for_all_ = 0;  ///< of those, the ones that concern no thing
  MonotonicTime last_success_{};
  MonotonicTime since_{};
  std::string cause_;
};

}  // namespace jobs_bridge
