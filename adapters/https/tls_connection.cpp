#include "adapters/https/tls_connection.h"

#include <openssl/err.h>
#include <poll.h>

#include "adapters/tls/identity.h"

namespace jobs_bridge::https {
namespace {

using Kind = HttpFailure::Kind;

/// Two session tickets are usual, after the handshake.
constexpr int max_own_messages = 100;

}  // namespace

TlsConnection::TlsConnection(std::unique_ptr<TcpConnection> tcp, SslPointer ssl,
                             std::shared_ptr<const TlsContext> context)
    : context_(std::move(context)), tcp_(std::move(tcp)), ssl_(std::move(ssl)) {}

TlsConnection::~TlsConnection() {
  if (!usable_) return;
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
    return Failure{IoFailure{Kind::tls, "TLS: " + tls::take_error()}};
  }
  const bool may_resume = context->memory().offer_to(ssl.get());
  auto connection = std::make_unique<TlsConnection>(std::move(tcp), std::move(ssl), context);
  if (auto failure = connection->handshake(deadline)) {
    const bool refused = failure->kind == Kind::tls || failure->kind == Kind::certificate;
    if (may_resume && refused) context->memory().give_up();
    if (failure->kind == Kind::broken) failure->kind = Kind::tls;
    if (failure->kind == Kind::timeout) {
      failure = IoFailure{Kind::connect, "TLS handshake: not finished in time"};
    }
    return Failure{*std::move(failure)};
  }
  return connection;
}

std::optional<IoFailure> TlsConnection::handshake(MonotonicTime deadline) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) {
      usable_ = true;
      // From now on a read returns after processing what OpenSSL has buffered, even if that was
      // only TLS messages without application data: otherwise it would read on as long as more of
      // them come.
      SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
      SSL_set_msg_callback(ssl_.get(), on_message);
      SSL_set_msg_callback_arg(ssl_.get(), this);
      return std::nullopt;
    }
    if (auto failure = wait_or_fail(result, deadline, "TLS handshake")) return failure;
  }
}

void TlsConnection::on_message(int sent, int /*version*/, int type, const void* /*bytes*/,
                               std::size_t /*size*/, SSL* /*ssl*/, void* connection) {
  if (sent == 0 && type == SSL3_RT_HANDSHAKE) {
    ++static_cast<TlsConnection*>(connection)->own_messages_;
  }
}

std::optional<IoFailure> TlsConnection::wait_or_fail(int result, MonotonicTime deadline,
                                                     const char* doing) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: {
      const short events = SSL_want_write(ssl_.get()) ? POLLOUT : POLLIN;
      const Waited waited = tcp_->wait(events, deadline);
      if (waited == Waited::ready) return std::nullopt;
      return wait_failure(waited, doing);
    }
    case SSL_ERROR_ZERO_RETURN:
      return IoFailure{Kind::broken, std::string(doing) + ": the peer closed the connection"};
    default:
      usable_ = false;
      return failure_of(tls::fault_of(*ssl_, result), doing);
  }
}

IoFailure TlsConnection::failure_of(const tls::HandshakeFault& fault, std::string doing) const {
  using Fault = tls::HandshakeFault::Kind;
  switch (fault.kind) {
    case Fault::untrusted:
    case Fault::wrong_name:
    case Fault::invalid:
      return {Kind::certificate, "the server's certificate is refused: " + fault.detail};
    case Fault::out_of_date:
      return {Kind::certificate, "the server's certificate is refused: " + fault.detail +
                                     " (if it is valid, this machine's clock is wrong)"};
    case Fault::client_certificate_missing:
      // Once it has answered, it has accepted our certificate: then the connection simply broke.
      if (got_data_) break;
      return {Kind::client_certificate,
              std::move(doing) +
                  ": the server requires a client certificate, and none is configured (" +
                  fault.detail + ")"};
    case Fault::client_certificate_refused:
      return {Kind::client_certificate,
              std::move(doing) + ": the server refuses the bridge's client certificate (" +
                  fault.detail + ")"};
    case Fault::closed:
      break;
    case Fault::not_tls:
      return {Kind::tls, std::move(doing) + ": the server does not speak TLS on this port (" +
                             fault.detail + ")"};
    case Fault::version:
    case Fault::other:
      return {Kind::tls, std::move(doing) + ": " + fault.detail};
  }
  return {Kind::broken, std::move(doing) + ": " + fault.detail};
}

std::optional<IoFailure> TlsConnection::write(std::string_view bytes, MonotonicTime deadline) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t sent = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
    if (result == 1) {
      bytes.remove_prefix(sent);
    } else if (auto failure = wait_or_fail(result, deadline, "sending the request")) {
      usable_ = false;
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
      const Waited waited = tcp_->wait(POLLIN, deadline);
      if (waited != Waited::ready) return Failure{wait_failure(waited, "waiting for the answer")};
    }
    ERR_clear_error();
    std::size_t received = 0;
    const int own_messages = own_messages_;
    const int result = SSL_read_ex(ssl_.get(), buffer, size, &received);
    if (result == 1) {
      got_data_ = true;
      own_messages_ = 0;
      return received;
    }
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
    if (own_messages_ > max_own_messages) {
      usable_ = false;
      return Failure{IoFailure{
          Kind::broken, "reading the answer: the server sends nothing but TLS session tickets"}};
    }
    if (own_messages_ != own_messages) continue;
    if (auto failure = wait_or_fail(result, deadline, "reading the answer")) {
      return Failure{*std::move(failure)};
    }
  }
}

bool TlsConnection::quiet() {
  while (SSL_has_pending(ssl_.get()) != 0 || !tcp_->quiet()) {
    // There is input. It may be a TLS message (a session ticket, a key update), which this
    // processes, or data, a close or garbage, after which the connection cannot be reused.
    ERR_clear_error();
    char byte = 0;
    std::size_t peeked = 0;
    const int own_messages = own_messages_;
    const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &peeked);
    const bool nothing = result != 1 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    if (!nothing || own_messages_ > max_own_messages) {
      usable_ = false;
      return false;
    }
    if (own_messages_ == own_messages) break;  // the beginning of such a message
  }
  return true;
}

std::uint64_t TlsConnection::bytes_sent() const {
  return BIO_number_written(SSL_get_wbio(ssl_.get()));
}

std::string TlsConnection::description() const {
  return std::string(SSL_get_version(ssl_.get())) + ", " + SSL_get_cipher_name(ssl_.get()) +
         (SSL_session_reused(ssl_.get()) == 1 ? ", resumed" : "");
}

}  // namespace jobs_bridge::https
