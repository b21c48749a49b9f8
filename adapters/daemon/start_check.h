#pragma once

#include <vector>

#include "adapters/config/fault.h"
#include "adapters/config/load.h"

namespace jobs_bridge {

/// Why a bridge with this configuration, which is valid by itself, would refuse to start whoever
/// runs it: what the files that it names contain. Connects to nothing and changes nothing.
std::vector<config::Fault> check_start(const config::LoadOutcome& loaded);

}  // namespace jobs_bridge
