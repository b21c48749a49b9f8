#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/config/configuration.h"
#include "adapters/config/fault.h"
#include "adapters/config/host_placeholders.h"
#include "adapters/config/setting.h"

namespace jobs_bridge::config {

struct LoadOutcome {
  /// Present exactly when there are no faults.
  std::optional<Configuration> configuration;
  /// All faults, in the order file (by line), environment, `--set`.
  std::vector<Fault> faults;
  /// Warnings: the configuration is usable but probably not what was intended.
  std::vector<Fault> warnings;
  /// The value of each key as written; for a list its elements.
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, Origin> origins;  ///< where each key was set

  /// A fault of a key that shows only once its value is used.
  [[nodiscard]] Fault fault_of(const std::string& key, std::string message, std::string hint) const;
};

/// The keys, as `section.key`, that two loads of a configuration give different values.
std::vector<std::string> changed_keys(const LoadOutcome& before, const LoadOutcome& after);

/// The default path of the configuration file.
constexpr const char* default_file = "/etc/jobs-bridge/jobs-bridge.toml";

/// Reads the TOML file `path`, if there is one, lets `environment` ("NAME=value", those that start
/// with JOBS_BRIDGE_) override it and `sets` ("section.key=value") override both, and checks the
/// result: each value, values against each other, and the files that they name. Of an overridden
/// value only the type is checked. `host`: what `{hostname}` and `{ordinal}` stand for.
LoadOutcome load(const std::optional<std::string>& path, const std::vector<std::string>& sets,
                 const std::vector<std::string>& environment,
                 const std::string& host = this_host());

}  // namespace jobs_bridge::config
