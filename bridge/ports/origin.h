#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bridge/ports/endpoint.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// A server other than the endpoint that an adapter queries occasionally. The core knows none: this
/// lets adapters that need one stay independent of the adapter that connects.
struct Origin {
  bool tls = true;
  std::string host;  ///< a DNS name or a literal address; an IPv6 one without brackets
  std::uint16_t port = 443;
  std::string ca_file = {};           ///< PEM; empty: the system's authorities
  std::string certificate_file = {};  ///< for mutual TLS, with private_key_file; empty: none
  std::string private_key_file = {};
  /// Whether it is reached through the gateway's proxy; link-local services are reached directly.
  bool through_proxy = false;
  Duration connect_timeout{};
  Duration answer_timeout{};
};

/// Opens an Origin; sends nothing yet. An error names what is wrong, such as a file. Any thread may
/// call it.
using OpenOrigin = std::function<Result<std::unique_ptr<Endpoint>, std::string>(const Origin&)>;

}  // namespace jobs_bridge
