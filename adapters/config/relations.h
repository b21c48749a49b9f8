#pragma once

#include "adapters/config/review.h"

namespace jobs_bridge::config {

/// Faults and warnings about values that are right by themselves but not together.
void check_relations(Review& review);

}  // namespace jobs_bridge::config
