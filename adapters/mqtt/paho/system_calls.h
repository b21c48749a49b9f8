#pragma once

#include <chrono>

namespace jobs_bridge::mqtt {

/// Has this program's recv(), writev() and SSL_write() linked, which stand before those that Paho
/// would call otherwise.
void stand_before_system_calls();

/// Whether Paho has failed to write to a broker that has gone, since then; any thread. It gives the
/// connection up without a word, as it does over a packet that it cannot read: while messages
/// stream in, it is the acknowledgement of one that meets the closed connection first.
///
/// Known as reads.h knows what was read.
bool write_failed_since(std::chrono::steady_clock::time_point when);

}  // namespace jobs_bridge::mqtt
