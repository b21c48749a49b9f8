#pragma once

#include <functional>

#include "adapters/config/load.h"
#include "bridge/ports/log.h"

namespace jobs_bridge {

struct Start {
  config::LoadOutcome loaded;  ///< without faults
  /// Reads the configuration again, for SIGHUP.
  std::function<config::LoadOutcome()> load_again;
  std::function<void(Severity)> set_log_level;
  /// Has the log count what its rate limit has left out.
  std::function<void()> report_suppressed;
};

/// Serves until SIGTERM or SIGINT, then lets the requests in progress finish and returns the exit
/// status of the process. The signals must be blocked in every thread when this is called
/// (signals.h).
int run_daemon(const Start& start, Log& log);

}  // namespace jobs_bridge
