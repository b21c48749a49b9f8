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

/// The content of a regular file. Pipes and devices are refused, since they may never end.
Result<std::string, FileFault> read_file(const std::string& path, std::size_t limit);

}  // namespace jobs_bridge::aws
