#pragma once

#include <mosquitto.h>
#include <mosquitto_broker.h>

#include <functional>
#include <set>
#include <string>

#include "adapters/mosquitto_plugin/decision.h"

namespace jobs_bridge::mosquitto_plugin {

/// What the broker has loaded, for one listener or for all: marks requests, and delivers replies to
/// whoever asked. It keeps nothing of a request; who asked travels with it (AskerMark). Only the
/// broker's thread uses it.
class Plugin {
 public:
  explicit Plugin(Options options) : options_(std::move(options)) {}

  /// Before the broker hands the message to its subscribers. Whatever fails leaves the message as
  /// it was: it then goes its way as if there were no plugin.
  void on_message(mosquitto_evt_message& message);
  void on_disconnect(const mosquitto_evt_disconnect& event);

 private:
  static void mark(mosquitto_evt_message& message, const MarkRequest& request);
  static void deliver(mosquitto_evt_message& message, const DeliverReply& reply);
  void warn_of_missing_properties(const std::string& client_id);

  const Options options_;
  /// Bridges that have been warned of since they connected.
  std::set<std::string, std::less<>> warned_of_;
};

}  // namespace jobs_bridge::mosquitto_plugin
