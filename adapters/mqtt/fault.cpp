#include "adapters/mqtt/fault.h"

#include <cstddef>

namespace jobs_bridge::mqtt {
namespace {

/// Reason codes (MQTT 5, section 2.4) that we know more about than their names.
enum Reason : int {
  unsupported_protocol_version = 0x84,
  client_identifier_not_valid = 0x85,
  bad_user_name_or_password = 0x86,
  not_authorized = 0x87,
  server_unavailable = 0x88,
  session_taken_over = 0x8E,
};

}  // namespace

std::string describe_reason(int reason) {
  if (reason == session_taken_over) {
    return "another client has connected with our client id: broker.client_id must be unique";
  }
  const auto name = name_of_reason(reason);
  return (name.empty() ? "unknown reason" : name) + " (" + std::to_string(reason) + ")";
}

std::string describe_connack(int code) {
  switch (code) {
    case 1:
    case unsupported_protocol_version:
      return "the broker does not speak this version of MQTT: change broker.protocol";
    case 2:
    case client_identifier_not_valid:
      return "the broker refuses the client id (over MQTT 3.1.1 perhaps the keep-alive, if its "
             "maximum is shorter)";
    case 3:
    case server_unavailable:
      return "the broker says that it is not available";
    case 4:
    case bad_user_name_or_password:
      return "bad user name or password";
    case 5:
    case not_authorized:
      return "not authorised: a user name or password is missing or wrong, or this client is not "
             "allowed";
    default:
      return "the broker refuses the connection: " + describe_reason(code);
  }
}

std::string no_answer_within(std::chrono::seconds limit) {
  return "no answer to CONNECT within " + std::to_string(limit.count()) + " s";
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
