#pragma once

#include <functional>
#include <string>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"

namespace jobs_bridge::mqtt {

/// What is known before the broker is asked again.
struct FailedConnect {
  const BrokerSettings& settings;
  const std::string& address;  ///< the literal one to connect to
  /// Whether it has spoken our version of MQTT before: then that is not what is wrong.
  bool has_spoken = false;
};

/// Why no connection to the broker came about, which the MQTT libraries do not say: no more than
/// that it failed, or OpenSSL's "certificate verify failed" at best. So it is tried once more here,
/// without them. Blocks for the connect timeout at most, and not when `stopping` comes true.
///
/// Nothing that is sent opens a session, or says who we are but for TLS's client certificate: the
/// question is a CONNECT that MQTT 3.1.1 has a broker refuse (an empty client id without a clean
/// session: section 3.1.3.1).
BrokerFault diagnose_connect(const FailedConnect& failed, const std::function<bool()>& stopping);

}  // namespace jobs_bridge::mqtt
