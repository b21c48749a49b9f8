#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "adapters/https/tls_session_memory.h"
#include "bridge/ports.h"
#include "bridge/result.h"

namespace jobs_bridge::https {

struct TlsSettings {
  /// The name or literal address that the peer's certificate must be for.
  std::string host;
  std::string ca_file;  ///< empty: the system's authorities
  std::string certificate_file;
  std::string private_key_file;
};

/// The file with the system's authorities, which SSL_CERT_FILE may name; it need not be there.
std::string system_authorities_file();

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPointer = std::unique_ptr<SSL, SslDeleter>;

/// What TLS connections to one host have in common as long as its files stay the same (see
/// CurrentTlsContext): reading a bundle of authorities takes 40 ms and 1 MB, too much for each
/// connection. Any thread may call it.
class TlsContext {
 public:
  /// An error names the setting, the file and the cause. A system that has no authorities at all is
  /// no error, but `log` hears of it: no peer will be trusted.
  static Result<std::unique_ptr<TlsContext>, std::string> load(const TlsSettings& settings,
                                                               Log& log);

  /// A client side that verifies the peer and names the host to it (SNI, unless it is an address).
  /// Null when there is no memory.
  [[nodiscard]] SslPointer session() const;

  /// The sessions that connections of this context leave for later ones.
  [[nodiscard]] TlsSessionMemory& memory() const { return *memory_; }

 private:
  struct ContextDeleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using ContextPointer = std::unique_ptr<SSL_CTX, ContextDeleter>;

  TlsContext(std::unique_ptr<TlsSessionMemory> memory, ContextPointer context,
             std::string server_name)
      : memory_(std::move(memory)),
        context_(std::move(context)),
        server_name_(std::move(server_name)) {}

  std::unique_ptr<TlsSessionMemory> memory_;  ///< which the context points to
  ContextPointer context_;
  std::string server_name_;  ///< empty for a literal address
};

}  // namespace jobs_bridge::https
