#pragma once

#include <cstddef>
#include <string>

#include "adapters/admin/server_settings.h"
#include "adapters/config/configuration.h"
#include "adapters/mqtt/broker_settings.h"
#include "bridge/flow/engine.h"
#include "bridge/jobs/topic.h"
#include "bridge/result.h"

/// Derives the settings of the bridge's parts from a configuration.
namespace jobs_bridge {

TopicGrammar topics_of(const config::Configuration& configuration);

/// Without a seed.
EngineSettings engine_settings(const config::Configuration& configuration);

/// The largest packet that the broker may send us under these limits.
std::size_t max_packet_size(const config::Configuration::Limits& limits);

/// Reads the password. The error names the file and the cause.
Result<mqtt::BrokerSettings, std::string> broker_settings(
    const config::Configuration& configuration);

/// Settings for a standby's second connection, over which it sees whether the active instance
/// works: it subscribes to the `canary_topic` of `place`, the settings of the active instance.
mqtt::BrokerSettings watch_settings(const config::Configuration& configuration,
                                    const mqtt::BrokerSettings& place);

/// The listener must be configured. Reads the token. The error names the file and the cause.
Result<admin::ServerSettings, std::string> admin_settings(
    const config::Configuration::Admin& admin);

}  // namespace jobs_bridge
