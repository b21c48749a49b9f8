#pragma once

#include <chrono>

namespace jobs_bridge::mqtt {

/// Makes the linker include this program's recv(), writev(), SSL_write() and SSL_connect(), which
/// take precedence over those that Paho would otherwise call.
void interpose_system_calls();

/// Whether, since then, Paho has failed to write to a broker that closed the connection; any thread
/// may call it. Paho gives the connection up without a reason, as it does after a packet that it
/// cannot parse: while messages stream in, writing an acknowledgement is the first operation that
/// meets the closed connection.
///
/// Detected in the same way as reads in packet_size_guard.h.
bool write_failed_since(std::chrono::steady_clock::time_point when);

}  // namespace jobs_bridge::mqtt
