#pragma once

#include <string>

namespace jobs_bridge::mqtt {

/// A reason code of MQTT 5, or a return code of MQTT 3.1.1's SUBACK, in words.
std::string describe_reason(int reason);

/// Why the broker does not take our CONNECT, for an operator: from the code in its CONNACK, which
/// is below 128 in MQTT 3.1.1 and above in MQTT 5.
std::string describe_connack(int code);

}  // namespace jobs_bridge::mqtt
