#pragma once

#include <string>
#include <vector>

#include "adapters/config/configuration.h"

namespace jobs_bridge {

/// What came of trying one thing that the bridge will need.
struct Finding {
  std::string name;
  bool good = false;
  std::string text;
  std::string cure;  ///< empty: nothing needs one; what is good may yet be better
};

/// Tries broker, credentials, endpoint, journal and the admin address of a configuration, as the
/// bridge would use them, and changes nothing: no file is made, no job is started, and a bridge
/// that runs with the same configuration keeps its connection. Takes half a minute at most.
std::vector<Finding> check_connections(const config::Configuration& configuration);

}  // namespace jobs_bridge
