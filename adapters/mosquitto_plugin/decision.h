#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "bridge/jobs/topic.h"
#include "bridge/result.h"

namespace jobs_bridge::mosquitto_plugin {

/// What the lines plugin_opt_* of mosquitto.conf say.
struct Options {
  /// From plugin_opt_topics_base, which must be the bridge's topics.base.
  TopicGrammar grammar;
  /// From plugin_opt_bridge: the client ids of the bridges, whose replies are delivered.
  std::set<std::string, std::less<>> bridges;
  /// From plugin_opt_also_subscribers: whoever is subscribed hears replies to others too.
  bool also_subscribers = false;
};

using OptionLine = std::pair<std::string_view, std::string_view>;

/// From names without the prefix plugin_opt_ and their values. The error names the line at fault
/// and says what would be right.
Result<Options, std::string> read_options(const std::vector<OptionLine>& lines);

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
