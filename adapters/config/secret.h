#pragma once

#include <string>

#include "bridge/result.h"

namespace jobs_bridge::config {

/// What a file such as broker.password_file holds: at most 4 KiB and not empty, with one line's end
/// (LF or CRLF) at the end left out. The error names the file and the cause, never the content.
Result<std::string, std::string> read_secret(const std::string& path);

}  // namespace jobs_bridge::config
