#include "adapters/mqtt/mosquitto/properties.h"

#include <mqtt_protocol.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "bridge/jobs/arrival.h"

namespace jobs_bridge::mqtt {
namespace {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

std::string text_in(const mosquitto_property* properties, int identifier) {
  char* text = nullptr;
  mosquitto_property_read_string(properties, identifier, &text, false);
  const std::unique_ptr<char, Free> owner(text);
  return text != nullptr ? text : "";
}

std::string bytes_in(const mosquitto_property* properties, int identifier) {
  void* bytes = nullptr;
  std::uint16_t size = 0;
  mosquitto_property_read_binary(properties, identifier, &bytes, &size, false);
  const std::unique_ptr<void, Free> owner(bytes);
  return bytes != nullptr ? std::string(static_cast<const char*>(bytes), size) : std::string();
}

/// The value of arrival_property, if there is exactly one.
std::string arrival_in(const mosquitto_property* properties) {
  std::string arrival;
  std::size_t found = 0;
  for (bool next = false;; next = true) {
    char* name = nullptr;
    char* value = nullptr;
    properties = mosquitto_property_read_string_pair(properties, MQTT_PROP_USER_PROPERTY, &name,
                                                     &value, next);
    const std::unique_ptr<char, Free> owner_of_name(name);
    const std::unique_ptr<char, Free> owner_of_value(value);
    if (properties == nullptr) return found == 1 ? arrival : std::string();
    if (name == nullptr || value == nullptr || name != arrival_property) continue;
    arrival = value;
    ++found;
  }
}

/// With one of mosquitto_property_read_byte(), ..._int16() and ..._int32().
template <typename Value, typename Read>
std::optional<Value> number_in(const mosquitto_property* properties, int identifier, Read read) {
  Value value = 0;
  if (read(properties, identifier, &value, false) == nullptr) return std::nullopt;
  return value;
}

std::uint32_t as_property(std::uint64_t value) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

/// Puts one into the list by `add`, one of libmosquitto's functions.
template <typename Add, typename... Value>
void put(Properties& list, Add add, int identifier, Value... value) {
  auto* head = list.release();
  const int error = add(&head, identifier, value...);
  list.reset(head);
  if (error != MOSQ_ERR_SUCCESS) throw std::runtime_error(mosquitto_strerror(error));
}

}  // namespace

Message message_of(const mosquitto_message& message, const mosquitto_property* properties) {
  Message ours{.topic = message.topic,
               .payload = std::string(static_cast<const char*>(message.payload),
                                      static_cast<std::size_t>(message.payloadlen)),
               .retained = message.retain};
  if (properties != nullptr) {
    ours.response_topic = text_in(properties, MQTT_PROP_RESPONSE_TOPIC);
    ours.correlation_data = bytes_in(properties, MQTT_PROP_CORRELATION_DATA);
    ours.content_type = text_in(properties, MQTT_PROP_CONTENT_TYPE);
    if (const auto seconds = number_in<std::uint32_t>(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                                      mosquitto_property_read_int32)) {
      ours.expires_after = std::chrono::seconds(*seconds);
    }
    ours.arrival = arrival_in(properties);
  }
  return ours;
}

Properties properties_of(const Publication& publication) {
  Properties list;
  if (const auto& data = publication.correlation_data; !data.empty()) {
    put(list, mosquitto_property_add_binary, MQTT_PROP_CORRELATION_DATA,
        static_cast<const void*>(data.data()), static_cast<std::uint16_t>(data.size()));
  }
  if (!publication.content_type.empty()) {
    put(list, mosquitto_property_add_string, MQTT_PROP_CONTENT_TYPE,
        publication.content_type.c_str());
  }
  return list;
}

Properties properties_of(const BrokerSettings& settings) {
  Properties list;
  const auto expiry = std::max<std::int64_t>(settings.session_expiry.count(), 0);
  put(list, mosquitto_property_add_int32, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
      as_property(static_cast<std::uint64_t>(expiry)));
  put(list, mosquitto_property_add_int32, MQTT_PROP_MAXIMUM_PACKET_SIZE,
      as_property(settings.max_packet_size));
  return list;
}

Client::Connack connack_of(bool session_present, const mosquitto_property* properties) {
  Client::Connack connack;
  connack.session_present = session_present;
  connack.receive_maximum = number_in<std::uint16_t>(properties, MQTT_PROP_RECEIVE_MAXIMUM,
                                                     mosquitto_property_read_int16);
  connack.maximum_packet_size = number_in<std::uint32_t>(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                                         mosquitto_property_read_int32);
  connack.maximum_qos =
      number_in<std::uint8_t>(properties, MQTT_PROP_MAXIMUM_QOS, mosquitto_property_read_byte);
  if (const auto seconds = number_in<std::uint16_t>(properties, MQTT_PROP_SERVER_KEEP_ALIVE,
                                                    mosquitto_property_read_int16)) {
    connack.server_keep_alive = std::chrono::seconds(*seconds);
  }
  if (const auto seconds = number_in<std::uint32_t>(properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                                    mosquitto_property_read_int32)) {
    connack.session_expiry = std::chrono::seconds(*seconds);
  }
  const auto has = [&](int identifier) {
    return number_in<std::uint8_t>(properties, identifier, mosquitto_property_read_byte) != 0;
  };
  connack.retained_messages = has(MQTT_PROP_RETAIN_AVAILABLE);
  connack.subscription_identifiers = has(MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE);
  connack.wildcard_subscriptions = has(MQTT_PROP_WILDCARD_SUB_AVAILABLE);
  connack.shared_subscriptions = has(MQTT_PROP_SHARED_SUB_AVAILABLE);
  return connack;
}

BrokerWords words_in(const mosquitto_property* properties) {
  return {.reason_string = text_in(properties, MQTT_PROP_REASON_STRING),
          .server_reference = text_in(properties, MQTT_PROP_SERVER_REFERENCE)};
}

}  // namespace jobs_bridge::mqtt
