#pragma once

#include <string>

#include "adapters/config/configuration.h"

namespace jobs_bridge::config {

/// What a configuration connects to and how, for the log at start: `mqtts://host:8883 as
/// jobs-bridge (MQTT 5), topics ...`. Contains no secret, nor the name of a file with one.
struct Description {
  std::string broker;  ///< and the topics
  std::string endpoint;
  std::string journal;
  std::string notifications;
};
Description describe(const Configuration& configuration);

}  // namespace jobs_bridge::config
