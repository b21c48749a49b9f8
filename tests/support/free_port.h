#pragma once

namespace jobs_bridge::testing_support {

/// A loopback port that no process listens on, for a program that needs a port number. Another
/// process may take it meanwhile, so callers must be prepared to try again.
///
/// Below the range from which the kernel gives ports to outgoing connections: a client that keeps
/// connecting to a port of that range while its server is away may be given the very port as its
/// own, is then connected to itself, and the server cannot come back.
unsigned short free_port();

}  // namespace jobs_bridge::testing_support
