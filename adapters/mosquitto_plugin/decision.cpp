#include "adapters/mosquitto_plugin/decision.h"

#include <algorithm>

#include "adapters/mosquitto_plugin/asker_mark.h"

namespace jobs_bridge::mosquitto_plugin {
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
