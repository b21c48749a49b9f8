#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace jobs_bridge::mosquitto_plugin {

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
