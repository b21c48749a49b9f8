#pragma once

#include <optional>

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
/// left says nothing about the limit. Not thread-safe; time must not go backwards.
class Quota {
 public:
  /// 0: no limit but the endpoint's.
  explicit Quota(double per_second);

  [[nodiscard]] bool allows(MonotonicTime now) const { return ready_at(now) <= now; }
  /// When a call is allowed: `now` or later.
  [[nodiscard]] MonotonicTime ready_at(MonotonicTime now) const;
  /// A call is made, which was allowed.
  void called(MonotonicTime now);

  /// The endpoint carried a call out.
  void succeeded(MonotonicTime now);
  /// The endpoint refused a call for its quota. Whether the rate was lowered for that.
  bool throttled(MonotonicTime now);
  /// The endpoint asked to be left alone for so long.
  void pause(MonotonicTime now, Duration duration);

  /// Another limit counts from now on; 0: none but the endpoint's. What is known of that stays.
  void set_limit(MonotonicTime now, double per_second);

  /// Calls a second that are allowed now; 0: no limit.
  [[nodiscard]] double rate(MonotonicTime now) const;
  /// Whether that is less than configured.
  [[nodiscard]] bool is_slowed(MonotonicTime now) const;

 private:
  struct Slowed {
    double ceiling;  ///< calls a second that the endpoint is thought to allow
    double before;   ///< what was allowed before it throttled; not less than the ceiling
    MonotonicTime since;
  };
  [[nodiscard]] double before_throttling(MonotonicTime now, double allowed, double ceiling) const;
  void adapt(MonotonicTime now);

  double per_second_;
  TokenBucket bucket_;
  std::optional<Slowed> slowed_;
  MonotonicTime paused_until_{};
  PerSecond calls_;
  PerSecond successes_;
};

}  // namespace jobs_bridge
