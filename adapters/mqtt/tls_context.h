#pragma once

#include <optional>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/tls/context.h"
#include "bridge/result.h"

namespace jobs_bridge::mqtt {

/// What TLS with the broker takes, from the settings: see tls::client_context().
Result<tls::Context, BrokerFault> tls_context_of(const BrokerSettings& settings);

/// What is wrong with the files of the settings, if something is, for an MQTT library that loads
/// them by itself: it would ask at the terminal for the passphrase of an encrypted key, and trusts
/// an authority only together with the root that it goes back to.
std::optional<BrokerFault> check_files(const BrokerSettings& settings);

}  // namespace jobs_bridge::mqtt
