#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "bridge/ports/origin.h"
#include "bridge/time.h"

namespace jobs_bridge::https {

/// A proxy that tunnels by CONNECT. The connection to the proxy itself is not encrypted.
struct ProxySettings {
  std::string host;  ///< empty: no proxy
  std::uint16_t port = 0;
  std::string username;  ///< empty: no Proxy-Authorization is sent
  std::string password;
};

/// How a server is reached; whether through a proxy is said by `proxy` alone.
struct EndpointSettings : Origin {
  /// `connect_timeout` is for name resolution, TCP connect, proxy tunnel and TLS handshake
  /// together, `answer_timeout` from the first byte of the request to the last one of the answer.
  EndpointSettings() {
    connect_timeout = std::chrono::seconds(3);
    answer_timeout = std::chrono::seconds(5);
  }
  explicit EndpointSettings(const Origin& origin) : Origin(origin) {}

  /// A connection that was idle for longer is not reused: a middlebox may have dropped it by then,
  /// and the request would be lost silently.
  Duration idle_limit = std::chrono::seconds(60);
  /// Limit for an answer's body. The head has a fixed limit of 64 KiB.
  std::size_t max_answer_bytes = std::size_t{1} << 20;
  ProxySettings proxy;
};

}  // namespace jobs_bridge::https
