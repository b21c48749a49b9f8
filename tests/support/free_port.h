#pragma once

namespace jobs_bridge::testing_support {

/// A loopback port that nobody listens on, for a program that must be told one. Another may take it
/// meanwhile, so be prepared to try again.
///
/// Below the range from which the kernel gives ports to outgoing connections: a client that keeps
/// connecting to a port of that range while its server is away may be given the very port as its
/// own, is then connected to itself, and the server cannot come back.
unsigned short free_port();

}  // namespace jobs_bridge::testing_support
