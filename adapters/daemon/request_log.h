#pragma once

#include "bridge/flow/effects.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Says what became of a request: at debug for what is the device's affair, as a warning where the
/// gateway or its endpoint failed, with the cause.
void log_finished(Log& log, const Finished& finished);

}  // namespace jobs_bridge
