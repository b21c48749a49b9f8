#include "bridge/flow/intake.h"

#include <string>
#include <string_view>
#include <utility>

#include "bridge/jobs/cbor.h"
#include "bridge/jobs/content_type.h"

namespace jobs_bridge {
namespace {

constexpr std::size_t max_topic = 65535;  // MQTT: UTF-8 strings have a length of two bytes
constexpr std::size_t max_suffix = std::string_view("/rejected").size();

/// A payload that is too long is still searched for its clientToken up to so many times the limit.
constexpr std::size_t token_search_factor = 2;

}  // namespace

Intake::Intake(TopicGrammar topics, Partition partition, std::size_t max_payload)
    : topics_(std::move(topics)), partition_(partition), max_payload_(max_payload) {}

Intake::Read Intake::read(Now now, const Message& message) const {
  // A retained message is the broker's copy of an old request, sent again at every subscription.
  if (message.retained) return Ignored{};
  if (message.topic.size() + max_suffix > max_topic) return Ignored{};
  auto parsed = topics_.parse(message.topic);
  if (std::holds_alternative<NotARequest>(parsed)) return Ignored{};
  if (!partition_.serves(topics_.thing_level(message.topic))) return Ignored{};

  const bool response_allowed = allows_response(message);
  auto* topic = std::get_if<TopicRequest>(&parsed);
  ReplyAddress address{
      .topic = message.topic,
      .response_topic = response_allowed ? message.response_topic : std::string(),
      .correlation_data = message.correlation_data,
      .content_type = message.content_type,
      .client_token = {},
      .operation = topic != nullptr ? std::optional(topic->operation) : std::nullopt,
      .received = now.monotonic,
      .thing = name_hash(topics_.thing_level(message.topic))};
  const auto reject = [&](Rejection rejection) {
    return Rejected{.address = std::move(address), .rejection = std::move(rejection)};
  };

  const auto size = message.payload.size();
  const bool too_long = size > max_payload_;
  // A longer payload arrives truncated.
  const bool cut = size > max_payload_ * token_search_factor;
  const bool searchable = !cut;
  std::string translated;
  std::string unreadable;
  std::string_view payload = message.payload;
  if (is_cbor(address.content_type) && size > 0 && searchable) {
    if (auto json = json_from_cbor(message.payload)) {
      translated = *std::move(json);
      payload = translated;
    } else {
      unreadable = json.error();
    }
  }
  if ((too_long && searchable) || topic == nullptr) {
    address.client_token = find_client_token(payload);
  }
  if (too_long) {
    return reject({ErrorCode::invalid_request,
                   "payload has " +
                       (cut ? "more than " + std::to_string(size - 1) : std::to_string(size)) +
                       " bytes; the limit is " + std::to_string(max_payload_)});
  }
  if (topic == nullptr) {
    return reject({ErrorCode::invalid_topic, std::move(std::get<InvalidTopic>(parsed).message)});
  }
  if (!unreadable.empty()) {
    return reject({ErrorCode::invalid_json, "payload is not a CBOR map: " + unreadable});
  }
  auto decoded = decode_request(*std::move(topic), payload);
  address.client_token = std::move(decoded.client_token);
  if (!response_allowed) {
    return reject(
        {ErrorCode::invalid_request, "the Response Topic is not a reply topic of this thing: " +
                                         message.response_topic.substr(0, 256)});
  }
  if (auto* rejection = std::get_if<Rejection>(&decoded.content)) {
    return reject(std::move(*rejection));
  }
  return Valid{.address = std::move(address),
               .request = std::move(std::get<Request>(decoded.content))};
}

bool Intake::allows_response(const Message& message) const {
  if (message.response_topic.empty()) return true;
  const auto thing = ThingName::parse(topics_.thing_level(message.topic));
  return thing && topics_.allows_response(*thing, message.response_topic);
}

}  // namespace jobs_bridge
