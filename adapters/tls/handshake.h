#pragma once

#include <openssl/ssl.h>

#include <string>

namespace jobs_bridge::tls {

/// Why TLS with a server does not come about.
struct HandshakeFault {
  enum class Kind {
    untrusted,                   ///< no authority that we know has issued its certificate
    wrong_name,                  ///< its certificate is for another host
    out_of_date,                 ///< its certificate is not valid now, by our clock
    invalid,                     ///< its certificate is no good for another reason
    client_certificate_missing,  ///< it wants one of us, and we have none
    client_certificate_refused,  ///< it does not take ours
    version,                     ///< no version of TLS that both of us speak
    not_tls,                     ///< what it says is not TLS
    closed,                      ///< it has closed the connection without saying why
    other,
  };
  Kind kind = Kind::other;
  std::string detail;  ///< OpenSSL's words, or those of the system
};

/// To be called before the first handshake: remembers whether servers ask for our certificate.
void note_certificate_requests(SSL_CTX& context);

/// Whether the server has asked for our certificate, in a full handshake.
bool was_asked_for_certificate(const SSL& ssl);

/// After SSL_connect(), or a read of a connection on which nothing has arrived so far: in TLS 1.3
/// that is when a server's opinion of our certificate comes. `result`: what that call returned,
/// with errno and OpenSSL's notes as it left them. Takes the notes.
HandshakeFault fault_of(const SSL& ssl, int result);

}  // namespace jobs_bridge::tls
