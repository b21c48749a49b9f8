#pragma once

#include <string>
#include <vector>

#include "adapters/config/setting.h"

/// The layers that override the file. A value is taken verbatim, by the key's type; a string may
/// also be quoted as in TOML.
namespace jobs_bridge::config {

/// `sets` are "section.key=value".
Reading read_sets(const std::vector<std::string>& sets);

/// `environment` is "NAME=value"; names that do not start with JOBS_BRIDGE_ are not ours.
Reading read_environment(const std::vector<std::string>& environment);

}  // namespace jobs_bridge::config
