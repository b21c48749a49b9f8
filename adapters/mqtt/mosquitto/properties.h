#pragma once

#include <mosquitto.h>

#include <memory>
#include <string>

#include "adapters/mqtt/client.h"
#include "bridge/jobs/message.h"

/// Converts MQTT 5 properties between libmosquitto's types and ours. A null list has no properties.
namespace jobs_bridge::mqtt {

struct FreeProperties {
  void operator()(mosquitto_property* list) const { mosquitto_property_free_all(&list); }
};
using Properties = std::unique_ptr<mosquitto_property, FreeProperties>;

Message message_of(const mosquitto_message& message, const mosquitto_property* properties);

/// The properties of a publication. Throws std::runtime_error.
Properties properties_of(const Publication& publication);

/// The properties of CONNECT. Throws std::runtime_error.
Properties properties_of(const BrokerSettings& settings);

Client::Connack connack_of(bool session_present, const mosquitto_property* properties);

/// What the broker sends in addition to a reason code.
BrokerWords words_in(const mosquitto_property* properties);

}  // namespace jobs_bridge::mqtt
