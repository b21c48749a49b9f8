#pragma once

#include <cstdint>
#include <string>

#include "adapters/daemon/finding.h"

namespace jobs_bridge {

/// Whether this user can write or create a file that outlives the process, and `room` bytes fit on
/// its disk. Does not create it: a file created by root could not be opened by the service.
Finding check_file(const std::string& name, const std::string& key, const std::string& path,
                   std::uint64_t room);

}  // namespace jobs_bridge
