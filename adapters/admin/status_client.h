#pragma once

#include <string>

#include "bridge/result.h"

namespace jobs_bridge::admin {

/// Asks the bridge that listens at `url` (`http://host:port`, with or without a '/' behind it) for
/// its status: the JSON of /api/status. `token`: empty: none. The error says, for a person, what is
/// wrong and what to do.
Result<std::string, std::string> fetch_status(const std::string& url, const std::string& token);

}  // namespace jobs_bridge::admin
