#pragma once

#include <functional>
#include <string>

#include "adapters/mqtt/broker_connection.h"

namespace jobs_bridge::mqtt {

/// Why no connection to the broker comes about, in words that name the cause ("Connection refused",
/// "certificate has expired"); empty if TCP and TLS work. The MQTT libraries say no more than that
/// it failed, or OpenSSL's "certificate verify failed" at best. So after a failure it is tried once
/// more here, without them. `address` is the literal one to connect to. Blocks for the connect
/// timeout at most, and not when `stopping` comes true.
std::string diagnose_connect(const BrokerSettings& settings, const std::string& address,
                             const std::function<bool()>& stopping);

}  // namespace jobs_bridge::mqtt
