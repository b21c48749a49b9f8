#pragma once

namespace jobs_bridge {

/// From now on each thread that starts gets a stack of 8 MiB, whatever `ulimit -s` the process was
/// started with: libraries match regular expressions by recursion, so that what a peer sends may
/// take some MiB of it. Address space only; memory is what is used. Fibers have their own.
void fix_thread_stacks();

}  // namespace jobs_bridge
