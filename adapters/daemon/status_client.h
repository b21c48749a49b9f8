#pragma once

#include <string>

#include "bridge/result.h"

namespace jobs_bridge {

/// Asks the bridge that listens at `url` (`http://host:port`, with or without a trailing '/') for
/// its status: the JSON of /api/status. `token`: empty: none. The error tells the user what is
/// wrong and what to do; it may contain text sent by the server at that address.
///
/// Uses the same HTTP client as for the endpoint: whatever server answers, time, length and stack
/// use are bounded.
Result<std::string, std::string> fetch_status(const std::string& url, const std::string& token);

}  // namespace jobs_bridge
