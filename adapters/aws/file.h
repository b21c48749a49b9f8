#pragma once

#include <cstddef>
#include <string>

#include "bridge/result.h"

namespace jobs_bridge::aws {

/// Why a file cannot be read.
struct FileFault {
  bool missing = false;
  std::string cause;
};

/// What a regular file holds. Of a pipe or a device nobody knows when it ends, so these are
/// refused.
Result<std::string, FileFault> read_file(const std::string& path, std::size_t limit);

}  // namespace jobs_bridge::aws
