#pragma once

#include <optional>
#include <string>

#include "bridge/jobs/http.h"

namespace jobs_bridge::https {

/// Why this request must not go over the wire, or nothing if it may. The code that built it has
/// checked its parts; this is the last line of defence, because cpp-httplib writes its input
/// unchecked: a line break in a header would let an attacker start another header, or another
/// request.
std::optional<std::string> refusal_of(const HttpRequest& request);

/// Serialises requests in HTTP/1.1. cpp-httplib would write the same from a sorted tree of headers
/// that it builds for each request, which is a third of the cost of an exchange.
class RequestText {
 public:
  /// `host_header`: what Host says, that is the name, with the port if it is not the default.
  explicit RequestText(const std::string& host_header);

  /// Replaces the content of `wire`, whose memory is reused, by the whole request, body included.
  /// The request must have passed refusal_of().
  void write(std::string& wire, const HttpRequest& request) const;

  /// The request to a proxy for a tunnel to `target` (host:port). `authorization` is the value of
  /// Proxy-Authorization; empty: none.
  static std::string tunnel(const std::string& target, const std::string& authorization);

 private:
  const std::string same_in_all_;  ///< from the end of the first line on
};

}  // namespace jobs_bridge::https
