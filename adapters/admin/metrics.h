#pragma once

#include <memory>
#include <string>

#include "adapters/admin/status.h"
#include "bridge/flow/effects.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/operation.h"
#include "bridge/time.h"

namespace jobs_bridge::admin {

/// The counters and histograms that a monitoring system scrapes, in Prometheus' text format
/// (version 0.0.4). What is a state rather than an event is taken from the Status at each scrape.
/// Any thread may call it. An event costs a few atomic additions and, for a duration, a short lock.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// jobs_bridge_requests_total, jobs_bridge_request_duration_seconds (held updates apart, whose
  /// time is the endpoint's outage: jobs_bridge_held_update_duration_seconds), and
  /// jobs_bridge_requests_refused_total, jobs_bridge_updates_lost_total,
  /// jobs_bridge_updates_rejected_late_total.
  void request_finished(const Finished& finished);
  /// jobs_bridge_endpoint_calls_total, whose `status` is the HTTP status or, where there was none,
  /// the kind of failure; jobs_bridge_endpoint_duration_seconds.
  void call_finished(Operation operation, const HttpOutcome& outcome, Duration took);
  /// jobs_bridge_notifications_total, jobs_bridge_notification_delay_seconds.
  void notified(const Notified& notified);
  /// jobs_bridge_endpoint_outages_total.
  void endpoint_changed(const EndpointChange& change);
  /// jobs_bridge_slowdowns_total.
  void slowed_down(const SlowedDown& slowed);
  /// See Effects::illegal_transitions.
  void internal_fault();
  void paused(const Paused& paused);

  /// Everything, as a scraper reads it.
  [[nodiscard]] std::string text(const Status& status) const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace jobs_bridge::admin
