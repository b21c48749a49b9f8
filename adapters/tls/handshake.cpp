#include "adapters/tls/handshake.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <cerrno>

#include "adapters/files/system_text.h"
#include "adapters/tls/identity.h"

namespace jobs_bridge::tls {
namespace {

using Kind = HandshakeFault::Kind;

/// The place in an SSL where it is noted that the server has asked for a certificate.
int request_note() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int note_request(SSL* ssl, void*) {
  static char noted = 0;
  SSL_set_ex_data(ssl, request_note(), &noted);
  return 1;
}

bool has_certificate(const SSL& ssl) {
  return SSL_get_certificate(&ssl) != nullptr;
}

bool lacks_certificate(const SSL& ssl) {
  return was_asked_for_certificate(ssl) && !has_certificate(ssl);
}

Kind kind_of_verification(long verdict) {
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Kind::wrong_name;
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Kind::out_of_date;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return Kind::untrusted;
    default:
      return Kind::invalid;
  }
}

/// Of an alert that the server has sent (RFC 8446, section 6).
Kind kind_of_alert(int alert, const SSL& ssl) {
  switch (alert) {
    case SSL_AD_CERTIFICATE_REQUIRED:
      return Kind::client_certificate_missing;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
      return has_certificate(ssl) ? Kind::client_certificate_refused
                                  : Kind::client_certificate_missing;
    case SSL_AD_HANDSHAKE_FAILURE:  // all that TLS 1.2 has for a certificate that is missing
      return lacks_certificate(ssl) ? Kind::client_certificate_missing : Kind::other;
    case SSL_AD_PROTOCOL_VERSION:
      return Kind::version;
    default:
      return Kind::other;
  }
}

Kind kind_of_error(unsigned long error, const SSL& ssl) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return Kind::other;
  const int reason = ERR_GET_REASON(error);
  if (reason >= SSL_AD_REASON_OFFSET) return kind_of_alert(reason - SSL_AD_REASON_OFFSET, ssl);
  switch (reason) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return lacks_certificate(ssl) ? Kind::client_certificate_missing : Kind::closed;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
      return Kind::version;
    case SSL_R_WRONG_VERSION_NUMBER:  // of a record: its first bytes are something else
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
      return Kind::not_tls;
    default:
      return Kind::other;
  }
}

}  // namespace

void note_certificate_requests(SSL_CTX& context) {
  SSL_CTX_set_cert_cb(&context, note_request, nullptr);
}

bool was_asked_for_certificate(const SSL& ssl) {
  return SSL_get_ex_data(&ssl, request_note()) != nullptr;
}

HandshakeFault fault_of(const SSL& ssl, int result) {
  const int system_error = errno;
  const auto verdict = SSL_get_verify_result(&ssl);
  if (verdict != X509_V_OK) {
    ERR_clear_error();
    return {kind_of_verification(verdict), X509_verify_cert_error_string(verdict)};
  }
  const int ending = SSL_get_error(&ssl, result);
  if (ending == SSL_ERROR_SSL) {
    const auto kind = kind_of_error(ERR_peek_error(), ssl);
    return {kind, take_error()};
  }
  ERR_clear_error();
  // It may have closed with our bytes unread, and then its alert is lost.
  const auto kind = lacks_certificate(ssl) ? Kind::client_certificate_missing : Kind::closed;
  const bool reset = ending == SSL_ERROR_SYSCALL && system_error != 0;
  return {kind,
          reset ? files::system_text(system_error) : std::string("the connection was closed")};
}

}  // namespace jobs_bridge::tls
