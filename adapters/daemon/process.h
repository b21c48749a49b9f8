#pragma once

#include <optional>

#include "bridge/time.h"

/// What the process asks of the system for itself.
namespace jobs_bridge {

/// Keeps what the process has in memory, keys and credentials above all, out of core dumps, and out
/// of the reach of other processes of the same user (ptrace, /proc/PID/mem, /proc/PID/environ).
///
/// The whole process rather than the pages with keys: copies of them pass through OpenSSL, the MQTT
/// library and many a string, so a list of pages would always miss some. The limit of 0 alone would
/// not do either, since it does not hold for dumps that the kernel pipes to a program.
void disable_core_dumps();

/// From now on each thread that starts gets a stack of 8 MiB, whatever `ulimit -s` the process was
/// started with: libraries match regular expressions by recursion, so that what a peer sends may
/// take some MiB of it. Address space only; memory is what is used. Fibers have their own.
void fix_thread_stacks();

/// Gives memory that was freed back to the system. By itself the allocator keeps what lies between
/// blocks still in use, so that after an outage, with its thousands of requests waiting, the
/// process would stay near its largest size for good, on a gateway where others need the memory.
///
/// Any thread, but not one that devices wait for. Measured on a busy machine of two cores: 1 ms for
/// a heap of 20 MB with little to give, 8 ms with 18 MB of it to give, ten times that for 200 MB;
/// the allocations of other threads wait for parts of it.
void trim_heap();

/// Blocks the signals that wait_for_signal() reports, in the calling thread and all that it starts,
/// and ignores SIGPIPE: a peer that has gone is an error to be returned, not the end of the
/// process. To be called first of all, while there is but one thread.
void prepare_signals();

/// The next SIGTERM, SIGINT or SIGHUP; nothing: none came in time.
std::optional<int> wait_for_signal(Duration limit);

}  // namespace jobs_bridge
