#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace jobs_bridge::mosquitto_plugin {

/// Identifies the client that sent a request. It travels in the request's Correlation Data to the
/// bridge and back with the reply: the bridge returns Correlation Data untouched, from its journal
/// too, whatever MQTT version the device speaks.
///
///     4 bytes  "\xffJB\x01"
///     1 byte   bits 0 and 1: QoS of the request; bit 2: the request had Correlation Data
///     2 bytes  length of the client id, high byte first
///     n bytes  client id
///     the rest the request's own Correlation Data
struct AskerMark {
  std::string client_id;
  int qos = 0;
  /// The device's own Correlation Data; absent if its request had none.
  std::optional<std::string> correlation_data = {};

  friend bool operator==(const AskerMark&, const AskerMark&) = default;
};

/// The longest Correlation Data that MQTT can carry, in bytes (MQTT 5, section 1.5.6).
constexpr std::size_t max_correlation_data = 65535;

/// Nothing if it would be longer than MQTT allows.
std::optional<std::string> encode(const AskerMark& mark);

/// Nothing if these bytes are not what encode() makes.
std::optional<AskerMark> decode(std::string_view correlation_data);

/// The clients that have sent a request on their present connection. There is one for all listeners
/// of a broker, since a request on one listener is answered by a bridge on another. Grows with the
/// number of connections.
///
/// It is needed for replies of QoS 0, which are only for the connection that sent the request:
/// mosquitto drops them anyway for a session without a connection, but leaks the memory of messages
/// dropped in that way.
class ConnectedAskers {
 public:
  void asked(std::string_view client_id) { clients_.emplace(client_id); }
  void left(std::string_view client_id) { clients_.erase(std::string(client_id)); }
  [[nodiscard]] bool contains(const std::string& client_id) const {
    return clients_.contains(client_id);
  }

 private:
  std::unordered_set<std::string> clients_;
};

}  // namespace jobs_bridge::mosquitto_plugin
