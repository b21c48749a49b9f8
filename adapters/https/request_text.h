#pragma once

#include <optional>
#include <string>

#include "bridge/jobs/http.h"

namespace jobs_bridge::https {

/// Why this request must not go over the wire, or nothing if it may. Whoever built it has checked
/// its parts; this is the last line of defence, because cpp-httplib writes out what it is given: a
/// line break in a header would start a header, or a request, of the attacker's own.
std::optional<std::string> refusal_of(const HttpRequest& request);

/// Writes requests out as they go over the wire, in HTTP/1.1. cpp-httplib would write the same,
/// from a tree of headers that it builds and sorts for each: a third of what an exchange costs.
class RequestText {
 public:
  /// `host_header`: what Host says, that is the name, with the port if it is not the default.
  explicit RequestText(const std::string& host_header);

  /// The whole request, body included, in place of what `wire` held; its memory serves again. The
  /// request has passed refusal_of().
  void write(std::string& wire, const HttpRequest& request) const;

  /// The request to a proxy for a tunnel to `target` (host:port). `authorization` is the value of
  /// Proxy-Authorization; empty: none.
  static std::string tunnel(const std::string& target, const std::string& authorization);

 private:
  const std::string same_in_all_;  ///< from the end of the first line on
};

}  // namespace jobs_bridge::https
