#pragma once

#include <optional>

#include "bridge/time.h"

/// System settings of the process itself.
namespace jobs_bridge {

/// Keeps the process's memory, above all keys and credentials, out of core dumps and inaccessible
/// to other processes of the same user (ptrace, /proc/PID/mem, /proc/PID/environ).
///
/// This covers the whole process rather than the pages with keys: copies of keys pass through
/// OpenSSL, the MQTT library and many strings, so a list of pages would always be incomplete.
/// RLIMIT_CORE of 0 alone is not enough either, since it does not apply to dumps that the kernel
/// pipes to a program.
void disable_core_dumps();

/// From now on each thread that starts gets a stack of 8 MiB, whatever `ulimit -s` the process was
/// started with: libraries match regular expressions by recursion, so that a peer's data may take
/// some MiB of it. This reserves address space only; memory is used on demand. Fibers have stacks
/// of their own.
void fix_thread_stacks();

/// Returns freed memory to the system. By default the allocator keeps memory that lies between
/// blocks still in use, so that after an outage, with its thousands of requests waiting, the
/// process would stay near its peak size permanently, on a gateway where other programs need the
/// memory.
///
/// Any thread may call it, but not one that devices wait for. Measured on a busy machine with two
/// cores: 1 ms for a heap of 20 MB with little to return, 8 ms with 18 MB of it to return, ten
/// times that for 200 MB; the allocations of other threads wait for parts of it.
void trim_heap();

/// Blocks the signals that wait_for_signal() reports, in the calling thread and all that it starts,
/// and ignores SIGPIPE: a disconnected peer is an error to return, and must not end the process. To
/// be called before anything else, while there is only one thread.
void prepare_signals();

/// The next SIGTERM, SIGINT or SIGHUP; nothing if none came in time.
std::optional<int> wait_for_signal(Duration limit);

}  // namespace jobs_bridge
