#pragma once

#include <memory>
#include <string>

#include "adapters/https/connector.h"
#include "adapters/https/endpoint_settings.h"
#include "adapters/https/protocol.h"
#include "bridge/ports/endpoint.h"

namespace jobs_bridge::https {

/// One connection to the endpoint, made on demand and replaced when it can no longer be used.
/// `settings` and `connector` must outlive it.
class HttpsExchange final : public Exchange {
 public:
  HttpsExchange(const EndpointSettings& settings, Connector& connector);
  HttpOutcome perform(const HttpRequest& request, MonotonicTime deadline) override;

 private:
  HttpOutcome attempt(const HttpRequest& request, MonotonicTime deadline);
  std::optional<IoFailure> connect(MonotonicTime deadline);
  Result<Protocol::Answer, Protocol::NoAnswer> send(const HttpRequest& request,
                                                    MonotonicTime deadline);
  bool connection_usable(MonotonicTime now);
  HttpFailure failure(IoFailure cause) const;

  const EndpointSettings& settings_;
  Connector& connector_;
  const std::string origin_;  ///< host:port, for failures
  Protocol protocol_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t generation_ = 0;  ///< the connector's when the connection was made
  MonotonicTime idle_since_;
  /// Whether a byte of the present request may have reached the peer.
  bool maybe_sent_ = false;
  Duration suspended_{};  ///< how long the machine had been when the present request came
};

}  // namespace jobs_bridge::https
