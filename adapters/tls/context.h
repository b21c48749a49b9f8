#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "bridge/result.h"

/// What both sides, the broker's and the endpoint's, take for a connection that can be trusted.
namespace jobs_bridge::tls {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

struct Settings {
  /// The name or literal address (without brackets) that the server's certificate must be for.
  std::string host;
  std::string ca_file;  ///< PEM; empty: the system's authorities
  std::string certificate_file;
  std::string private_key_file;
};

/// Why there is no context.
struct ContextFault {
  enum class Kind {
    library,
    file,       ///< `text` begins with the setting, without its section
    encrypted,  ///< the same: see encrypted_key_hint
  };
  Kind kind = Kind::library;
  std::string text;
};

/// TLS 1.2 or later, and nothing verified yet. Null when there is no memory.
Context new_context();

/// The server must prove the name, among the subject alternative names of its certificate (a common
/// name does not count, nor a wildcard for a part of a label), to one of the authorities; ours is
/// shown if there is one, and its key must not be encrypted.
Result<Context, ContextFault> client_context(const Settings& settings);

/// Whether one of the authorities that were loaded from a file has signed itself.
bool has_root(const SSL_CTX& context);

/// The file with the system's authorities, which SSL_CERT_FILE may name; it need not be there.
std::string system_authorities_file();

/// OpenSSL takes no notice when there are none, and then every server is refused as unknown.
bool system_has_authorities();

/// Whether `host` is an IPv4 or IPv6 address (without brackets): it needs no lookup, and stands in
/// certificates as what it is.
bool is_address(const std::string& host);

/// Before the handshake: tells the server the name that it is asked for (SNI, RFC 6066), or none
/// where it is an address. False when there is no memory.
bool ask_for_name(SSL& ssl, const std::string& host);

}  // namespace jobs_bridge::tls
