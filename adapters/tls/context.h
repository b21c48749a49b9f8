#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "bridge/result.h"

/// The TLS settings and checks shared by the connections to the broker and to the endpoint.
namespace jobs_bridge::tls {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

struct Settings {
  /// The name or literal address (without brackets) that the server's certificate must contain.
  std::string host;
  std::string ca_file;  ///< PEM; empty: the system's authorities
  std::string certificate_file;
  std::string private_key_file;
};

/// Why a context could not be created.
struct ContextFault {
  enum class Kind {
    library,
    file,       ///< `text` begins with the setting, without its section
    encrypted,  ///< the same: see encrypted_key_hint
  };
  Kind kind = Kind::library;
  std::string text;
};

/// TLS 1.2 or later, without verification. Null if there is no memory.
Context new_context();

/// The server must prove the name, among the subject alternative names of its certificate (a common
/// name does not count, nor a wildcard for a part of a label), to one of the authorities; our own
/// certificate is sent if there is one, and its key must not be encrypted.
Result<Context, ContextFault> client_context(const Settings& settings);

/// What client_context() requires of the server's name, for a connection with another context.
/// False if no certificate can be issued for that name.
bool require_name(X509_VERIFY_PARAM& expected, const std::string& host);

/// Whether one of the authorities loaded from a file is self-signed.
bool has_root(const SSL_CTX& context);

/// The file with the system's authorities, which SSL_CERT_FILE may override; it need not exist.
std::string system_authorities_file();

/// OpenSSL does not report that there are none, and then refuses every server as unknown.
bool system_has_authorities();

/// To be called before the handshake: sends the host name to the server (SNI, RFC 6066) unless it
/// is an address. False if there is no memory.
bool ask_for_name(SSL& ssl, const std::string& host);

}  // namespace jobs_bridge::tls
