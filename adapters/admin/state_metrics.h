#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "adapters/admin/status.h"

namespace jobs_bridge::admin {

/// What a Status holds as metrics: gauges, and counters that others count. Internal to the adapter.
std::vector<prometheus::MetricFamily> state_metrics(const Status& status);

}  // namespace jobs_bridge::admin
