#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "bridge/time.h"

namespace jobs_bridge::admin {

struct ServerSettings {
  std::string host = "127.0.0.1";  ///< a name or a literal address; an IPv6 one without brackets
  std::uint16_t port = 0;          ///< 0: the kernel chooses
  /// Whether no other machine can reach `host`: then a request must name a loopback host, so that a
  /// page of another site whose name resolves to this machine (DNS rebinding) is refused.
  bool loopback = true;
  /// The token that callers must send as `Authorization: Bearer <token>`; empty: none, which is
  /// allowed for loopback hosts only. See is_token().
  std::string token = {};
  /// A snapshot is reused for this long, so that frequent requests cost the bridge nothing.
  Duration snapshot_lasts = std::chrono::milliseconds(100);
};

}  // namespace jobs_bridge::admin
