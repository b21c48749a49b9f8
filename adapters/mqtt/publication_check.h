#pragma once

#include <cstddef>
#include <optional>

#include "adapters/mqtt/refusal.h"
#include "bridge/jobs/message.h"

namespace jobs_bridge::mqtt {

/// Why this publication must not be sent; nothing if it is valid. A broker closes the connection
/// upon an invalid packet, and Paho checks almost nothing.
///
/// `maximum_packet_size`: in bytes, from the broker's CONNACK (MQTT 5, section 3.2.2.3.6).
/// Properties do not count over MQTT 3.1.1, which has none.
std::optional<Refusal> check_publication(const Publication& publication, bool mqtt_5,
                                         std::size_t maximum_packet_size);

/// The length of its PUBLISH packet at QoS 1, in bytes.
std::size_t packet_size(const Publication& publication, bool mqtt_5);

}  // namespace jobs_bridge::mqtt
