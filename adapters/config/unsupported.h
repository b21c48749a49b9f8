#pragma once

#include "adapters/config/review.h"

namespace jobs_bridge::config {

/// Faults for features that are part of the configuration but not of this version, and warnings for
/// limits that it does not keep. The one place that knows them: a version that brings a feature
/// removes its lines here.
void check_unsupported(Review& review);

}  // namespace jobs_bridge::config
