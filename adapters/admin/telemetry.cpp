#include "adapters/admin/telemetry.h"

namespace jobs_bridge::admin {

void Telemetry::received(Now now) {
  activity_.received(now);
}

void Telemetry::call_finished(Now now, Operation operation, const HttpOutcome& outcome,
                              Health health, Duration took) {
  metrics_.call_finished(operation, outcome, took);
  activity_.call_finished(operation, outcome, health, took, now);
}

void Telemetry::decided(Now now, const Effects& effects) {
  for (const auto& finished : effects.finished) {
    metrics_.request_finished(finished);
    activity_.request_finished(finished, now);
  }
  for (const auto& change : effects.endpoint_changes) {
    metrics_.endpoint_changed(change);
    activity_.endpoint_changed(change, now);
  }
  for (const auto& slowed : effects.slowed_down) {
    metrics_.slowed_down(slowed);
    activity_.slowed_down(slowed, now);
  }
  for (const auto& paused : effects.paused) {
    metrics_.paused(paused);
    activity_.paused(paused, now);
  }
  for (const auto& notified : effects.notified) metrics_.notified(notified);
  for (std::size_t i = 0; i < effects.illegal_transitions.size(); ++i) metrics_.internal_fault();
}

}  // namespace jobs_bridge::admin
