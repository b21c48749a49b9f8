#pragma once

#include <string>

#include "bridge/result.h"

namespace jobs_bridge::config {

/// The content of a file such as broker.password_file: at most 4 KiB and not empty, without one
/// trailing newline (LF or CRLF). The error names the file and the cause, never the content.
Result<std::string, std::string> read_secret(const std::string& path);

}  // namespace jobs_bridge::config
