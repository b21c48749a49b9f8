#include "bridge/jobs/replacement.h"

#include <array>
#include <string>
#include <utility>

#include "bridge/jobs/cbor.h"
#include "bridge/jobs/content_type.h"
#include "bridge/jobs/json_text.h"
#include "bridge/jobs/reply.h"
#include "bridge/jobs/request.h"

namespace jobs_bridge {
namespace {

constexpr std::string_view accepted_suffix = "/accepted";
constexpr std::string_view rejected_suffix = "/rejected";

constexpr std::array every_code = {
    ErrorCode::invalid_topic,         ErrorCode::invalid_json,
    ErrorCode::invalid_request,       ErrorCode::invalid_state_transition,
    ErrorCode::resource_not_found,    ErrorCode::version_mismatch,
    ErrorCode::internal_error,        ErrorCode::request_throttled,
    ErrorCode::terminal_state_reached};

/// The code of a `rejected` reply.
std::optional<ErrorCode> code_in(std::string_view payload) {
  const auto members = json_text::members_of(payload);
  if (!members) return std::nullopt;
  const auto* code = json_text::find(*members, "code");
  if (code == nullptr) return std::nullopt;
  const auto text = json_text::decode_string(code->value);
  for (const auto known : every_code) {
    if (text == to_string(known)) return known;
  }
  return std::nullopt;
}

std::string topic_for_rejected(const Publication& reply) {
  auto topic = reply.topic;
  const bool has_two_topics = reply.kind == Publication::Kind::accepted && !reply.to_response_topic;
  if (has_two_topics && topic.ends_with(accepted_suffix)) {
    topic.replace(topic.size() - accepted_suffix.size(), accepted_suffix.size(), rejected_suffix);
  }
  return topic;
}

}  // namespace

std::optional<Publication> replacement_of(const Publication& refused, ErrorCode code,
                                          std::string_view why, std::int64_t unix_seconds) {
  using Kind = Publication::Kind;
  if (refused.kind == Kind::notification) return std::nullopt;
  const bool was_accepted = refused.kind == Kind::accepted;
  const bool in_cbor = is_cbor(refused.content_type);
  std::string json;
  std::string_view payload = refused.payload;
  if (in_cbor) {
    if (auto translated = json_from_cbor(refused.payload)) json = *std::move(translated);
    payload = json;
  }

  Rejection rejection{.code = code, .message = {}};
  if (!was_accepted) rejection.code = code_in(payload).value_or(code);
  rejection.message = was_accepted
                          ? "the request was carried out, but its reply cannot be delivered: "
                          : "the request was rejected, and the full reply cannot be delivered: ";
  rejection.message += why;
  auto text = rejected_payload(rejection, find_client_token(payload), unix_seconds);
  if (in_cbor) {
    auto encoded = cbor_from_json(text);
    if (!encoded) return std::nullopt;
    text = *std::move(encoded);
  }
  return Publication{.topic = topic_for_rejected(refused),
                     .payload = std::move(text),
                     .correlation_data = refused.correlation_data,
                     .content_type = refused.content_type,
                     .thing = refused.thing,
                     .kind = Kind::rejected,
                     .to_response_topic = refused.to_response_topic};
}

}  // namespace jobs_bridge
