#include "adapters/mosquitto_plugin/plugin.h"

#include <chrono>
#include <optional>

#include "adapters/mosquitto_plugin/property_list.h"
#include "bridge/jobs/arrival.h"

namespace jobs_bridge::mosquitto_plugin {
namespace {

std::string now_in_milliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

/// Changes a topic so that no subscriber receives it: a level that holds '#' among other characters
/// is in no valid filter, and a wildcard at the beginning of a filter does not match '$' (MQTT 5,
/// sections 4.7.1 and 4.7.2). Done in place, since brokers differ in whether they free a replaced
/// topic.
void make_unreachable(char* topic) {
  topic[0] = '$';
  topic[1] = '#';
}

/// Takes over `properties`. A null client id means all subscribers.
bool publish(const char* client_id, const mosquitto_evt_message& message, int qos,
             PropertyList& properties) {
  auto* list = properties.release();
  const int error =
      mosquitto_broker_publish_copy(client_id, message.topic, static_cast<int>(message.payloadlen),
                                    message.payload, qos, false, list);
  if (error == MOSQ_ERR_SUCCESS) return true;
  mosquitto_property_free_all(&list);
  return false;
}

/// The reply's properties with the device's own Correlation Data.
bool restore(PropertyList& properties, const mosquitto_evt_message& message,
             const DeliverReply& reply) {
  return properties.copy(message.properties, {.correlation_data = true}) &&
         (!reply.correlation_data || properties.add_correlation_data(*reply.correlation_data));
}

}  // namespace

void Plugin::on_message(mosquitto_evt_message& message) {
  const char* const client_id = mosquitto_client_id(message.client);
  if (client_id == nullptr || message.topic == nullptr) return;
  // Most messages do not concern us, and the topic is the cheapest way to see that.
  if (!concerns_us(options_, message.topic)) return;
  const auto correlation_data = correlation_data_of(message.properties);
  const auto decision =
      decide(options_, {.client_id = client_id,
                        .mqtt_5 = mosquitto_client_protocol_version(message.client) == 5,
                        .topic = message.topic,
                        .qos = message.qos,
                        .correlation_data = correlation_data});
  if (const auto* request = std::get_if<MarkRequest>(&decision)) {
    connected_.asked(client_id);
    mark(message, *request);
  }
  if (const auto* reply = std::get_if<DeliverReply>(&decision)) deliver(message, *reply);
  if (std::holds_alternative<BridgeWithoutProperties>(decision)) {
    warn_of_missing_properties(client_id);
  }
}

void Plugin::mark(mosquitto_evt_message& message, const MarkRequest& request) {
  PropertyList properties;
  const bool complete =
      properties.copy(message.properties, {.correlation_data = request.correlation_data.has_value(),
                                           .user_property = arrival_property}) &&
      (!request.correlation_data || properties.add_correlation_data(*request.correlation_data)) &&
      properties.add_user_property(std::string(arrival_property).c_str(),
                                   now_in_milliseconds().c_str());
  if (!complete) return;
  if (message.properties == nullptr) {
    message.properties = properties.release();
  } else {
    properties.exchange_with(message.properties);
  }
}

void Plugin::deliver(mosquitto_evt_message& message, const DeliverReply& reply) const {
  const bool wanted = reply.qos > 0 || connected_.contains(reply.client_id);
  PropertyList for_asker;
  PropertyList for_subscribers;
  if (!restore(for_asker, message, reply) ||
      (reply.also_subscribers && !restore(for_subscribers, message, reply)) ||
      (wanted && !publish(reply.client_id.c_str(), message, reply.qos, for_asker))) {
    return;
  }
  if (reply.also_subscribers) publish(nullptr, message, message.qos, for_subscribers);
  make_unreachable(message.topic);
  message.retain = false;
}

void Plugin::warn_of_missing_properties(const std::string& client_id) {
  if (!warned_of_.insert(client_id).second) return;
  mosquitto_log_printf(
      MOSQ_LOG_WARNING,
      "jobs-bridge-mosquitto: the bridge %s speaks MQTT 3.1.1, which has no properties: its "
      "replies "
      "go to subscribers only. Set broker.protocol = \"5\" in the bridge's configuration.",
      client_id.c_str());
}

void Plugin::on_disconnect(const mosquitto_evt_disconnect& event) {
  const char* const client_id = mosquitto_client_id(event.client);
  if (client_id == nullptr) return;
  connected_.left(client_id);
  warned_of_.erase(client_id);
}

}  // namespace jobs_bridge::mosquitto_plugin
