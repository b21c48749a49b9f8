#pragma once

#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/tls/context.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::https {

/// The peer's latest TLS session, serialised (connections on several threads should not share one
/// of OpenSSL's session objects), so that the next connection can resume it: this takes half the
/// round trips and a fraction of the CPU time of a full handshake, which matters when hundreds of
/// connections come back after an outage. Any thread may call it.
///
/// A resumed connection does not verify the certificate again, it relies on the verification by the
/// connection that began the session. So a session is used for an hour at most, and only by
/// connections of the same context (same host, same authorities).
class TlsSessionMemory {
 public:
  /// Makes connections of `context` store their sessions here. It must outlive the context.
  void attach(SSL_CTX* context);

  /// Lets `ssl` try to resume the session, which the peer may decline. False if there is none.
  bool offer_to(SSL* ssl);

  /// The handshake of a connection that was offered a session has failed. Some peers refuse the
  /// connection instead of declining the session, so from now on none is offered.
  void give_up();

 private:
  static int on_new_session(SSL* ssl, SSL_SESSION* session);
  void remember(const SSL_SESSION* session, bool verified_anew);

  std::mutex mutex_;
  std::vector<unsigned char> latest_;  ///< empty: none
  MonotonicTime serves_until_;
  bool given_up_ = false;
};

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPointer = std::unique_ptr<SSL, SslDeleter>;

/// What TLS connections to one host share as long as the files stay the same (see
/// CurrentTlsContext): reading a bundle of authorities takes 40 ms and 1 MB, too much to do for
/// each connection. Any thread may call it.
class TlsContext {
 public:
  /// An error names the setting, the file and the cause. A system without any authorities is not an
  /// error, but is logged: no peer will be trusted.
  static Result<std::unique_ptr<TlsContext>, std::string> load(const tls::Settings& settings,
                                                               Log& log);

  /// A client-side TLS object that verifies the peer and sends it the host name (SNI, unless the
  /// host is an address). Null when there is no memory.
  [[nodiscard]] SslPointer session() const;

  /// The sessions that connections of this context leave for later ones.
  [[nodiscard]] TlsSessionMemory& memory() const { return *memory_; }

 private:
  TlsContext(std::unique_ptr<TlsSessionMemory> memory, tls::Context context, std::string host)
      : memory_(std::move(memory)), context_(std::move(context)), host_(std::move(host)) {}

  std::unique_ptr<TlsSessionMemory> memory_;  ///< the context points to it
  tls::Context context_;
  std::string host_;
};

/// The TLS context that new connections are made with. It is reloaded when one of its files has
/// been replaced on disk; if the new files cannot be used (such as a certificate whose key has not
/// been replaced yet), the previous context stays in use. Any thread may call it.
class CurrentTlsContext {
 public:
  /// An error names the setting, the file and the cause. `log` must outlive the object.
  static Result<std::unique_ptr<CurrentTlsContext>, std::string> load(tls::Settings settings,
                                                                      Log& log);

  [[nodiscard]] std::shared_ptr<const TlsContext> get();

  /// Incremented with every new context; a connection made with an older one should not be reused.
  /// Checks the files, at most once a second.
  [[nodiscard]] std::uint64_t generation();

 private:
  /// Identifies a version of a file; all zero: there is no file.
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 3>;
  static Stamp stamp_of(const std::string& path);
  static Stamps stamps_of(const tls::Settings& settings);

  CurrentTlsContext(tls::Settings settings, Stamps stamps,
                    std::shared_ptr<const TlsContext> context, Log& log)
      : settings_(std::move(settings)), log_(log), stamps_(stamps), context_(std::move(context)) {}
  void look_at_files();
  void reload(const Stamps& found);

  const tls::Settings settings_;
  Log& log_;
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<MonotonicTime> next_check_{MonotonicTime::min()};

  std::mutex mutex_;
  Stamps stamps_;          ///< of the files that context_ was made from
  Stamps refused_{};       ///< of the files that could not be used
  bool reported_ = false;  ///< whether that has been logged
  std::shared_ptr<const TlsContext> context_;
};

}  // namespace jobs_bridge::https
