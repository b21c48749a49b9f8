#pragma once

#include <cstdint>
#include <string>

#include "adapters/mqtt/packet_filter.h"

namespace jobs_bridge::mqtt {

/// While one exists, data that this process reads from its TCP connections to this peer goes
/// through a PacketFilter, a new one for each connection. Paho does not expose its sockets, so they
/// are recognised by their peer address, at the first read.
///
/// They get TCP_NODELAY then, which Paho does not set: without it an acknowledgement or a reply
/// waits for the peer's delayed ACK, 40 ms, whenever another packet is still unacknowledged.
class FilteredPeer {
 public:
  /// `address`: a literal one.
  FilteredPeer(const std::string& address, std::uint16_t port, PacketFilter::Limits limits);
  FilteredPeer(const FilteredPeer&) = delete;
  FilteredPeer& operator=(const FilteredPeer&) = delete;
  ~FilteredPeer();

 private:
  const std::uint64_t id_;
};

/// The filter of a connected socket; null if it needs none. For each socket only the thread that
/// reads it may call this; the result is valid until that thread calls it again.
PacketFilter* filter_of(int socket);

}  // namespace jobs_bridge::mqtt
