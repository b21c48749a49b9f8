#pragma once

#include <cstddef>
#include <cstdint>

namespace jobs_bridge::mqtt {

/// Sets TCP_NODELAY on this process's TCP connections to `port`; says how many there are.
///
/// Paho sets it on none of its sockets and shows none of their descriptors. Without it an
/// acknowledgement or a reply waits for the peer's delayed ACK, 40 ms, whenever another packet is
/// still unacknowledged. So the descriptor is looked for among the process's own. A connection of
/// another part of this process to the same port gets the option too, which does no harm: nothing
/// here sends bulk data.
std::size_t set_no_delay(std::uint16_t port);

}  // namespace jobs_bridge::mqtt
