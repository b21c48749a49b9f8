#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace jobs_bridge::mosquitto_plugin {

/// Who asked, as it travels in a request's Correlation Data to the bridge and back with the reply:
/// the bridge returns Correlation Data untouched, from its journal too, whatever MQTT version the
/// device speaks.
///
///     4 bytes  "\xffJB\x01"
///     1 byte   bits 0 and 1: QoS of the request; bit 2: the request had Correlation Data
///     2 bytes  length of the client id, high byte first
///     n bytes  client id
///     the rest the request's own Correlation Data
struct AskerMark {
  std::string client_id;
  int qos = 0;
  /// The device's own; absent: its request had none.
  std::optional<std::string> correlation_data = {};

  friend bool operator==(const AskerMark&, const AskerMark&) = default;
};

/// The longest Correlation Data that MQTT can carry, in bytes (MQTT 5, section 1.5.6).
constexpr std::size_t longest_correlation_data = 65535;

/// Nothing if it would be longer than MQTT allows.
std::optional<std::string> encode(const AskerMark& mark);

/// Nothing if these bytes are not what encode() makes.
std::optional<AskerMark> decode(std::string_view correlation_data);

/// The clients that have asked on the connection that they have now. One for all listeners of a
/// broker, since who asks on one is answered by a bridge on another. As large as there are
/// connections.
///
/// It is there for replies of QoS 0, which are for the connection that asked and no later one:
/// mosquitto drops them anyway where a session has no connection, but never frees what it drops so.
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
