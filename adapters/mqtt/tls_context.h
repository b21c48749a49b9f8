#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "bridge/result.h"

namespace jobs_bridge::mqtt {

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

/// What TLS with the broker takes, from the settings: TLS 1.2 or later, the broker's certificate
/// verified, its name that of settings.host, ours to show if there is one.
Result<TlsContext, BrokerFault> tls_context_of(const BrokerSettings& settings);

/// What is wrong with the certificate and the private key of ours in the settings, if something is:
/// for an MQTT library that loads them by itself, and would ask at the terminal for the passphrase
/// of an encrypted key.
std::optional<BrokerFault> check_identity(const BrokerSettings& settings);

/// Before the handshake: tells the broker the name that it is asked for (SNI, RFC 6066), or none
/// where settings.host is an address.
void ask_for_name(SSL& ssl, const BrokerSettings& settings);

}  // namespace jobs_bridge::mqtt
