#pragma once

#include "adapters/config/review.h"

namespace jobs_bridge::config {

/// Parses every value by its key's type into `review.configuration`; invalid values become faults.
void read_values(Review& review);

/// Faults for the files that values name and that cannot be read; warnings for secrets that others
/// can read.
void check_files(Review& review);

}  // namespace jobs_bridge::config
