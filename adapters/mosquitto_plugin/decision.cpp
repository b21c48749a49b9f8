#include "adapters/mosquitto_plugin/decision.h"

#include <algorithm>
#include <optional>

#include "adapters/mosquitto_plugin/asker_mark.h"

namespace jobs_bridge::mosquitto_plugin {

Result<Options, std::string> read_options(const std::vector<OptionLine>& lines) {
  std::optional<std::string_view> base;
  std::optional<bool> also_subscribers;
  std::set<std::string, std::less<>> bridges;
  for (const auto& [name, value] : lines) {
    const auto line = "plugin_opt_" + std::string(name);
    if (name == "topics_base") {
      if (base) return Failure{line + " is given twice"};
      base = value;
    } else if (name == "bridge") {
      bridges.emplace(value);
    } else if (name == "also_subscribers") {
      if (also_subscribers) return Failure{line + " is given twice"};
      if (value != "true" && value != "false") {
        return Failure{line + " is \"" + std::string(value) + "\"; it must be true or false"};
      }
      also_subscribers = value == "true";
    } else {
      return Failure{"unknown option " + line +
                     "; the options are plugin_opt_bridge, plugin_opt_topics_base and "
                     "plugin_opt_also_subscribers"};
    }
  }
  auto grammar = TopicGrammar::from_base(base.value_or("$aws/things/{thing}/jobs"));
  if (!grammar) return Failure{"plugin_opt_topics_base " + grammar.error()};
  if (bridges.empty()) bridges.emplace("jobs-bridge");
  return Options{.grammar = std::move(grammar).value(),
                 .bridges = std::move(bridges),
                 .also_subscribers = also_subscribers.value_or(false)};
}

namespace {

std::optional<std::string> owned(std::optional<std::string_view> bytes) {
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

/// A bridge publishes as itself or, while the broker acknowledges late, over a second connection of
/// that name (adapters/mqtt/reply_connection.h).
bool is_bridge(const Options& options, std::string_view client_id) {
  if (options.bridges.contains(client_id)) return true;
  constexpr std::string_view second = "-replies";
  return client_id.ends_with(second) &&
         options.bridges.contains(client_id.substr(0, client_id.size() - second.size()));
}

}  // namespace

bool concerns_us(const Options& options, std::string_view topic) {
  return !options.grammar.thing_level(topic).empty() || options.grammar.brings_in(topic);
}

Decision decide(const Options& options, const Published& published) {
  if (options.grammar.brings_in(published.topic)) {
    return MarkRequest{encode({.client_id = std::string(published.client_id),
                               .qos = published.qos,
                               .correlation_data = owned(published.correlation_data)})};
  }
  if (!is_bridge(options, published.client_id) ||
      options.grammar.thing_level(published.topic).empty()) {
    return LeaveAlone{};
  }
  if (!published.mqtt_5) return BridgeWithoutProperties{};
  if (!published.correlation_data) return LeaveAlone{};
  auto mark = decode(*published.correlation_data);
  if (!mark) return LeaveAlone{};
  return DeliverReply{.client_id = std::move(mark->client_id),
                      .qos = std::min(mark->qos, published.qos),
                      .correlation_data = std::move(mark->correlation_data),
                      .also_subscribers = options.also_subscribers};
}

}  // namespace jobs_bridge::mosquitto_plugin
