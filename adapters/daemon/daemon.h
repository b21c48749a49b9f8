#pragma once

#include "adapters/config/configuration.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Serves until SIGTERM or SIGINT, then lets the requests in progress finish and returns the
/// process's exit status. The signals must be blocked in every thread when this is called
/// (signals.h).
int run_daemon(const config::Configuration& configuration, Log& log);

}  // namespace jobs_bridge
