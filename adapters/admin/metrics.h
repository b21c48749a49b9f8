#pragma once

#include <memory>
#include <string>

#include "adapters/admin/status.h"
#include "bridge/flow/effects.h"
#include "bridge/flow/observer.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/operation.h"
#include "bridge/time.h"

namespace jobs_bridge::admin {

/// The counters and histograms that a monitoring system scrapes, in Prometheus' text format
/// (version 0.0.4). States, in contrast to events, are taken from the Status at each scrape. Any
/// thread may call it. An event costs a few atomic additions and, for a duration, a short lock.
class Metrics final : public Observer {
 public:
  Metrics();
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void call_finished(Now now, Operation operation, const HttpOutcome& outcome, Health health,
                     Duration took) override;
  void decided(Now now, const Effects& effects) override;

  /// All metrics in the text format.
  [[nodiscard]] std::string text(const Status& status) const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace jobs_bridge::admin
