#pragma once

namespace jobs_bridge {

/// Blocks the signals that wait_for_signal() reports, in the calling thread and all that it starts,
/// and ignores SIGPIPE: a peer that has gone is an error to be returned, not the end of the
/// process. To be called first of all, while there is but one thread.
void prepare_signals();

/// The next SIGTERM, SIGINT or SIGHUP.
int wait_for_signal();

}  // namespace jobs_bridge
