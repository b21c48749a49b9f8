#pragma once

namespace jobs_bridge::mqtt {

/// Makes the linker include this program's read(), which is defined in the same file: for
/// libmosquitto it reads through a ReadAhead, bounded as described in packet_size_guard.h, and for
/// all other callers it is the system's. What libmosquitto reads through TLS is checked in the same
/// way.
void interpose_system_read();

}  // namespace jobs_bridge::mqtt
