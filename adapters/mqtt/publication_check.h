#pragma once

#include <cstddef>
#include <optional>

#include "adapters/mqtt/refusal.h"
#include "bridge/jobs/message.h"

namespace jobs_bridge::mqtt {

/// Why no broker may be sent this publication; nothing if it is in order. A broker answers an
/// invalid packet by ending the connection, and Paho checks next to nothing.
///
/// `maximum_packet_size`: in bytes, as the broker's CONNACK has it (MQTT 5, section 3.2.2.3.6).
/// Properties do not count over MQTT 3.1.1, which has none.
std::optional<Refusal> check_publication(const Publication& publication, bool mqtt_5,
                                         std::size_t maximum_packet_size);

/// How long its PUBLISH packet is at QoS 1, in bytes.
std::size_t packet_size(const Publication& publication, bool mqtt_5);

}  // namespace jobs_bridge::mqtt
