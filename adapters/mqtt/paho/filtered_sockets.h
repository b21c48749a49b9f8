#pragma once

#include <cstdint>
#include <string>

#include "adapters/mqtt/packet_filter.h"

namespace jobs_bridge::mqtt {

/// While one lives, what this process reads from its TCP connections to this peer goes through a
/// PacketFilter, a new one for each. Paho shows none of its sockets, so they are known by whom they
/// are connected to.
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

/// The filter of a connected socket; null: it needs none. To be called, for each socket, by one
/// thread alone, the one that reads it; valid until that thread asks for it again.
PacketFilter* filter_of(int socket);

}  // namespace jobs_bridge::mqtt
