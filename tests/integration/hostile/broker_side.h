#pragma once

#include <cstdint>
#include <string>

#include "tests/integration/bridge/site.h"
#include "tests/integration/mqtt/scripted_broker.h"

/// What a broker of bytes says, and how a good one does.
namespace jobs_bridge::testing_support {

/// Grants what a SUBSCRIBE asks for, however many filters it has.
inline void grant(ScriptedBroker::Connection& connection, const Packet& subscribe,
                  bool mqtt_5 = true) {
  std::size_t at = 2;
  if (mqtt_5) at += 1U + static_cast<unsigned char>(subscribe.body.at(2));
  std::string codes;
  for (; at + 2 < subscribe.body.size(); at += 3U + subscribe.number_at(at)) codes += '\1';
  connection.send(Packet::suback,
                  subscribe.body.substr(0, 2) + std::string(mqtt_5 ? 1 : 0, '\0') + codes);
}

/// As MQTT writes a text: behind its length.
inline std::string text(const std::string& bytes) {
  return std::string{static_cast<char>(bytes.size() >> 8U), static_cast<char>(bytes.size())} +
         bytes;
}

/// Behind the first byte of a packet.
inline std::string remaining_length(std::size_t length) {
  std::string bytes;
  do {
    const auto part = length & 0x7F;
    length >>= 7;
    bytes += static_cast<char>(part | (length > 0 ? 0x80 : 0));
  } while (length > 0);
  return bytes;
}

/// A PUBLISH at QoS 1 without properties; `first`: its first byte.
inline std::string publish(const std::string& topic, std::uint16_t id, bool mqtt_5 = true,
                           char first = '\x32', const std::string& payload = "{}") {
  const auto body = text(topic) + static_cast<char>(id >> 8) + static_cast<char>(id & 0xFF) +
                    std::string(mqtt_5 ? 1 : 0, '\0') + payload;
  return first + remaining_length(body.size()) + body;
}

/// As a good broker does, accepts the bridge and grants its first SUBSCRIBE. False: it has gone.
inline bool take_in(ScriptedBroker::Connection& connection, bool mqtt_5 = true) {
  connection.accept(mqtt_5 ? std::optional<std::string>("") : std::nullopt);
  const auto subscribe = connection.read(Packet::subscribe);
  if (subscribe) grant(connection, *subscribe, mqtt_5);
  return subscribe.has_value();
}

/// A publication for a device: neither the bridge's canary nor its self-test on the Jobs topics,
/// which come when they like.
inline bool is_for_a_device(const Packet& packet) {
  return packet.type == Packet::publish && !packet.topic().starts_with("jobs-bridge/canary/") &&
         packet.topic().find("/~self-test~") == std::string::npos;
}

/// (The bridges of these brokers have no canary, which they would have to send back: until then
/// what they hand over would count as old.)
///
/// As a good broker does, hands one request over and waits for its reply; true: it came.
inline bool serves(ScriptedBroker::Connection& connection, bool mqtt_5 = true) {
  connection.accept(mqtt_5 ? std::optional<std::string>("") : std::nullopt);
  bool asked = false;
  while (const auto packet = connection.read()) {
    if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
    if (packet->type == Packet::subscribe) {
      grant(connection, *packet, mqtt_5);
      if (!asked) connection.send_bytes(publish(start_next_topic("calm"), 7, mqtt_5));
      asked = true;
    }
    if (packet->type != Packet::publish) continue;
    if ((packet->flags & 0x06) != 0) connection.acknowledge(packet->publish_id());
    if (packet->topic().starts_with(start_next_topic("calm") + "/accepted")) return true;
  }
  return false;
}

}  // namespace jobs_bridge::testing_support
