#pragma once

#include <openssl/ssl.h>

#include <mutex>
#include <vector>

#include "bridge/time.h"

namespace jobs_bridge::https {

/// The peer's latest TLS session, serialised (connections on several threads had better not share
/// one of OpenSSL's objects), so that the next connection can resume it: half the round trips
/// and a fraction of the CPU of a full handshake, which counts when hundreds of connections come
/// back after an outage. Any thread may call it.
///
/// A resumed connection does not verify the certificate again, it relies on the verification of the
/// one that began the session. So a session serves for an hour and no longer, and only connections
/// of the same context (same host, same authorities) ever see it.
class TlsSessionMemory {
 public:
  /// Makes connections of `context` leave their sessions here. It must outlive the context.
  void attach(SSL_CTX* context);

  /// Lets `ssl` try to resume the session, which the peer may decline. False: there is none.
  bool offer_to(SSL* ssl);

  /// The handshake of a connection that was offered a session has failed. There are peers that
  /// refuse a connection for it instead of declining, so from now on none is offered.
  void give_up();

 private:
  static int on_new_session(SSL* ssl, SSL_SESSION* session);
  void remember(const SSL_SESSION* session, bool verified_anew);

  std::mutex mutex_;
  std::vector<unsigned char> latest_;  ///< empty: none
  MonotonicTime serves_until_;
  bool given_up_ = false;
};

}  // namespace jobs_bridge::https
