#pragma once

#include <string>

#include "adapters/mqtt/broker_settings.h"

namespace jobs_bridge::mqtt {

/// What the operator can do when the broker does not let messages pass: the lines that the bridge's
/// user needs in the broker's ACL, as in mosquitto's `acl_file`, for this bridge's own topics and
/// MQTT version. Phrases that begin with a small letter and have no full stop.
struct AclHints {
  std::string canary;    ///< canary messages
  std::string requests;  ///< requests of devices, and those of the self-test
  std::string replies;   ///< replies to devices, and those of the self-test
};

AclHints acl_hints(const BrokerSettings& settings);

}  // namespace jobs_bridge::mqtt
