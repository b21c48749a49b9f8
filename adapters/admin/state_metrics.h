#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "adapters/admin/status.h"

namespace jobs_bridge::admin {

/// The contents of a Status as metrics: gauges, and counters kept elsewhere. Internal to the
/// adapter.
std::vector<prometheus::MetricFamily> state_metrics(const Status& status);

}  // namespace jobs_bridge::admin
