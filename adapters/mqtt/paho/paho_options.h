#pragma once

#include <mqtt/connect_options.h>
#include <mqtt/create_options.h>

#include <chrono>
#include <string>

#include "adapters/mqtt/broker_settings.h"

/// Our settings converted to Paho's types.
namespace jobs_bridge::mqtt {

/// `address`: the literal address to connect to. Not used with TLS: Paho verifies the certificate
/// against the host in the URL.
std::string url_of(const BrokerSettings& settings, const std::string& address);

::mqtt::create_options create_options_of(const BrokerSettings& settings);

/// The time after which Paho pings the broker. Sent in our CONNECT.
std::chrono::seconds paho_keep_alive(std::chrono::seconds keep_alive);

/// `clean`: whether the broker is to discard our session.
::mqtt::connect_options connect_options_of(const BrokerSettings& settings, bool clean);

}  // namespace jobs_bridge::mqtt
