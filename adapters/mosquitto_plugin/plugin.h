#pragma once

#include <mosquitto.h>
#include <mosquitto_broker.h>

#include <functional>
#include <set>
#include <string>

#include "adapters/mosquitto_plugin/asker_mark.h"
#include "adapters/mosquitto_plugin/decision.h"

namespace jobs_bridge::mosquitto_plugin {

/// What the broker has loaded, for one listener or for all: marks requests, and delivers replies to
/// whoever asked. It keeps nothing of a request; who asked travels with it (AskerMark). Only the
/// broker's thread uses it. `connected` is shared by all of one broker and outlives them.
class Plugin {
 public:
  Plugin(Options options, ConnectedAskers& connected)
      : options_(std::move(options)), connected_(connected) {}

  /// Before the broker hands the message to its subscribers. Whatever fails leaves the message as
  /// it was: it then goes its way as if there were no plugin.
  ///
  /// A reply is the broker's once this returns, but in its asker's queue only after the broker has
  /// gone through what else its connections had to say: a SIGTERM in between loses it (mosquitto
  /// 2.0 drops what plugins have published when it ends).
  void on_message(mosquitto_evt_message& message);
  void on_disconnect(const mosquitto_evt_disconnect& event);

 private:
  static void mark(mosquitto_evt_message& message, const MarkRequest& request);
  void deliver(mosquitto_evt_message& message, const DeliverReply& reply) const;
  void warn_of_missing_properties(const std::string& client_id);

  const Options options_;
  ConnectedAskers& connected_;
  /// Bridges that have been warned of since they connected.
  std::set<std::string, std::less<>> warned_of_;
};

}  // namespace jobs_bridge::mosquitto_plugin
