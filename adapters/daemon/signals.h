#pragma once

#include <optional>

#include "bridge/time.h"

namespace jobs_bridge {

/// Blocks the signals that wait_for_signal() reports, in the calling thread and all that it starts,
/// and ignores SIGPIPE: a peer that has gone is an error to be returned, not the end of the
/// process. To be called first of all, while there is but one thread.
void prepare_signals();

/// The next SIGTERM, SIGINT or SIGHUP; nothing: none came in time.
std::optional<int> wait_for_signal(Duration limit);

}  // namespace jobs_bridge
