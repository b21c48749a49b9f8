#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/config/configuration.h"
#include "adapters/config/fault.h"
#include "adapters/config/host_placeholders.h"

namespace jobs_bridge::config {

struct LoadOutcome {
  /// Present exactly when there are no faults.
  std::optional<Configuration> configuration;
  /// All of them, in the order file (by line), environment, `--set`.
  std::vector<Fault> faults;
  /// The configuration is usable but likely not what was meant.
  std::vector<Fault> warnings;
  /// What each key was set to, as it was written; of a list its elements.
  std::map<std::string, std::vector<std::string>> values;
};

/// The keys, as `section.key`, that two loads of a configuration give different values.
std::vector<std::string> changed_keys(const LoadOutcome& before, const LoadOutcome& after);

/// Where a configuration is looked for that nobody names.
constexpr const char* usual_file = "/etc/jobs-bridge/jobs-bridge.toml";

/// Reads the TOML file `path`, if there is one, lets `environment` ("NAME=value", those that start
/// with JOBS_BRIDGE_) override it and `sets` ("section.key=value") override both, and checks the
/// result: values by themselves, with each other, and against the files that they name. A value
/// that is overridden is checked for its type only. `host`: what `{hostname}` and `{ordinal}` stand
/// for.
LoadOutcome load(const std::optional<std::string>& path, const std::vector<std::string>& sets,
                 const std::vector<std::string>& environment,
                 const std::string& host = this_host());

}  // namespace jobs_bridge::config
