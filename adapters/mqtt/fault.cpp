#include "adapters/mqtt/fault.h"

#include <MQTTAsync.h>
#include <MQTTReasonCodes.h>

#include <cstddef>

namespace jobs_bridge::mqtt {

std::string describe_reason(int reason) {
  if (reason == MQTTREASONCODE_SESSION_TAKEN_OVER) {
    return "another client has connected with our client id: broker.client_id must be unique";
  }
  const char* text = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(reason));
  return (text != nullptr ? std::string(text) : "unknown reason") + " (" + std::to_string(reason) +
         ")";
}

std::string describe_connack(int code) {
  switch (code) {
    case 1:
    case MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION:
      return "the broker does not speak this version of MQTT: change broker.protocol";
    case 2:
    case MQTTREASONCODE_CLIENT_IDENTIFIER_NOT_VALID:
      return "the broker refuses the client id (over MQTT 3.1.1 perhaps the keep-alive, if its "
             "maximum is shorter)";
    case 3:
    case MQTTREASONCODE_SERVER_UNAVAILABLE:
      return "the broker says that it is not available";
    case 4:
    case MQTTREASONCODE_BAD_USER_NAME_OR_PASSWORD:
      return "bad user name or password";
    case 5:
    case MQTTREASONCODE_NOT_AUTHORIZED:
      return "not authorised: a user name or password is missing or wrong, or this client is not "
             "allowed";
    default:
      return "the broker refuses the connection: " + describe_reason(code);
  }
}

std::string quote_reason_string(std::string_view words) {
  constexpr std::size_t longest = 256;
  if (words.size() > longest) {
    auto end = longest;
    while (end > 0 && (words[end] & 0xC0) == 0x80) --end;  // not within a character of UTF-8
    words = words.substr(0, end);
  }
  if (words.empty()) return {};
  std::string quoted = " (\"";
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto byte = static_cast<unsigned char>(words[i]);
    const auto next = i + 1 < words.size() ? static_cast<unsigned char>(words[i + 1]) : 0U;
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 to U+009F
      quoted += '?';
      ++i;
    } else {
      quoted += byte < 0x20 || byte == 0x7F || byte == '"' ? '?' : words[i];
    }
  }
  return quoted + "\")";
}

}  // namespace jobs_bridge::mqtt
