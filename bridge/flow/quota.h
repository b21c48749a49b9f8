#pragma once

#include <optional>

#include "bridge/flow/call.h"
#include "bridge/flow/pause.h"
#include "bridge/flow/per_second.h"
#include "bridge/flow/token_bucket.h"
#include "bridge/jobs/operation.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// How many calls of one kind may be made: never more than the configured rate, in any span of
/// time, plus a small burst, and fewer for as long as the endpoint throttles.
///
/// After a throttling answer the rate falls below what the endpoint has lately carried out, comes
/// back to that within ten seconds, stays about there, and then grows faster and faster until the
/// next throttling answer or the configured rate: the curve of CUBIC (RFC 9438), which uses nearly
/// all of a limit that it has to find out and forgets one that is gone. It grows in proportion to
/// the rate before the endpoint began to throttle: after a storm that let nothing through, what is
/// left says nothing about the limit.
///
/// Only throttling of the account lowers or pauses a quota: a Retry-After that comes with anything
/// else concerns the thing whose call it answered, whose own next try waits, or the endpoint as a
/// whole, which is the Circuit's matter. Not thread-safe; time must not go backwards.
class Quota {
 public:
  /// 0: no limit but the endpoint's.
  explicit Quota(double per_second);

  [[nodiscard]] bool allows(MonotonicTime now) const { return ready_at(now) <= now; }
  /// When a call is allowed: `now` or later.
  [[nodiscard]] MonotonicTime ready_at(MonotonicTime now) const;
  /// A call is made, which was allowed.
  void called(MonotonicTime now, RequestId call);

  /// The endpoint carried a call out. How long the pause was that ended by it, if one did.
  std::optional<Duration> succeeded(MonotonicTime now, RequestId call);
  struct Throttling {
    bool slowed = false;  ///< the rate was lowered
    bool paused = false;  ///< a pause begins
  };
  /// The endpoint refused a call for its quota, and may have asked to be left alone for so long.
  Throttling throttled(MonotonicTime now, RequestId call, std::optional<Duration> retry_after);
  /// A call ended that tells nothing of the quota.
  void failed(MonotonicTime now, RequestId call) { pause_.failed(now, call); }
  /// Time passed. How long the pause was that is over now, if one is.
  std::optional<Duration> tick(MonotonicTime now);

  /// Another limit counts from now on; 0: none but the endpoint's. What is known of that stays.
  void set_limit(MonotonicTime now, double per_second);

  /// Calls a second that are allowed now; 0: no limit.
  [[nodiscard]] double rate(MonotonicTime now) const;
  /// Whether that is less than configured.
  [[nodiscard]] bool is_slowed(MonotonicTime now) const;
  /// Until when there are no calls but trials, at the longest; nothing: there is no pause.
  [[nodiscard]] std::optional<MonotonicTime> paused_until() const { return pause_.until(); }

 private:
  struct Slowed {
    double ceiling;  ///< calls a second that the endpoint is thought to allow
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
