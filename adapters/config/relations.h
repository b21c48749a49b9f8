#pragma once

#include "adapters/config/review.h"

namespace jobs_bridge::config {

/// Reports faults and warnings about values that are valid each but not in combination.
void check_relations(Review& review);

}  // namespace jobs_bridge::config
