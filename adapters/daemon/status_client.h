#pragma once

#include <string>

#include "bridge/result.h"

namespace jobs_bridge {

/// Asks the bridge that listens at `url` (`http://host:port`, with or without a '/' behind it) for
/// its status: the JSON of /api/status. `token`: empty: none. The error says, for a person, what is
/// wrong and what to do; it may hold what whoever listens there has sent.
///
/// By the client that the endpoint is asked with: whatever answers at the address, it is bounded in
/// time, length and stack.
Result<std::string, std::string> fetch_status(const std::string& url, const std::string& token);

}  // namespace jobs_bridge
