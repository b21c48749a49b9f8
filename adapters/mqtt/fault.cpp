#include "adapters/mqtt/fault.h"

#include <MQTTAsync.h>
#include <MQTTReasonCodes.h>

#include <string_view>

namespace jobs_bridge::mqtt {
namespace {

/// The codes of a CONNACK of MQTT 3.1.1 (section 3.2.2.3); Paho passes them on as they are.
std::string_view connack_3_1_1(int code) {
  switch (code) {
    case 1:
      return "the broker does not speak this version of MQTT";
    case 2:
      return "the broker refuses the client id";
    case 3:
      return "the broker is not available";
    case 4:
      return "bad user name or password";
    case 5:
      return "not authorised";
    default:
      return {};
  }
}

std::string_view connack_5(int reason) {
  switch (reason) {
    case MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION:
      return "the broker does not speak MQTT 5: set broker.protocol = \"3.1.1\"";
    case MQTTREASONCODE_CLIENT_IDENTIFIER_NOT_VALID:
      return "the broker refuses the client id";
    case MQTTREASONCODE_BAD_USER_NAME_OR_PASSWORD:
      return "bad user name or password";
    case MQTTREASONCODE_NOT_AUTHORIZED:
      return "not authorised (a user name or password is missing or wrong)";
    default:
      return {};
  }
}

}  // namespace

std::string describe_reason(int reason) {
  if (reason == MQTTREASONCODE_SESSION_TAKEN_OVER) {
    return "another client uses the same client id: broker.client_id must be unique";
  }
  const char* text = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(reason));
  return (text != nullptr ? std::string(text) : "unknown reason") + " (" + std::to_string(reason) +
         ")";
}

std::string describe_connect_fault(int return_code, int reason_code, const std::string& text) {
  if (const auto known = connack_3_1_1(return_code); !known.empty()) return std::string(known);
  if (const auto known = connack_5(reason_code); !known.empty()) return std::string(known);
  if (reason_code >= 0x80 && reason_code <= 0xFF) return describe_reason(reason_code);
  if (!text.empty()) return text + " (" + std::to_string(return_code) + ")";
  return "Paho error " + std::to_string(return_code);
}

}  // namespace jobs_bridge::mqtt
