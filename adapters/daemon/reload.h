#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "adapters/config/load.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Brings a changed configuration to a bridge that runs. What it cannot bring it names.
class Reload {
 public:
  /// How each part takes over what is new; requests under way are not touched.
  struct Parts {
    std::function<void(const config::Configuration&)> limits;
    std::function<void(Severity)> log_level;
    /// Asks for credentials again.
    std::function<void()> credentials;
  };

  /// `running`: what the bridge was started with. `read`: reads it again, fit for repetition.
  Reload(config::LoadOutcome running, std::function<config::LoadOutcome()> read, Parts parts,
         Log& log);

  /// A configuration with a fault changes nothing. Says in the log what was done.
  void operator()();

 private:
  config::LoadOutcome running_;        ///< with what was reloaded, as far as values and limits go
  const std::size_t max_packet_size_;  ///< that the broker connection was made with
  const std::function<config::LoadOutcome()> read_;
  const Parts parts_;
  Log& log_;
};

}  // namespace jobs_bridge
