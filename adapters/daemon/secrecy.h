#pragma once

namespace jobs_bridge {

/// Keeps what the process has in memory, keys and credentials above all, out of core dumps, and out
/// of the reach of other processes of the same user (ptrace, /proc/PID/mem, /proc/PID/environ).
///
/// The whole process rather than the pages with keys: copies of them pass through OpenSSL, the MQTT
/// library and many a string, so a list of pages would always miss some. The limit of 0 alone would
/// not do either, since it does not hold for dumps that the kernel pipes to a program.
void forbid_memory_dumps();

}  // namespace jobs_bridge
