#include "adapters/mqtt/refusal.h"

#include "adapters/mqtt/reason.h"

namespace jobs_bridge::mqtt {

bool is_transient(Refusal::Kind kind) {
  return kind == Refusal::Kind::quota_exceeded || kind == Refusal::Kind::unavailable;
}

std::string_view to_string(Refusal::Kind kind) {
  using Kind = Refusal::Kind;
  switch (kind) {
    case Kind::malformed:
      return "malformed";
    case Kind::too_large:
      return "too_large";
    case Kind::not_authorized:
      return "not_authorized";
    case Kind::invalid_topic:
      return "invalid_topic";
    case Kind::invalid_payload:
      return "invalid_payload";
    case Kind::quota_exceeded:
      return "quota_exceeded";
    case Kind::unavailable:
      return "unavailable";
    case Kind::ends_connection:
      return "ends_connection";
  }
  return {};
}

std::string_view words_for_device(Refusal::Kind kind) {
  using Kind = Refusal::Kind;
  switch (kind) {
    case Kind::malformed:
      return "MQTT does not allow it";
    case Kind::too_large:
      return "it is larger than the MQTT broker allows";
    case Kind::not_authorized:
      return "the MQTT broker does not authorize it";
    case Kind::invalid_topic:
      return "the MQTT broker refuses its topic";
    case Kind::invalid_payload:
      return "the MQTT broker refuses its payload format";
    case Kind::quota_exceeded:
      return "the MQTT broker's quota is exceeded";
    case Kind::unavailable:
      return "the MQTT broker cannot take it now";
    case Kind::ends_connection:
      return "the MQTT broker closes the connection because of it";
  }
  return {};
}

std::string_view hint_of(Refusal::Kind kind) {
  using Kind = Refusal::Kind;
  switch (kind) {
    case Kind::malformed:
      return "correct the device's Response Topic or topic: the reply's topic follows from it";
    case Kind::too_large:
      return "raise the broker's packet size limit (in mosquitto: max_packet_size)";
    case Kind::not_authorized:
      return "allow the bridge's user to publish replies in the broker's ACL (in mosquitto: "
             "\"topic write\" with topics.base, a + for {thing}, and /# at the end)";
    case Kind::invalid_topic:
      return "set topics.base to one that the broker accepts, such as one without $";
    case Kind::invalid_payload:
      return "turn off the broker's validation of the payload of replies";
    case Kind::quota_exceeded:
      return "raise the broker's quota or rate limit for the bridge's user";
    case Kind::unavailable:
      return "see the broker's log";
    case Kind::ends_connection:
      return "see the broker's log; if the reply is large, raise the broker's packet size limit "
             "(in mosquitto: max_packet_size), otherwise allow the bridge's user to publish it";
  }
  return {};
}

ErrorCode code_for_device(Refusal::Kind kind) {
  return is_transient(kind) ? ErrorCode::request_throttled : ErrorCode::invalid_request;
}

Evidence evidence_of_disconnect(int reason) {
  switch (reason) {
    case not_authorized:
    case topic_name_invalid:
    case packet_too_large:
    case payload_format_invalid:
      return Evidence::certain;
    case unspecified_error:
    case malformed_packet:
    case protocol_error:
    case implementation_specific_error:
    case receive_maximum_exceeded:
    case topic_alias_invalid:
    case quota_exceeded:
      return Evidence::strong;
    default:
      return Evidence::none;
  }
}

}  // namespace jobs_bridge::mqtt
