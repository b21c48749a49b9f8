#pragma once

#include <string>

namespace jobs_bridge::mqtt {

/// A reason code of MQTT 5, or a return code of MQTT 3.1.1's SUBACK, in words.
std::string describe_reason(int reason);

/// Why a connect failed, for an operator: from Paho's return code, the broker's reason code and
/// Paho's own text.
std::string describe_connect_fault(int return_code, int reason_code, const std::string& text);

}  // namespace jobs_bridge::mqtt
