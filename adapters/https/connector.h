#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "adapters/fibers/wait.h"
#include "adapters/https/endpoint_settings.h"
#include "adapters/https/tcp_connection.h"
#include "adapters/https/tls_context.h"
#include "adapters/net/resolver.h"
#include "bridge/ports/log.h"

namespace jobs_bridge::https {

/// Makes connections to the endpoint: name resolution, TCP, tunnel and TLS. Any thread may call it.
class Connector {
 public:
  /// `tls` is null for plain HTTP. `log` must outlive the Connector.
  Connector(const EndpointSettings& settings, std::unique_ptr<CurrentTlsContext> tls,
            net::Lookup lookup, Log& log);

  /// A connection that is ready for a request, by `deadline`. If it fails, no byte of a request has
  /// been sent.
  Result<std::unique_ptr<Connection>, IoFailure> connect(MonotonicTime deadline);

  /// Incremented when connections made earlier should not be reused because the certificates have
  /// changed.
  [[nodiscard]] std::uint64_t generation() const { return tls_ ? tls_->generation() : 0; }

  /// Ends every wait in progress and every later one, including those of its connections.
  void stop();
  [[nodiscard]] bool stopped() const { return stop_.raised(); }

 private:
  Result<std::unique_ptr<TcpConnection>, IoFailure> connect_tcp(MonotonicTime deadline,
                                                                std::string& address);
  std::optional<IoFailure> pass_proxy(TcpConnection& proxy, MonotonicTime deadline);
  [[nodiscard]] IoFailure of_proxy(IoFailure failure) const;

  const std::string target_;  ///< host:port of the endpoint
  const ProxySettings proxy_;
  const std::string tcp_host_;    ///< the endpoint's, or the proxy's
  const std::uint16_t tcp_port_;  ///< the same
  const std::unique_ptr<CurrentTlsContext> tls_;
  Log& log_;
  StopSignal stop_;
  net::Resolver resolver_;
  /// Which of the addresses to try first: advances when one fails and stays at one that works.
  std::atomic<std::size_t> first_{0};
};

}  // namespace jobs_bridge::https
