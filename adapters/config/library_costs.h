#pragma once

#include <string>

#include "adapters/config/configuration.h"

namespace jobs_bridge::config {

/// A line that says what either MQTT library takes of the processor at the load that the limits
/// allow, as measured (tests/bench/README.md); empty where this build has one alone.
std::string compare_libraries(const Configuration& configuration);

}  // namespace jobs_bridge::config
