#pragma once

namespace jobs_bridge::testing_support {

/// Whether a process listens on this port of 127.0.0.1.
bool accepts_connections(unsigned short port);

}  // namespace jobs_bridge::testing_support
