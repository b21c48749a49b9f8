#pragma once

#include "adapters/aws/credentials.h"
#include "bridge/flow/back_off.h"
#include "bridge/flow/random.h"
#include "bridge/time.h"

namespace jobs_bridge::aws {

/// When to look for credentials again. Deterministic; not thread-safe.
///
/// Credentials that end are renewed when a quarter of their life is left, or 15 minutes if that is
/// less, and up to half as much again before, so that gateways which started together do not ask
/// together. Credentials that do not end are looked at every 10 s if they can change.
class RenewalSchedule {
 public:
  explicit RenewalSchedule(Random random) : random_(random) {}

  void succeeded(MonotonicTime now, const Credentials& credentials, bool can_change);
  /// Tries again after a second, then less and less often, once a minute at the least often.
  void failed(MonotonicTime now);
  /// MonotonicTime::max(): never.
  [[nodiscard]] MonotonicTime due() const { return due_; }

 private:
  Random random_;
  BackOff back_off_;
  MonotonicTime due_ = MonotonicTime::min();
};

}  // namespace jobs_bridge::aws
