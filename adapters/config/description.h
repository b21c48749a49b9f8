#pragma once

#include <string>

#include "adapters/config/configuration.h"

namespace jobs_bridge::config {

/// What this configuration connects to and how, in one line for the log at start: `broker
/// mqtts://host:8883 as jobs-bridge (MQTT 5), endpoint https://host:443, ...`. Contains no secret,
/// nor the name of a file with one.
std::string describe(const Configuration& configuration);

}  // namespace jobs_bridge::config
