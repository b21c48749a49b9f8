#pragma once

#include <cstddef>
#include <cstdint>

namespace jobs_bridge::mqtt {

/// Sets TCP_NODELAY on this process's TCP connections to `port`; returns how many there are.
///
/// Paho does not set it and does not expose its descriptors. Without it an acknowledgement or a
/// reply waits for the peer's delayed ACK, 40 ms, whenever another packet is still unacknowledged.
/// So the descriptor is searched for among all descriptors of the process. A connection of another
/// part of this process to the same port gets the option too, which is harmless: nothing here sends
/// bulk data.
std::size_t set_no_delay(std::uint16_t port);

}  // namespace jobs_bridge::mqtt
