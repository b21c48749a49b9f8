#pragma once

#include <optional>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/tls/context.h"
#include "bridge/result.h"

namespace jobs_bridge::mqtt {

/// What TLS with the broker takes, from the settings: see tls::client_context().
Result<tls::Context, BrokerFault> tls_context_of(const BrokerSettings& settings);

/// What is wrong with the certificate and the private key of ours in the settings, if something is:
/// for an MQTT library that loads them by itself, and would ask at the terminal for the passphrase
/// of an encrypted key.
std::optional<BrokerFault> check_identity(const BrokerSettings& settings);

}  // namespace jobs_bridge::mqtt
