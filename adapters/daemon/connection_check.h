#pragma once

#include <string>
#include <vector>

#include "adapters/config/configuration.h"

namespace jobs_bridge {

/// The result of checking one thing that the bridge will need.
struct Finding {
  std::string name;
  bool good = false;
  std::string text;
  std::string hint;  ///< empty: nothing to do; may also be set if all is well, as an improvement
};

/// Tries broker, credentials, endpoint, journal and the admin address of a configuration, as the
/// bridge would use them, and changes nothing: no file is created, no job is started, and a bridge
/// that runs with the same configuration keeps its connection. Takes half a minute at most.
std::vector<Finding> check_connections(const config::Configuration& configuration);

}  // namespace jobs_bridge
