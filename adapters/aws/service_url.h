#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bridge/ports/origin.h"

namespace jobs_bridge::aws {

/// A URL from the environment.
struct ServiceUrl {
  Origin origin;       ///< tls, host and port
  std::string target;  ///< path and query; "/" if there is none
};

/// `http://host[:port][/path]`, or https; nothing for any other text.
std::optional<ServiceUrl> read_service_url(std::string_view text);

/// Whether `text` can be a request's target.
bool is_target(std::string_view text);

}  // namespace jobs_bridge::aws
