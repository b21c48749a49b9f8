#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "bridge/time.h"

namespace jobs_bridge::https {

/// A proxy that tunnels by CONNECT. The connection to the proxy itself is not encrypted.
struct ProxySettings {
  std::string host;  ///< empty: no proxy
  std::uint16_t port = 0;
  std::string username;  ///< empty: no Proxy-Authorization is sent
  std::string password;
};

struct EndpointSettings {
  enum class Scheme { http, https };
  Scheme scheme = Scheme::https;
  /// A DNS name or a literal address; an IPv6 one without brackets.
  std::string host;
  std::uint16_t port = 443;

  /// Name resolution, TCP connect, proxy tunnel and TLS handshake together.
  Duration connect_timeout = std::chrono::seconds(3);
  /// From the first byte of the request to the last byte of the answer, as a whole.
  Duration answer_timeout = std::chrono::seconds(5);
  /// A connection that was idle for longer is not reused: a middlebox may have dropped it by then,
  /// and the request would be lost silently.
  Duration idle_limit = std::chrono::seconds(60);

  /// PEM file with the only authorities to trust; empty: the system's.
  std::string ca_file;
  /// PEM files for mutual TLS, both or neither. The certificate file may contain a chain.
  std::string certificate_file;
  std::string private_key_file;

  /// Limit for an answer's body. The head has a fixed limit of 64 KiB.
  std::size_t max_answer_bytes = std::size_t{1} << 20;
  ProxySettings proxy;
};

}  // namespace jobs_bridge::https
