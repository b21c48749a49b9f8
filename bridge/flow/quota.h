#pragma once

#include <optional>

#include "bridge/flow/call.h"
#include "bridge/flow/pause.h"
#include "bridge/flow/per_second.h"
#include "bridge/flow/token_bucket.h"
#include "bridge/jobs/operation.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// How many calls of one kind may be made: never more than the configured rate, plus a small burst,
/// in any span of time, and fewer for as long as the endpoint throttles.
///
/// After a throttling answer the rate falls below what the endpoint has lately carried out, comes
/// back to that within ten seconds, stays about there, and then grows faster and faster until the
/// next throttling answer or the configured rate: the curve of CUBIC (RFC 9438), which finds an
/// unknown limit, uses nearly all of it, and adapts when the limit is lifted. It grows in
/// proportion to the rate before the endpoint began to throttle: after heavy throttling that let
/// nothing through, the reduced rate says nothing about the limit.
///
/// Only throttling of the account lowers or pauses a quota: a Retry-After that comes with anything
/// else concerns either the thing whose call it answered, whose next try then waits, or the
/// endpoint as a whole, which the Circuit handles. Not thread-safe; time must not go backwards.
class Quota {
 public:
  /// 0: no limit but the endpoint's.
  explicit Quota(double per_second);

  [[nodiscard]] bool allows(MonotonicTime now) const { return ready_at(now) <= now; }
  /// When a call is allowed: `now` or later.
  [[nodiscard]] MonotonicTime ready_at(MonotonicTime now) const;
  /// A call that was allowed is being made.
  void called(MonotonicTime now, RequestId call);

  /// The endpoint carried a call out. Returns the length of the pause that this ended, if any.
  std::optional<Duration> succeeded(MonotonicTime now, RequestId call);
  struct Throttling {
    bool slowed = false;  ///< the rate was lowered
    bool paused = false;  ///< a pause begins
  };
  /// The endpoint throttled a call, and may have asked for a pause of that length.
  Throttling throttled(MonotonicTime now, RequestId call, std::optional<Duration> retry_after);
  /// A call ended with an outcome that tells nothing about the quota.
  void failed(MonotonicTime now, RequestId call) { pause_.failed(now, call); }
  /// Time passed. Returns the length of a pause that is over now, if any.
  std::optional<Duration> tick(MonotonicTime now);

  /// Changes the configured limit; 0: no limit but the endpoint's. What was learned about the
  /// endpoint's limit is kept.
  void set_limit(MonotonicTime now, double per_second);

  /// Calls per second allowed now; 0: no limit.
  [[nodiscard]] double rate(MonotonicTime now) const;
  /// Whether that is less than configured.
  [[nodiscard]] bool is_slowed(MonotonicTime now) const;
  /// The latest time until which only trials are allowed; nothing if there is no pause.
  [[nodiscard]] std::optional<MonotonicTime> paused_until() const { return pause_.until(); }

 private:
  struct Slowed {
    double ceiling;  ///< calls per second that the endpoint is assumed to allow
    double before;   ///< what was allowed before it throttled; not less than the ceiling
    MonotonicTime since;
  };
  [[nodiscard]] double before_throttling(MonotonicTime now, double allowed, double ceiling) const;
  void adapt(MonotonicTime now);
  bool slow_down(MonotonicTime now);

  double per_second_;
  TokenBucket bucket_;
  std::optional<Slowed> slowed_;
  Pause pause_;
  PerSecond calls_;
  PerSecond successes_;
};

}  // namespace jobs_bridge
