#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "bridge/result.h"

namespace jobs_bridge::files {

/// Why a file cannot be read.
struct ReadFault {
  bool missing = false;
  std::string cause;  ///< completes "the file ..." ("does not exist"), without its name
};

/// The content of a regular file. Pipes and devices are refused: they may never end, and are empty
/// when read again.
Result<std::string, ReadFault> read_file(const std::string& path, std::size_t limit);

/// Why `path` is not a regular file that we may read; nothing if it is.
std::optional<std::string> why_unreadable(const std::string& path);

/// Whether more users than intended may read the file: everyone, or the group if we own the file. A
/// file of another owner, such as root, that only our group may read was made available to us on
/// purpose.
bool is_readable_by_others(const std::string& path);

/// Whether the directory of `path` exists.
bool has_directory(const std::string& path);

}  // namespace jobs_bridge::files
