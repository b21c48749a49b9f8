#pragma once

#include <string>
#include <string_view>

#include "adapters/mqtt/refusal.h"

namespace jobs_bridge::mqtt {

/// Reason codes (MQTT 5, section 2.4) that the bridge treats specially.
enum Reason : int {
  no_matching_subscribers = 0x10,
  unspecified_error = 0x80,
  malformed_packet = 0x81,
  protocol_error = 0x82,
  implementation_specific_error = 0x83,
  unsupported_protocol_version = 0x84,
  client_identifier_not_valid = 0x85,
  bad_user_name_or_password = 0x86,
  not_authorized = 0x87,
  server_unavailable = 0x88,
  server_busy = 0x89,
  session_taken_over = 0x8E,
  topic_name_invalid = 0x90,
  receive_maximum_exceeded = 0x93,
  topic_alias_invalid = 0x94,
  packet_too_large = 0x95,
  quota_exceeded = 0x97,
  payload_format_invalid = 0x99,
  use_another_server = 0x9C,
  server_moved = 0x9D,
  shared_subscriptions_not_supported = 0x9E,
  connection_rate_exceeded = 0x9F,
  wildcard_subscriptions_not_supported = 0xA2,
};

/// Whether the code is an error; also valid for a SUBACK over MQTT 3.1.1.
constexpr bool is_failure(int reason) {
  return reason >= 0x80;
}

/// The description of a reason code of MQTT 5, or of a return code of MQTT 3.1.1's SUBACK.
std::string describe_reason(int reason);

/// The MQTT library's name for a reason code; empty if it does not know the code.
std::string name_of_reason(int reason);

/// The text that a broker sends in addition to a reason code (MQTT 5, Reason String and Server
/// Reference), in a form to append to ours: ` ("...")`, or empty if there is none. The text is
/// untrusted: at most 256 bytes are kept, without control characters and quotation marks.
std::string quote_words(std::string_view words);

/// The refusal in a PUBACK with this reason code (MQTT 5, section 3.4.2.1), which must be an error.
/// `words`: the text that the broker added, if any.
Refusal refusal_of(int reason, const std::string& words = {});

}  // namespace jobs_bridge::mqtt
