#include "adapters/mosquitto_plugin/property_list.h"

#include <malloc.h>
#include <mosquitto_broker.h>
#include <mqtt_protocol.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

namespace jobs_bridge::mosquitto_plugin {
namespace {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Text = std::unique_ptr<char, Free>;

struct UserProperty {
  Text name;
  Text value;
};

/// Nothing if the broker has no memory left.
std::optional<UserProperty> user_property_at(const mosquitto_property* property) {
  char* name = nullptr;
  char* value = nullptr;
  if (mosquitto_property_read_string_pair(property, MQTT_PROP_USER_PROPERTY, &name, &value,
                                          false) == nullptr) {
    return std::nullopt;
  }
  return UserProperty{Text(name), Text(value)};
}

Text text_at(const mosquitto_property* property, int identifier) {
  char* text = nullptr;
  mosquitto_property_read_string(property, identifier, &text, false);
  return Text(text);
}

}  // namespace

PropertyList::~PropertyList() {
  mosquitto_property_free_all(&list_);
}

bool PropertyList::copy(const mosquitto_property* list, const LeftOut& left_out) {
  for (; list != nullptr; list = mosquitto_property_next(list)) {
    const int identifier = mosquitto_property_identifier(list);
    switch (identifier) {
      case MQTT_PROP_PAYLOAD_FORMAT_INDICATOR: {
        std::uint8_t byte = 0;
        mosquitto_property_read_byte(list, identifier, &byte, false);
        if (!added(mosquitto_property_add_byte(end(), identifier, byte))) return false;
        break;
      }
      case MQTT_PROP_CONTENT_TYPE:
      case MQTT_PROP_RESPONSE_TOPIC: {
        const auto text = text_at(list, identifier);
        if (!text || !added(mosquitto_property_add_string(end(), identifier, text.get()))) {
          return false;
        }
        break;
      }
      case MQTT_PROP_USER_PROPERTY: {
        const auto pair = user_property_at(list);
        if (!pair) return false;
        const bool stays =
            left_out.user_property.empty() || pair->name.get() != left_out.user_property;
        if (stays && !add_user_property(pair->name.get(), pair->value.get())) return false;
        break;
      }
      case MQTT_PROP_CORRELATION_DATA: {
        if (left_out.correlation_data) break;
        const auto bytes = correlation_data_of(list);
        if (!bytes || !add_correlation_data(*bytes)) return false;
        break;
      }
      default:
        break;  // mosquitto 2.0 keeps no other property with a message
    }
  }
  return true;
}

bool PropertyList::add_correlation_data(std::string_view bytes) {
  return added(mosquitto_property_add_binary(end(), MQTT_PROP_CORRELATION_DATA, bytes.data(),
                                             static_cast<std::uint16_t>(bytes.size())));
}

bool PropertyList::add_user_property(const char* name, const char* value) {
  return added(mosquitto_property_add_string_pair(end(), MQTT_PROP_USER_PROPERTY, name, value));
}

mosquitto_property* PropertyList::release() {
  last_ = nullptr;
  return std::exchange(list_, nullptr);
}

mosquitto_property** PropertyList::end() {
  // The broker looks for the end from where it is told to begin. From the first property on, a
  // device that sends 100,000 of them would keep the broker busy for a minute.
  return last_ == nullptr ? &list_ : &last_;
}

bool PropertyList::added(int error) {
  if (error != MOSQ_ERR_SUCCESS) return false;
  // What next() returns is const for those who read; this list is ours.
  last_ =
      last_ == nullptr ? list_ : const_cast<mosquitto_property*>(mosquitto_property_next(last_));
  return true;
}

void PropertyList::exchange_with(mosquitto_property* list) {
  // The structure of a property is private to the broker; but each is an allocation of its own, all
  // of the same size, and only its predecessor points to it. So the first of each list can be
  // exchanged byte by byte, and with the first goes the pointer to all others.
  const auto size = std::min(malloc_usable_size(list), malloc_usable_size(list_));
  auto* const ours = reinterpret_cast<unsigned char*>(list_);
  std::swap_ranges(ours, ours + size, reinterpret_cast<unsigned char*>(list));
  last_ = list_;  // or before the last, which only costs time
}

std::optional<std::string> correlation_data_of(const mosquitto_property* list) {
  void* data = nullptr;
  std::uint16_t size = 0;
  if (mosquitto_property_read_binary(list, MQTT_PROP_CORRELATION_DATA, &data, &size, false) ==
      nullptr) {
    return std::nullopt;
  }
  const std::unique_ptr<void, Free> owner(data);
  return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
}

bool properties_can_be_exchanged() {
  PropertyList first;
  PropertyList second;
  if (!first.add_correlation_data("first") || !first.add_user_property("of", "the first") ||
      !second.add_correlation_data("second")) {
    return false;
  }
  auto* known_to_broker = first.release();
  second.exchange_with(known_to_broker);
  const bool first_is_second = correlation_data_of(known_to_broker) == "second" &&
                               mosquitto_property_next(known_to_broker) == nullptr;
  mosquitto_property_free_all(&known_to_broker);
  auto* rest = second.release();
  const auto* after_first = mosquitto_property_next(rest);
  const bool second_is_first =
      correlation_data_of(rest) == "first" && after_first != nullptr &&
      mosquitto_property_identifier(after_first) == MQTT_PROP_USER_PROPERTY;
  mosquitto_property_free_all(&rest);
  return first_is_second && second_is_first;
}

}  // namespace jobs_bridge::mosquitto_plugin
