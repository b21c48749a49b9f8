#pragma once

#include <string>

#include "adapters/mqtt/broker_connection.h"

namespace jobs_bridge::mqtt {

/// Why no connection to the broker comes about, in words that name the cause ("Connection refused",
/// "certificate has expired"); empty if TCP and TLS work. Paho says no more than that it failed:
/// the error handler of its C++ wrapper, which would say more, is called through a pointer to an
/// object that is gone by then. So after a failure it is tried once more here, without Paho. Blocks
/// for twice the connect timeout at most, and for the time that resolving the name takes.
std::string diagnose_connect(const BrokerSettings& settings);

}  // namespace jobs_bridge::mqtt
