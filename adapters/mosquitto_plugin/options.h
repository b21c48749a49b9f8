#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
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

}  // namespace jobs_bridge::mosquitto_plugin
