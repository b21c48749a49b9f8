#pragma once

#include "bridge/flow/effects.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Says what became of a request: at debug for what is the device's affair, as a warning where the
/// gateway or its endpoint failed, with the cause, and as an error where an update is lost.
void log_finished(Log& log, const Finished& finished);

/// Says that the endpoint stopped answering, or answers again and for how long it did not.
void log_endpoint_change(Log& log, const EndpointChange& change);

/// Says that calls are made more slowly since the endpoint throttles.
void log_slowed_down(Log& log, const SlowedDown& slowed);

}  // namespace jobs_bridge
