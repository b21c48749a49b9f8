#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adapters/files/file_descriptor.h"
#include "bridge/result.h"

namespace jobs_bridge::net {

struct ConnectFault {
  bool refused = false;  ///< the host is there, and nothing listens on the port
  std::string text;
};

/// Begins to connect to a literal address, and does not wait. The socket is non-blocking, has
/// TCP_NODELAY and is closed on exec. It becomes writable when it is connected or has failed.
Result<files::FileDescriptor, ConnectFault> begin_connect(const std::string& address,
                                                          std::uint16_t port);

/// Why a socket that has become writable is not connected; nothing if it is.
std::optional<ConnectFault> connect_fault(const files::FileDescriptor& socket);

}  // namespace jobs_bridge::net
