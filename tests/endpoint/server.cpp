#include "tests/endpoint/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>

#include "tests/endpoint/connection.h"
#include "tests/endpoint/tls.h"

namespace jobs_endpoint {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr int backlog = 4096;
/// How long accepting rests when the process is out of descriptors.
constexpr std::chrono::milliseconds accept_pause{50};

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

struct Server::Listener {
  Listener(const ServerOptions& options, Endpoint& endpoint, const Clock& clock)
      : service{endpoint, clock}, acceptor(context), signals(context) {
    if (!options.tls.certificate.empty()) tls.emplace(make_tls_context(options.tls));
    listen(options);
    url = (tls ? "https://" : "http://") + bracketed(options.host) + ":" +
          std::to_string(acceptor.local_endpoint().port());
    asio::co_spawn(context, accept_all(), asio::detached);
  }

  void listen(const ServerOptions& options);
  asio::awaitable<void> accept_all();

  asio::io_context context{1};
  Service service;
  std::optional<asio::ssl::context> tls;
  tcp::acceptor acceptor;
  asio::signal_set signals;
  std::string url;
};

void Server::Listener::listen(const ServerOptions& options) {
  const std::string where = bracketed(options.host) + ":" + std::to_string(options.port);
  error_code error;
  const auto addresses = tcp::resolver(context).resolve(options.host, std::to_string(options.port),
                                                        tcp::resolver::passive, error);
  if (!error && addresses.empty()) error = asio::error::host_not_found;
  if (error) throw std::runtime_error("cannot listen on " + where + ": " + error.message());
  const tcp::endpoint address = addresses.begin()->endpoint();
  acceptor.open(address.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(address, error);
  if (!error) acceptor.listen(backlog, error);
  if (error) throw std::runtime_error("cannot listen on " + where + ": " + error.message());
}

asio::awaitable<void> Server::Listener::accept_all() {
  for (;;) {
    error_code error;
    tcp::socket socket =
        co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      asio::steady_timer pause(context, accept_pause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    socket.set_option(tcp::no_delay(true), error);
    if (tls) {
      asio::co_spawn(context, serve_tls(std::move(socket), *tls, service), asio::detached);
    } else {
      asio::co_spawn(context, serve_plain(std::move(socket), service), asio::detached);
    }
  }
}

Server::Server(const ServerOptions& options, Endpoint& endpoint, const Clock& clock)
    : listener_(std::make_unique<Listener>(options, endpoint, clock)) {}
Server::~Server() = default;

const std::string& Server::url() const {
  return listener_->url;
}

std::uint16_t Server::port() const {
  return listener_->acceptor.local_endpoint().port();
}

void Server::stop_on_signals() {
  listener_->signals.add(SIGTERM);
  listener_->signals.add(SIGINT);
  listener_->signals.async_wait([this](const error_code& error, int) {
    if (!error) stop();
  });
}

void Server::run() {
  listener_->context.run();
}

void Server::stop() {
  listener_->context.stop();
}

}  // namespace jobs_endpoint
