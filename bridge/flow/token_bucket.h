#pragma once

#include "bridge/time.h"

namespace jobs_bridge {

/// Bounds how often something happens: never more than rate × seconds + burst in any span of time.
/// Not thread-safe.
class TokenBucket {
 public:
  /// `per_second` 0: no limit. `burst`, at least 1, is how many may come at once; the bucket starts
  /// full.
  explicit TokenBucket(double per_second, double burst = 1);

  /// Takes one token, if there is one.
  bool take(MonotonicTime now);
  /// When a token is available: `now` or later.
  [[nodiscard]] MonotonicTime ready_at(MonotonicTime now) const;
  /// Saved tokens are kept.
  void set_rate(MonotonicTime now, double per_second);
  /// Discards all saved tokens.
  void empty(MonotonicTime now);

 private:
  [[nodiscard]] double tokens_at(MonotonicTime now) const;

  double per_second_;
  double burst_;
  double tokens_;
  MonotonicTime counted_{};  ///< the time that `tokens_` is of
};

}  // namespace jobs_bridge
