#pragma once

#include <string>

#include "adapters/config/configuration.h"

namespace jobs_bridge::config {

/// A line with the measured CPU cost of each MQTT library at the load that the limits allow
/// (tests/bench/README.md); empty if this build has only one library.
std::string compare_libraries(const Configuration& configuration);

}  // namespace jobs_bridge::config
