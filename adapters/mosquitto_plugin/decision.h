#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "adapters/mosquitto_plugin/options.h"

namespace jobs_bridge::mosquitto_plugin {

/// A PUBLISH that the broker has taken from a client which may publish to its topic.
struct Published {
  std::string_view client_id;
  /// Whether the client speaks MQTT 5.
  bool mqtt_5 = false;
  std::string_view topic;
  int qos = 0;
  std::optional<std::string_view> correlation_data = {};
};

/// None of our business: it goes its way as it came.
struct LeaveAlone {};

/// A request: it gets its time of arrival and, with `correlation_data`, says who asked.
struct MarkRequest {
  /// To be put in place of the request's own. Absent: there is no room for it in what MQTT allows,
  /// and the reply goes to who is subscribed, as without this plugin.
  std::optional<std::string> correlation_data;
};

/// A bridge's reply to a marked request.
struct DeliverReply {
  std::string client_id;  ///< whoever asked
  int qos = 0;            ///< the request's, or the reply's where that is lower
  /// The request's own, to be put in place of the reply's. Absent: the request had none.
  std::optional<std::string> correlation_data;
  bool also_subscribers = false;
};

/// A bridge whose reply or notification came over an MQTT that has no properties: nobody can tell
/// who asked, and it goes to who is subscribed.
struct BridgeWithoutProperties {};

using Decision = std::variant<LeaveAlone, MarkRequest, DeliverReply, BridgeWithoutProperties>;

/// Whether decide() could come to anything but LeaveAlone for messages on this topic: cheap to
/// know.
bool concerns_us(const Options& options, std::string_view topic);

Decision decide(const Options& options, const Published& published);

}  // namespace jobs_bridge::mosquitto_plugin
