#pragma once

#include <mosquitto.h>
#include <mosquitto_broker.h>

#include <functional>
#include <set>
#include <string>

#include "adapters/mosquitto_plugin/asker_mark.h"
#include "adapters/mosquitto_plugin/decision.h"

namespace jobs_bridge::mosquitto_plugin {

/// The plugin as loaded by the broker, for one listener or for all: marks requests, and delivers
/// replies to the client that sent the request. It keeps no state of a request; the client's
/// identity travels with it (AskerMark). Only the broker's thread uses it. `connected` is shared by
/// all of one broker and outlives them.
class Plugin {
 public:
  Plugin(Options options, ConnectedAskers& connected)
      : options_(std::move(options)), connected_(connected) {}

  /// Called before the broker passes the message to its subscribers. On any failure the message
  /// stays unchanged and is delivered as without the plugin.
  ///
  /// The broker owns a reply once this returns, but adds it to the client's queue only after it has
  /// handled the other input of its connections: a SIGTERM in between loses the reply (mosquitto
  /// 2.0 drops what plugins have published when it ends).
  void on_message(mosquitto_evt_message& message);
  void on_disconnect(const mosquitto_evt_disconnect& event);

 private:
  static void mark(mosquitto_evt_message& message, const MarkRequest& request);
  void deliver(mosquitto_evt_message& message, const DeliverReply& reply) const;
  void warn_of_missing_properties(const std::string& client_id);

  const Options options_;
  ConnectedAskers& connected_;
  /// Bridges about which a warning has been logged since they connected.
  std::set<std::string, std::less<>> warned_of_;
};

}  // namespace jobs_bridge::mosquitto_plugin
