#include "adapters/https/tls_connection.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <poll.h>

#include <cerrno>

namespace jobs_bridge::https {
namespace {

using Kind = HttpFailure::Kind;

/// What OpenSSL noted for SSL_ERROR_SSL. An end of the stream in the middle is the peer's broken
/// connection; all else (alerts, garbage) is a matter of TLS.
IoFailure protocol_failure(const std::string& doing) {
  const unsigned long error = ERR_peek_error();
  if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
      ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return {Kind::broken, doing + ": the peer closed the connection without closing TLS"};
  }
  return {Kind::tls, doing + ": " + take_openssl_error()};
}

}  // namespace

TlsConnection::TlsConnection(std::unique_ptr<TcpConnection> tcp, SslPointer ssl,
                             std::shared_ptr<const TlsContext> context)
    : context_(std::move(context)), tcp_(std::move(tcp)), ssl_(std::move(ssl)) {}

TlsConnection::~TlsConnection() {
  if (!in_order_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

Result<std::unique_ptr<TlsConnection>, IoFailure> TlsConnection::open(
    std::unique_ptr<TcpConnection> tcp, std::shared_ptr<const TlsContext> context,
    MonotonicTime deadline) {
  ERR_clear_error();
  SslPointer ssl = context->session();
  if (!ssl || SSL_set_fd(ssl.get(), tcp->descriptor()) != 1) {
    return Failure{IoFailure{Kind::tls, "TLS: " + take_openssl_error()}};
  }
  const bool may_resume = context->memory().offer_to(ssl.get());
  auto connection = std::make_unique<TlsConnection>(std::move(tcp), std::move(ssl), context);
  if (auto failure = connection->handshake(deadline)) {
    if (may_resume && failure->kind == Kind::tls) context->memory().give_up();
    if (failure->kind == Kind::broken) failure->kind = Kind::tls;
    if (failure->kind == Kind::timeout) {
      failure = IoFailure{Kind::connect, "TLS handshake: not finished in time"};
    }
    return Failure{*std::move(failure)};
  }
  return connection;
}

std::optional<IoFailure> TlsConnection::handshake(MonotonicTime deadline) {
  const char* const doing = "TLS handshake";
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) {
      in_order_ = true;
      return std::nullopt;
    }
    const long verdict = SSL_get_verify_result(ssl_.get());
    if (verdict != X509_V_OK) {
      ERR_clear_error();
      const bool time =
          verdict == X509_V_ERR_CERT_NOT_YET_VALID || verdict == X509_V_ERR_CERT_HAS_EXPIRED;
      return IoFailure{Kind::tls,
                       std::string("the server's certificate is refused: ") +
                           X509_verify_cert_error_string(verdict) +
                           (time ? " (if it is valid, this machine's clock is wrong)" : "")};
    }
    if (auto failure = wait_or_fail(result, deadline, doing)) {
      return failure;
    }
  }
}

std::optional<IoFailure> TlsConnection::wait_or_fail(int result, MonotonicTime deadline,
                                                     const char* doing) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: {
      const short events = SSL_want_write(ssl_.get()) ? POLLOUT : POLLIN;
      const Waited waited = wait_for(tcp_->descriptor(), events, deadline, tcp_->stop());
      if (waited == Waited::ready) return std::nullopt;
      return wait_failure(waited, doing);
    }
    case SSL_ERROR_SYSCALL:
      in_order_ = false;
      return IoFailure{Kind::broken, std::string(doing) + ": " +
                                         (system_error != 0 ? system_error_text(system_error)
                                                            : "the connection ended")};
    case SSL_ERROR_ZERO_RETURN:
      return IoFailure{Kind::broken, std::string(doing) + ": the peer closed the connection"};
    default:
      in_order_ = false;
      return protocol_failure(doing);
  }
}

std::optional<IoFailure> TlsConnection::write(std::string_view bytes, MonotonicTime deadline) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t sent = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
    if (result == 1) {
      bytes.remove_prefix(sent);
    } else if (auto failure = wait_or_fail(result, deadline, "sending the request")) {
      in_order_ = false;
      return failure;
    }
  }
  return std::nullopt;
}

Result<std::size_t, IoFailure> TlsConnection::read(char* buffer, std::size_t size,
                                                   MonotonicTime deadline) {
  for (;;) {
    // What TLS holds already makes no socket readable. And where it holds nothing, waiting first
    // saves a read that would find nothing.
    if (SSL_has_pending(ssl_.get()) == 0) {
      const Waited waited = wait_for(tcp_->descriptor(), POLLIN, deadline, tcp_->stop());
      if (waited != Waited::ready) return Failure{wait_failure(waited, "waiting for the answer")};
    }
    ERR_clear_error();
    std::size_t received = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer, size, &received);
    if (result == 1) return received;
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
    if (auto failure = wait_or_fail(result, deadline, "reading the answer")) {
      return Failure{*std::move(failure)};
    }
  }
}

bool TlsConnection::quiet() {
  if (SSL_has_pending(ssl_.get()) == 0 && tcp_->quiet()) return true;
  // Something waits. It may be TLS's own affair (a session ticket, a key update), which this deals
  // with, or data, a close or nonsense, after any of which the connection is no good.
  ERR_clear_error();
  char byte = 0;
  std::size_t peeked = 0;
  const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &peeked);
  const bool nothing = result != 1 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ;
  if (!nothing) in_order_ = false;
  ERR_clear_error();
  return nothing;
}

std::uint64_t TlsConnection::bytes_sent() const {
  return BIO_number_written(SSL_get_wbio(ssl_.get()));
}

std::string TlsConnection::description() const {
  return std::string(SSL_get_version(ssl_.get())) + ", " + SSL_get_cipher_name(ssl_.get()) +
         (SSL_session_reused(ssl_.get()) == 1 ? ", resumed" : "");
}

}  // namespace jobs_bridge::https
