#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "bridge/result.h"

namespace jobs_bridge::config {

/// What a regular file holds. The error completes "the file ..." ("does not exist"), without its
/// name. Pipes and devices are refused: they may never end, and hold nothing when they are read
/// again.
Result<std::string, std::string> read_file(const std::string& path, std::size_t limit);

/// Why `path` is no regular file that we may read; nothing if it is.
std::optional<std::string> why_unreadable(const std::string& path);

/// Whether too many may read the file: everybody, or the group of a file that is our own. A file of
/// another owner, such as root, that only our group may read was given to us in that way.
bool is_readable_by_others(const std::string& path);

/// Whether the directory is there that `path` is in, or would be.
bool has_directory(const std::string& path);

}  // namespace jobs_bridge::config
