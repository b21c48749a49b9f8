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

/// The options plugin_opt_* in mosquitto.conf.
struct Options {
  /// From plugin_opt_topics_base, which must be the bridge's topics.base.
  TopicGrammar grammar;
  /// From plugin_opt_bridge: the client ids of the bridges, whose replies are delivered.
  std::set<std::string, std::less<>> bridges;
  /// From plugin_opt_also_subscribers: subscribers also get the replies to other clients' requests.
  bool also_subscribers = false;
};

using OptionLine = std::pair<std::string_view, std::string_view>;

/// From names without the prefix plugin_opt_ and their values. The error names the faulty option
/// and tells what is expected.
Result<Options, std::string> read_options(const std::vector<OptionLine>& lines);

/// A PUBLISH that the broker has accepted from a client that may publish to its topic.
struct Published {
  std::string_view client_id;
  /// Whether the client speaks MQTT 5.
  bool mqtt_5 = false;
  std::string_view topic;
  int qos = 0;
  std::optional<std::string_view> correlation_data = {};
};

/// Not for the plugin: the message is passed on unchanged.
struct LeaveAlone {};

/// A request: it is marked with its time of arrival and, by `correlation_data`, with the client
/// that sent it.
struct MarkRequest {
  /// Replaces the request's own. Absent if it would exceed MQTT's limit: the reply then goes to the
  /// subscribers, as without this plugin.
  std::optional<std::string> correlation_data;
};

/// A bridge's reply to a marked request.
struct DeliverReply {
  std::string client_id;  ///< the client that sent the request
  int qos = 0;            ///< the lower of the request's and the reply's
  /// The request's own, which replaces the reply's. Absent if the request had none.
  std::optional<std::string> correlation_data;
  bool also_subscribers = false;
};

/// A bridge whose reply or notification came over a version of MQTT without properties: the
/// requesting client is unknown, and the message goes to the subscribers.
struct BridgeWithoutProperties {};

using Decision = std::variant<LeaveAlone, MarkRequest, DeliverReply, BridgeWithoutProperties>;

/// A cheap check whether decide() could return anything but LeaveAlone for messages on this topic.
bool concerns_us(const Options& options, std::string_view topic);

Decision decide(const Options& options, const Published& published);

}  // namespace jobs_bridge::mosquitto_plugin
