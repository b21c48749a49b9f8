#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "adapters/mqtt/broker_connection.h"

namespace jobs_bridge::mqtt {

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

/// What TLS with the broker takes, from the settings: TLS 1.2 or later, the broker's certificate
/// verified, its name that of settings.host, ours to show if there is one. Null: `fault` says why,
/// naming the file.
TlsContext tls_context_of(const BrokerSettings& settings, std::string& fault);

/// Before the handshake: tells the broker the name that it is asked for (SNI, RFC 6066), or none
/// where settings.host is an address.
void ask_for_name(SSL& ssl, const BrokerSettings& settings);

/// The first thing that went wrong in OpenSSL on this thread: what follows it in OpenSSL's queue
/// are consequences. `otherwise`: where the queue is empty.
std::string first_tls_error(const char* otherwise);

}  // namespace jobs_bridge::mqtt
