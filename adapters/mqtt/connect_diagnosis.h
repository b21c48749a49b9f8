#pragma once

#include <functional>
#include <string>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"

namespace jobs_bridge::mqtt {

/// What is known before the diagnosis.
struct FailedConnect {
  const BrokerSettings& settings;
  const std::string& address;  ///< the literal one to connect to
  /// Whether it has spoken our version of MQTT before: then the version is not the cause.
  bool accepted_before = false;
};

/// Finds out why connecting to the broker failed. The MQTT libraries report only that it failed, or
/// at best OpenSSL's "certificate verify failed", so it is tried once more here without them.
/// Blocks for the connect timeout at most, and returns early when `stopping` becomes true.
///
/// Nothing that is sent opens a session, or identifies us except TLS's client certificate: it sends
/// a CONNECT that MQTT 3.1.1 has a broker refuse (an empty client id without a clean session:
/// section 3.1.3.1).
BrokerFault diagnose_connect(const FailedConnect& failed, const std::function<bool()>& stopping);

}  // namespace jobs_bridge::mqtt
