#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "adapters/config/load.h"
#include "bridge/ports/log.h"

namespace jobs_bridge {

/// Applies a changed configuration to a running bridge. It reports the keys that need a restart.
class Reload {
 public:
  /// How each part takes over new values; requests under way are not affected.
  struct Parts {
    std::function<void(const config::Configuration&)> limits;
    std::function<void(Severity)> log_level;
    /// Fetches credentials again. False: there is no need to, since requests are not signed.
    std::function<bool()> credentials;
  };

  /// `running`: the configuration that the bridge was started with. `read`: reads the configuration
  /// again; may be called repeatedly.
  Reload(config::LoadOutcome running, std::function<config::LoadOutcome()> read, Parts parts,
         Log& log);

  /// A configuration with a fault changes nothing. Logs what was done.
  void operator()();

 private:
  config::LoadOutcome running_;        ///< with what was reloaded, as far as values and limits go
  const std::size_t max_packet_size_;  ///< that the broker connection was made with
  const std::function<config::LoadOutcome()> read_;
  const Parts parts_;
  Log& log_;
};

}  // namespace jobs_bridge
