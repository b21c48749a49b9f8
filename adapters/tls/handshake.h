#pragma once

#include <openssl/ssl.h>

#include <string>

namespace jobs_bridge::tls {

/// Why a TLS handshake with a server fails.
struct HandshakeFault {
  enum class Kind {
    untrusted,                   ///< its certificate was not issued by a trusted authority
    wrong_name,                  ///< its certificate is for another host
    out_of_date,                 ///< its certificate is expired or not valid yet, by our clock
    invalid,                     ///< its certificate is invalid for another reason
    client_certificate_missing,  ///< it requires one, and we have none
    client_certificate_refused,  ///< it does not accept ours
    version,                     ///< no common TLS version
    not_tls,                     ///< its answer is not TLS
    closed,                      ///< it has closed the connection without a reason
    other,
  };
  Kind kind = Kind::other;
  std::string detail;  ///< the text of OpenSSL or of the system
};

/// To be called before the first handshake: records whether servers request our certificate.
void note_certificate_requests(SSL_CTX& context);

/// Whether the server has requested our certificate, in a full handshake.
bool was_asked_for_certificate(const SSL& ssl);

/// After SSL_connect(), or a read of a connection on which nothing has arrived so far: in TLS 1.3
/// the server's verdict on our certificate arrives only then. `result`: the return value of that
/// call; errno and OpenSSL's error queue must be unchanged since. Clears the error queue.
HandshakeFault fault_of(const SSL& ssl, int result);

}  // namespace jobs_bridge::tls
