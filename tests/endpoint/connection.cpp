#include "tests/endpoint/connection.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <ctime>
#include <string_view>
#include <vector>

namespace jobs_endpoint {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using asio::use_awaitable;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr std::uint32_t longest_head = 64U << 10U;
constexpr std::uint64_t longest_body = 4U << 20U;
/// How long a peer that was refused may go on sending before the connection is cut.
constexpr std::chrono::seconds drain_limit{1};
constexpr std::chrono::milliseconds drain_pause{1};

using Parser = http::request_parser<http::string_body>;

template <typename Stream>
class Connection {
 public:
  Connection(Stream stream, Service& service, std::optional<std::string> client_name = {})
      : stream_(std::move(stream)),
        service_(service),
        number_(++service.connections),
        client_name_(std::move(client_name)) {}

  awaitable<void> serve();

 private:
  awaitable<bool> read(Parser& parser);
  awaitable<void> refuse(const error_code& error);
  awaitable<void> drain();
  awaitable<bool> deliver(const Delivery& delivery, bool keep_alive);
  awaitable<bool> write(std::string_view bytes);
  awaitable<void> trickle(std::string_view bytes, std::chrono::milliseconds interval);
  awaitable<void> wait(std::chrono::microseconds duration);
  awaitable<void> read_until_closed();
  awaitable<void> shut_down_tls();
  tcp::socket& socket();

  Stream stream_;
  Service& service_;
  const std::uint64_t number_;
  const std::optional<std::string> client_name_;
  boost::beast::flat_buffer unread_;
};

HttpRequest received(Parser& parser) {
  auto& message = parser.get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

template <>
tcp::socket& Connection<tcp::socket>::socket() {
  return stream_;
}

template <>
tcp::socket& Connection<TlsStream>::socket() {
  return stream_.next_layer();
}

template <typename Stream>
awaitable<void> Connection<Stream>::serve() {
  for (;;) {
    Parser parser;
    parser.header_limit(longest_head);
    parser.body_limit(longest_body);
    if (!co_await read(parser)) co_return;
    const bool keep_alive = parser.get().keep_alive();
    HttpRequest request = received(parser);
    request.client_name = client_name_;
    const Delivery delivery = service_.endpoint.receive(request, number_, service_.clock.now());
    if (delivery.delay.count() > 0) co_await wait(delivery.delay);
    if (!co_await deliver(delivery, keep_alive)) co_return;
    if (!keep_alive) {
      co_await shut_down_tls();
      co_return;
    }
  }
}

/// False: there is no further request, and the connection is to end.
template <typename Stream>
awaitable<bool> Connection<Stream>::read(Parser& parser) {
  error_code error;
  co_await http::async_read_header(stream_, unread_, parser,
                                   asio::redirect_error(use_awaitable, error));
  if (!error && !parser.is_done()) {
    if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue") &&
        !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) {
      co_return false;
    }
    co_await http::async_read(stream_, unread_, parser, asio::redirect_error(use_awaitable, error));
  }
  if (error && error.category() == http::make_error_code(http::error::end_of_stream).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    service_.endpoint.malformed();
    co_await refuse(error);
  }
  co_return !error;
}

template <typename Stream>
awaitable<void> Connection<Stream>::refuse(const error_code& error) {
  const int status = error == http::error::body_limit     ? 413
                     : error == http::error::header_limit ? 431
                                                          : 400;
  const HttpAnswer answer = {
      status, {{"Content-Type", "text/plain"}}, "not an HTTP request: " + error.message() + "\n"};
  if (!co_await write(to_wire(answer, service_.date(service_.clock.now()), false))) co_return;
  co_await shut_down_tls();
  co_await drain();
}

/// Takes in what still comes, for a while: closing with bytes unread would reset the connection,
/// and the peer might lose the answer.
template <typename Stream>
awaitable<void> Connection<Stream>::drain() {
  error_code error;
  socket().non_blocking(true, error);
  std::vector<char> dropped(64U << 10U);
  const auto until = std::chrono::steady_clock::now() + drain_limit;
  while (std::chrono::steady_clock::now() < until) {
    socket().read_some(asio::buffer(dropped), error);
    if (error && error != asio::error::would_block) co_return;
    co_await wait(drain_pause);
  }
}

/// False: the connection is to end.
template <typename Stream>
awaitable<bool> Connection<Stream>::deliver(const Delivery& delivery, bool keep_alive) {
  error_code ignored;
  if (delivery.manner == FaultKind::hang) {
    co_await read_until_closed();
    co_return false;
  }
  if (delivery.manner == FaultKind::reset) {
    socket().set_option(asio::socket_base::linger(true, 0), ignored);
    socket().close(ignored);
    co_return false;
  }
  if (delivery.manner == FaultKind::garbage) {
    co_await write(delivery.stray);
    socket().shutdown(tcp::socket::shutdown_send, ignored);
    co_return false;
  }
  const Instant now = service_.clock.now();
  // Before the write: a client that has read the answer must find it in the log.
  service_.endpoint.delivered(delivery, now);
  const std::string bytes = to_wire(delivery.answer, service_.date(now), keep_alive);
  const std::size_t bytes_before_the_cut =
      delivery.bytes.value_or(bytes.size() - (delivery.answer.body.size() + 1) / 2);
  switch (delivery.manner) {
    case FaultKind::truncate:
      co_await write(std::string_view(bytes).substr(0, bytes_before_the_cut));
      socket().shutdown(tcp::socket::shutdown_send, ignored);
      co_return false;
    case FaultKind::trickle:
      co_await trickle(bytes, delivery.interval);
      co_return socket().is_open();
    case FaultKind::close_idle:
      co_await write(bytes);
      co_await shut_down_tls();
      co_return false;
    case FaultKind::extra_bytes:
      co_return co_await write(bytes + delivery.stray);
    default:
      co_return co_await write(bytes);
  }
}

/// In one piece as far as the peer's window allows. False: the peer is gone.
template <typename Stream>
awaitable<bool> Connection<Stream>::write(std::string_view bytes) {
  error_code error;
  co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(use_awaitable, error));
  co_return !error;
}

template <typename Stream>
awaitable<void> Connection<Stream>::trickle(std::string_view bytes,
                                            std::chrono::milliseconds interval) {
  for (std::size_t sent = 0; sent < bytes.size(); ++sent) {
    if (sent > 0) co_await wait(interval);
    if (!co_await write(bytes.substr(sent, 1))) {
      error_code ignored;
      socket().close(ignored);
      co_return;
    }
  }
}

template <typename Stream>
awaitable<void> Connection<Stream>::wait(std::chrono::microseconds duration) {
  asio::steady_timer timer(socket().get_executor(), duration);
  error_code ignored;
  co_await timer.async_wait(asio::redirect_error(use_awaitable, ignored));
}

template <typename Stream>
awaitable<void> Connection<Stream>::read_until_closed() {
  std::array<char, 4096> dropped;
  error_code error;
  while (!error) {
    co_await stream_.async_read_some(asio::buffer(dropped),
                                     asio::redirect_error(use_awaitable, error));
  }
}

/// An orderly end, without waiting for the peer's part in it.
template <typename Stream>
awaitable<void> Connection<Stream>::shut_down_tls() {
  error_code ignored;
  if constexpr (std::is_same_v<Stream, TlsStream>) {
    SSL_set_shutdown(stream_.native_handle(), SSL_RECEIVED_SHUTDOWN);
    co_await stream_.async_shutdown(asio::redirect_error(use_awaitable, ignored));
  }
  socket().shutdown(tcp::socket::shutdown_send, ignored);
  co_return;
}

/// The common name in the peer's certificate; nothing: it showed none.
std::optional<std::string> peer_name(SSL* ssl) {
  X509* const certificate = SSL_get1_peer_certificate(ssl);
  if (certificate == nullptr) return std::nullopt;
  std::array<char, 256> name = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  X509_free(certificate);
  return name.data();
}

}  // namespace

const std::string& Service::date(Instant now) {
  const std::int64_t second = seconds_since_epoch(now);
  if (second != date_second) {
    date_second = second;
    const std::time_t time = second;
    std::tm parts = {};
    gmtime_r(&time, &parts);
    std::array<char, 64> text = {};
    date_text.assign(text.data(),
                     std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }
  return date_text;
}

awaitable<void> serve_plain(tcp::socket socket, Service& service) {
  Connection<tcp::socket> connection(std::move(socket), service);
  co_await connection.serve();
}

awaitable<void> serve_tls(tcp::socket socket, asio::ssl::context& tls, Service& service) {
  TlsStream stream(std::move(socket), tls);
  error_code error;
  co_await stream.async_handshake(asio::ssl::stream_base::server,
                                  asio::redirect_error(use_awaitable, error));
  if (error) co_return;
  auto client_name = peer_name(stream.native_handle());
  Connection<TlsStream> connection(std::move(stream), service, std::move(client_name));
  co_await connection.serve();
}

}  // namespace jobs_endpoint
