#pragma once

#include <cstdint>
#include <string>

#include "adapters/daemon/connection_check.h"

namespace jobs_bridge {

/// Whether this user can write a file that outlives the process, or make it, and `room` bytes fit
/// on its disk. Does not touch it: made by root, it would be out of the service's reach.
Finding check_file(const std::string& name, const std::string& key, const std::string& path,
                   std::uint64_t room);

}  // namespace jobs_bridge
