#include "bridge/flow/engine.h"

#include <algorithm>
#include <variant>

#include "bridge/jobs/answer.h"
#include "bridge/jobs/call.h"
#include "bridge/jobs/reply.h"

namespace jobs_bridge {
namespace {

constexpr std::size_t longest_topic = 65535;  // MQTT: UTF-8 strings have a length of two bytes
constexpr std::string_view accepted_suffix = "/accepted";
constexpr std::string_view rejected_suffix = "/rejected";

/// A call ends this much before its request's deadline, so that what went wrong is known when the
/// reply is due.
constexpr Duration reply_margin = std::chrono::milliseconds(50);

std::string reply_topic(const std::string& topic, const std::string& response_topic,
                        std::string_view suffix) {
  if (!response_topic.empty()) return response_topic;
  std::string reply;
  reply.reserve(topic.size() + suffix.size());
  (reply += topic) += suffix;
  return reply;
}

std::string in_milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

}  // namespace

Engine::Engine(EngineSettings settings, TopicGrammar topics)
    : settings_(settings), topics_(std::move(topics)) {}

void Engine::received(Now now, Message message, Effects& effects) {
  // A retained message is the broker's copy of an old request, sent again at every subscription.
  if (message.retained) return;
  if (message.topic.size() + rejected_suffix.size() > longest_topic) return;
  auto parsed = topics_.parse(message.topic);
  if (std::holds_alternative<NotARequest>(parsed)) return;
  if (!settings_.partition.serves(topics_.thing_level(message.topic))) return;

  const bool response_allowed = allows_response(message);
  Return back{.topic = std::move(message.topic),
              .response_topic = response_allowed ? message.response_topic : std::string(),
              .correlation_data = std::move(message.correlation_data),
              .client_token = {},
              .received = now.monotonic};
  auto* topic = std::get_if<TopicRequest>(&parsed);
  const auto operation = topic != nullptr ? std::optional(topic->operation) : std::nullopt;
  if (message.payload.size() > settings_.max_payload) {
    reject(now, std::move(back), operation,
           {ErrorCode::invalid_request, "payload has " + std::to_string(message.payload.size()) +
                                            " bytes; the limit is " +
                                            std::to_string(settings_.max_payload)},
           {}, effects);
    return;
  }
  if (topic == nullptr) {
    back.client_token = find_client_token(message.payload);
    reject(now, std::move(back), operation,
           {ErrorCode::invalid_topic, std::move(std::get<InvalidTopic>(parsed).message)}, {},
           effects);
    return;
  }
  auto decoded = decode_request(*std::move(topic), message.payload);
  back.client_token = std::move(decoded.client_token);
  if (!response_allowed) {
    reject(now, std::move(back), operation,
           {ErrorCode::invalid_request, "the Response Topic is not a reply topic of this thing: " +
                                            message.response_topic.substr(0, 256)},
           {}, effects);
    return;
  }
  if (auto* rejection = std::get_if<Rejection>(&decoded.content)) {
    reject(now, std::move(back), operation, std::move(*rejection), {}, effects);
    return;
  }
  auto& request = std::get<Request>(decoded.content);
  if (auto rejection = refusal(request)) {
    reject(now, std::move(back), operation, *std::move(rejection), {}, effects);
    return;
  }
  const auto id = next_id_++;
  const auto deadline = now.monotonic + settings_.deadline;
  lanes_.add(request.thing.text(), id);
  deadlines_.emplace(deadline, id);
  held_.emplace(id, Held{std::move(request), std::move(back), deadline, Stage::waiting});
}

bool Engine::allows_response(const Message& message) const {
  if (message.response_topic.empty()) return true;
  const auto thing = ThingName::parse(topics_.thing_level(message.topic));
  return thing && topics_.allows_response(*thing, message.response_topic);
}

std::optional<Rejection> Engine::refusal(const Request& request) const {
  if (refusing_) {
    return Rejection{ErrorCode::internal_error, "the gateway is shutting down: ask again"};
  }
  if (lanes_.waiting() >= settings_.queue) {
    return Rejection{
        ErrorCode::request_throttled,
        "the gateway's queue is full: " + std::to_string(settings_.queue) + " requests wait"};
  }
  if (lanes_.waiting(request.thing.text()) >= settings_.queue_per_thing) {
    return Rejection{ErrorCode::request_throttled,
                     "this thing's queue is full: " + std::to_string(settings_.queue_per_thing) +
                         " requests wait"};
  }
  return std::nullopt;
}

std::optional<Call> Engine::next_call(Now now, Effects& effects) {
  tick(now, effects);
  const auto id = lanes_.start();
  if (!id) return std::nullopt;
  auto& held = held_.at(*id);
  held.stage = Stage::in_flight;
  ++in_flight_;
  const auto left = held.deadline - now.monotonic;
  return Call{.id = *id,
              .request = build_call(held.request),
              .deadline = held.deadline - std::min(reply_margin, left / 2)};
}

void Engine::answered(Now now, RequestId id, const HttpOutcome& outcome, Effects& effects) {
  const auto found = held_.find(id);
  if (found == held_.end() || found->second.stage == Stage::waiting) return;
  auto& held = found->second;
  --in_flight_;
  lanes_.finish(held.request.thing.text());
  if (held.stage == Stage::in_flight) {
    deadlines_.erase({held.deadline, id});
    const auto* response = std::get_if<HttpResponse>(&outcome);
    std::string request_id = response != nullptr ? response->request_id : std::string();
    auto answer = read_answer(held.request, outcome);
    if (auto* accepted = std::get_if<Accepted>(&answer)) {
      accept(now, std::move(held.back), held.request.operation, accepted->members,
             std::move(request_id), effects);
    } else {
      reject(now, std::move(held.back), held.request.operation,
             std::get<Rejection>(std::move(answer)), std::move(request_id), effects);
    }
  }
  held_.erase(found);
}

void Engine::tick(Now now, Effects& effects) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.monotonic) {
    const auto held = held_.find(deadlines_.begin()->second);
    const auto limit = in_milliseconds(settings_.deadline);
    expire(
        now, held,
        held->second.stage == Stage::waiting
            ? Rejection{ErrorCode::request_throttled,
                        "the request had no turn within " + limit + " and was not carried out"}
            : Rejection{ErrorCode::internal_error, "the endpoint did not answer within " + limit},
        effects);
  }
}

MonotonicTime Engine::next_tick(MonotonicTime now) const {
  return deadlines_.empty() ? now + settings_.deadline : deadlines_.begin()->first;
}

void Engine::abandon(Now now, Effects& effects) {
  while (!deadlines_.empty()) {
    expire(now, held_.find(deadlines_.begin()->second),
           {ErrorCode::internal_error, "the gateway is shutting down: ask again"}, effects);
  }
}

void Engine::expire(Now now, HeldRequests::iterator held, Rejection rejection, Effects& effects) {
  const auto id = held->first;
  auto& request = held->second;
  deadlines_.erase({request.deadline, id});
  reject(now, std::move(request.back), request.request.operation, std::move(rejection), {},
         effects);
  if (request.stage == Stage::in_flight) {
    // Its lane stays busy: a thing's next request must not overtake a call that may still arrive.
    request.stage = Stage::late;
    return;
  }
  lanes_.remove(request.request.thing.text(), id);
  held_.erase(held);
}

void Engine::accept(Now now, Return back, Operation operation, const std::string& members,
                    std::string request_id, Effects& effects) const {
  effects.publications.push_back(
      {.topic = reply_topic(back.topic, back.response_topic, accepted_suffix),
       .payload = accepted_payload(members, back.client_token, now.unix_seconds),
       .correlation_data = std::move(back.correlation_data)});
  effects.finished.push_back({.operation = operation,
                              .topic = std::move(back.topic),
                              .client_token = std::move(back.client_token),
                              .rejection = std::nullopt,
                              .took = now.monotonic - back.received,
                              .endpoint_request_id = std::move(request_id)});
}

void Engine::reject(Now now, Return back, std::optional<Operation> operation, Rejection rejection,
                    std::string request_id, Effects& effects) const {
  effects.publications.push_back(
      {.topic = reply_topic(back.topic, back.response_topic, rejected_suffix),
       .payload = rejected_payload(rejection, back.client_token, now.unix_seconds),
       .correlation_data = std::move(back.correlation_data)});
  effects.finished.push_back({.operation = operation,
                              .topic = std::move(back.topic),
                              .client_token = std::move(back.client_token),
                              .rejection = std::move(rejection),
                              .took = now.monotonic - back.received,
                              .endpoint_request_id = std::move(request_id)});
}

}  // namespace jobs_bridge
