#pragma once

#include <mqtt/connect_options.h>
#include <mqtt/create_options.h>

#include <string>

#include "adapters/mqtt/broker_connection.h"

/// Our settings in Paho's terms.
namespace jobs_bridge::mqtt {

/// `address`: the literal one to connect to. Not used with TLS: Paho verifies the certificate
/// against the host in the URL.
std::string url_of(const BrokerSettings& settings, const std::string& address);

::mqtt::create_options create_options_of(const BrokerSettings& settings);

/// `clean`: whether the broker is to forget what it keeps for us.
::mqtt::connect_options connect_options_of(const BrokerSettings& settings, bool clean);

}  // namespace jobs_bridge::mqtt
