#pragma once

#include <optional>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/tls/context.h"
#include "bridge/result.h"

namespace jobs_bridge::mqtt {

/// The TLS context for the broker, from the settings: see tls::client_context().
Result<tls::Context, BrokerFault> tls_context_of(const BrokerSettings& settings);

/// Checks the files of the settings, for an MQTT library that loads them by itself: such a library
/// would prompt at the terminal for the passphrase of an encrypted key, and trusts an authority
/// only together with its root.
std::optional<BrokerFault> check_files(const BrokerSettings& settings);

}  // namespace jobs_bridge::mqtt
