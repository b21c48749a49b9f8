#pragma once

#include <string>
#include <vector>

#include "adapters/config/configuration.h"
#include "adapters/daemon/finding.h"

namespace jobs_bridge {

/// Tries broker, credentials, endpoint, journal and the admin address of a configuration, as the
/// bridge would use them, and changes nothing: no file is created, no job is started, and a bridge
/// that runs with the same configuration keeps its connection. Takes half a minute at most.
/// `check`: the command line that does it again, for hints.
std::vector<Finding> check_connections(const config::Configuration& configuration,
                                       const std::string& check);

}  // namespace jobs_bridge
