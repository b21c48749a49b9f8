#include "bridge/flow/publish_reply.h"

#include <string_view>
#include <utility>
#include <variant>

#include "bridge/jobs/cbor.h"
#include "bridge/jobs/content_type.h"
#include "bridge/jobs/reply.h"

namespace jobs_bridge {
namespace {

std::string topic_of(const ReplyAddress& address, bool accepted) {
  if (!address.response_topic.empty()) return address.response_topic;
  const std::string_view suffix = accepted ? "/accepted" : "/rejected";
  std::string topic;
  topic.reserve(address.topic.size() + suffix.size());
  (topic += address.topic) += suffix;
  return topic;
}

std::string payload_of(const Answer& answer, const std::string& client_token, Now now) {
  if (const auto* accepted = std::get_if<Accepted>(&answer)) {
    return accepted_payload(accepted->members, client_token, now.unix_seconds);
  }
  return rejected_payload(std::get<Rejection>(answer), client_token, now.unix_seconds);
}

/// Replaces an answer that CBOR cannot express; a rejection keeps its code.
Rejection without_form(const Answer& answer, const std::string& cause) {
  const auto* rejection = std::get_if<Rejection>(&answer);
  if (rejection == nullptr) {
    return {ErrorCode::internal_error, "the answer cannot be encoded as CBOR: " + cause};
  }
  auto plain = *rejection;
  plain.execution_state.clear();
  return plain;
}

}  // namespace

void publish_reply(Now now, ReplyAddress address, const Answer& answer,
                   std::string endpoint_request_id, Effects& effects) {
  const auto* rejection = std::get_if<Rejection>(&answer);
  const bool without_token = address.held && rejection != nullptr;
  auto payload = payload_of(answer, without_token ? std::string() : address.client_token, now);
  auto content_type = address.content_type.empty() ? std::string_view() : json_content_type;
  if (is_cbor(address.content_type)) {
    auto encoded = cbor_from_json(payload);
    if (encoded) {
      payload = *std::move(encoded);
      content_type = cbor_content_type;
    } else if (rejection == nullptr || !rejection->execution_state.empty()) {
      publish_reply(now, std::move(address), without_form(answer, encoded.error()),
                    std::move(endpoint_request_id), effects);
      return;
    }
  }
  using Kind = Publication::Kind;
  effects.publications.push_back({.topic = topic_of(address, rejection == nullptr),
                                  .payload = std::move(payload),
                                  .correlation_data = std::move(address.correlation_data),
                                  .content_type = std::string(content_type),
                                  .thing = address.thing,
                                  .kind = rejection == nullptr ? Kind::accepted : Kind::rejected,
                                  .to_response_topic = !address.response_topic.empty()});
  effects.finished.push_back(
      {.operation = address.operation,
       .topic = std::move(address.topic),
       .client_token = std::move(address.client_token),
       .rejection = rejection == nullptr ? std::nullopt : std::optional(*rejection),
       .took = now.monotonic - address.received,
       .endpoint_request_id = std::move(endpoint_request_id),
       .held = address.held});
}

}  // namespace jobs_bridge
