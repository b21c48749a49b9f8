#include "adapters/mosquitto_plugin/decision.h"

#include <algorithm>

#include "adapters/mosquitto_plugin/asker_mark.h"

namespace jobs_bridge::mosquitto_plugin {
namespace {

std::optional<std::string> owned(std::optional<std::string_view> bytes) {
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
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
  if (!options.bridges.contains(published.client_id) ||
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
