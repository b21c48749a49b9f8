#pragma once

#include "adapters/aws/credentials.h"
#include "bridge/flow/back_off.h"
#include "bridge/flow/random.h"
#include "bridge/time.h"

namespace jobs_bridge::aws {

/// When to fetch credentials again. Deterministic; not thread-safe.
///
/// Credentials that expire are renewed when a quarter of their lifetime is left, or 15 minutes if
/// that is less, and randomly up to half that time earlier, so that gateways that started together
/// do not renew together. Credentials that do not expire are checked every 10 s if they can change.
class RenewalSchedule {
 public:
  explicit RenewalSchedule(Random random) : random_(random) {}

  void succeeded(MonotonicTime now, const Credentials& credentials, bool can_change);
  /// Retries after a second, then at growing intervals of at most a minute.
  void failed(MonotonicTime now);
  /// MonotonicTime::max(): never.
  [[nodiscard]] MonotonicTime due() const { return due_; }

 private:
  Random random_;
  BackOff back_off_;
  MonotonicTime due_ = MonotonicTime::min();
};

}  // namespace jobs_bridge::aws
