#pragma once

#include <utility>

#include "adapters/admin/activity.h"
#include "adapters/admin/metrics.h"
#include "adapters/admin/status.h"
#include "bridge/flow/observer.h"
#include "bridge/jobs/topic.h"

namespace jobs_bridge::admin {

/// What the listener tells of, kept as it happens: counters for monitoring, and the last minutes
/// for a person. Any thread may call it.
class Telemetry final : public Observer {
 public:
  explicit Telemetry(TopicGrammar topics) : activity_(std::move(topics)) {}

  void received(Now now) override;
  void call_finished(Now now, Operation operation, const HttpOutcome& outcome, Health health,
                     Duration took) override;
  void decided(Now now, const Effects& effects) override;

  [[nodiscard]] const Metrics& metrics() const { return metrics_; }
  /// See Activity::describe().
  void describe(Status& status, Now now) const { activity_.describe(status, now); }

 private:
  Metrics metrics_;
  Activity activity_;
};

}  // namespace jobs_bridge::admin
