#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "bridge/flow/back_off.h"
#include "bridge/flow/call.h"
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
/// may yet concern one thing alone, whose calls the endpoint always fails or leaves unanswered. So
/// failures open the circuit only if there are several in a row and
/// - the failures themselves concern no thing (Outcome::fails_for_all: nobody is reached); or
/// - each of the things heard of lately has failed: see ThingHealth, which says how many that are
///   where there are few things in all.
/// Until then a thing that fails waits by itself, before its own next try.
///
/// While open, one call at a time is let through, after a pause. If it fails for a thing that was
/// known to fail, that tells nothing of the others: a thing that is not may be called at once, even
/// while the former's call is under way. So a circuit that was opened for a few things' sake, where
/// nobody else was heard of, costs the others nothing.
///
/// While recovering, the calls in flight are limited, by one more after each success, so that an
/// endpoint that comes back is not met by all that has waited for it. Of those, a call counts for a
/// second at the most: one that hangs may be a thing's that always does.
///
/// A 503 with a Retry-After is no reason by itself to leave the endpoint alone: it may be of the
/// one thing whose call it answered. If it is the endpoint that means it, other things' calls fail
/// as well; what they ask for then spaces the probes, up to the longest pause. Not thread-safe;
/// time must not go backwards.
class Circuit {
 public:
  /// Of a probe after the one before: it bounds how late the end of an outage is noticed.
  static constexpr Duration longest_pause = std::chrono::seconds(5);

  /// When a call may be made for a thing that is_suspected(), or for one that is not: the past if
  /// at once, MonotonicTime::max() if not before the end of a call. What the former may, the latter
  /// may too.
  [[nodiscard]] MonotonicTime ready_at(MonotonicTime now, bool suspected) const;
  /// Whether the last call of that thing failed. `thing`, here and below: name_hash() of its name.
  [[nodiscard]] bool is_suspected(std::uint64_t thing) const { return things_.is_failing(thing); }

  /// A call is made, which was allowed.
  void called(MonotonicTime now, RequestId call, std::uint64_t thing);
  /// It ended. A failure of a call from before the outage tells nothing new.
  void ended(MonotonicTime now, RequestId call, std::uint64_t thing, const Outcome& outcome,
             Random& random);

  [[nodiscard]] bool is_open() const { return open_; }
  /// Of the last failure, for devices; empty while closed.
  [[nodiscard]] const std::string& cause() const { return cause_; }
  /// Since when no call has succeeded, while open.
  [[nodiscard]] MonotonicTime since() const { return since_; }

 private:
  void succeeded(MonotonicTime now, std::uint64_t thing);
  void failed(MonotonicTime now, bool probe, std::uint64_t thing, const Outcome& outcome,
              Random& random);

  bool open_ = false;
  std::optional<RequestId> probe_;        ///< under way, while open: of a suspected thing
  std::optional<RequestId> fresh_probe_;  ///< of another
  MonotonicTime next_probe_{};
  MonotonicTime next_fresh_probe_{};
  BackOff back_off_;
  std::size_t window_ = 0;  ///< while recovering: most calls in flight; 0: any number
  std::deque<std::pair<MonotonicTime, RequestId>> begun_;  ///< while recovering: in flight
  ThingHealth things_;
  int failures_ = 0;          ///< in a row
  int failures_for_all_ = 0;  ///< of those, the ones that concern no thing
  MonotonicTime last_success_{};
  MonotonicTime since_{};
  std::string cause_;
};

}  // namespace jobs_bridge
