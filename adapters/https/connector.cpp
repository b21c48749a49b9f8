#include "adapters/https/connector.h"

#include <openssl/evp.h>

#include <algorithm>
#include <chrono>

#include "adapters/https/protocol.h"
#include "adapters/https/tls_connection.h"
#include "adapters/net/address.h"

namespace jobs_bridge::https {
namespace {

using Kind = HttpFailure::Kind;

/// A silent address gets at least this much of the connect timeout before the next one is tried:
/// enough for one lost SYN, which is sent again after a second.
constexpr auto kLeastPerAddress = std::chrono::milliseconds(1500);

std::string base64(const std::string& text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

}  // namespace

Connector::Connector(const EndpointSettings& settings, std::unique_ptr<CurrentTlsContext> tls,
                     net::Lookup lookup, Log& log)
    : target_(net::host_and_port(settings.host, settings.port)),
      proxy_(settings.proxy),
      tcp_host_(proxy_.host.empty() ? settings.host : proxy_.host),
      tcp_port_(proxy_.host.empty() ? settings.port : proxy_.port),
      tls_(std::move(tls)),
      log_(log),
      resolver_(tcp_host_, std::move(lookup)) {}

void Connector::stop() {
  stop_.raise();
  resolver_.stop();
}

Result<std::unique_ptr<TcpConnection>, IoFailure> Connector::connect_tcp(MonotonicTime deadline,
                                                                         std::string& address) {
  const auto addresses = resolver_.addresses(deadline);
  if (!addresses) {
    const auto& [stopped, cause] = addresses.error();
    if (stopped) return Failure{IoFailure{Kind::stopped, "stopped while resolving the name"}};
    return Failure{IoFailure{Kind::resolve, "resolving the name: " + cause}};
  }
  const std::size_t count = addresses->size();
  const std::size_t first = first_.load(std::memory_order_relaxed) % count;
  std::string causes;
  auto kind = Kind::refused;  // if it is that of all
  for (std::size_t tried = 0; tried < count; ++tried) {
    const std::size_t index = (first + tried) % count;
    address = (*addresses)[index];
    const MonotonicTime now = std::chrono::steady_clock::now();
    const Duration share =
        std::max<Duration>((deadline - now) / static_cast<int>(count - tried), kLeastPerAddress);
    auto tcp = TcpConnection::open(address, tcp_port_, std::min(now + share, deadline), stop_);
    if (tcp) return tcp;
    first_.store(index + 1, std::memory_order_relaxed);
    if (tcp.error().kind == Kind::stopped) return tcp;
    if (tcp.error().kind != Kind::refused) kind = Kind::connect;
    // Where the host is an address the failure begins with it.
    causes += (causes.empty() ? "" : "; ") + (address == tcp_host_ ? "" : address + ": ") +
              tcp.error().cause;
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  return Failure{IoFailure{kind, std::move(causes)}};
}

std::optional<IoFailure> Connector::pass_proxy(TcpConnection& proxy, MonotonicTime deadline) {
  const std::string authorization =
      proxy_.username.empty() ? std::string()
                              : "Basic " + base64(proxy_.username + ":" + proxy_.password);
  auto failure = Protocol({target_, 0}).open_tunnel(proxy, target_, authorization, deadline);
  if (!failure) return std::nullopt;
  return of_proxy(*std::move(failure));
}

IoFailure Connector::of_proxy(IoFailure failure) const {
  if (failure.kind != Kind::stopped) failure.kind = Kind::proxy;
  failure.cause = "proxy " + net::host_and_port(proxy_.host, proxy_.port) + ": " + failure.cause;
  return failure;
}

Result<std::unique_ptr<Connection>, IoFailure> Connector::connect(MonotonicTime deadline) {
  if (stopped()) return Failure{IoFailure{Kind::stopped, "stopped"}};
  std::string address;
  auto tcp = connect_tcp(deadline, address);
  if (!tcp) return Failure{proxy_.host.empty() ? tcp.error() : of_proxy(tcp.error())};
  if (!proxy_.host.empty()) {
    if (auto failure = pass_proxy(**tcp, deadline)) return Failure{*std::move(failure)};
  }
  if (!tls_) {
    log_.write(Severity::debug, "connected", {{"endpoint", target_}, {"address", address}});
    return std::unique_ptr<Connection>(std::move(tcp).value());
  }
  auto tls = TlsConnection::open(std::move(tcp).value(), tls_->get(), deadline);
  if (!tls) {
    // The fault may be specific to this address: the next request tries another one first.
    if (tls.error().kind != Kind::stopped) first_.fetch_add(1, std::memory_order_relaxed);
    return Failure{IoFailure{tls.error().kind, tls.error().cause + " (address " + address + ")"}};
  }
  if (log_.enabled(Severity::debug)) {
    log_.write(Severity::debug, "connected",
               {{"endpoint", target_}, {"address", address}, {"tls", (*tls)->description()}});
  }
  return std::unique_ptr<Connection>(std::move(tls).value());
}

}  // namespace jobs_bridge::https
