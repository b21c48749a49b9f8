#include "bridge/flow/engine.h"

#include <algorithm>
#include <variant>

#include "bridge/jobs/answer.h"
#include "bridge/jobs/call.h"
#include "bridge/jobs/cbor.h"

namespace jobs_bridge {
namespace {

constexpr std::size_t longest_topic = 65535;  // MQTT: UTF-8 strings have a length of two bytes
constexpr std::size_t longest_suffix = std::string_view("/rejected").size();

/// A call ends this much before its request's deadline, so that what went wrong is known when the
/// reply is due.
constexpr Duration reply_margin = std::chrono::milliseconds(50);

/// The share of the deadline that an update leaves for asking what became of it.
constexpr int settlement_share = 4;

/// A payload that is too long is still searched for its clientToken up to so many times the limit.
constexpr std::size_t token_search_factor = 2;

std::string in_milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

}  // namespace

Engine::Engine(EngineSettings settings, TopicGrammar topics)
    : settings_(settings), topics_(std::move(topics)), notifier_(settings_.notifier, topics_) {}

void Engine::remember(Now now, const WatchedThing& thing) {
  if (settings_.partition.serves(thing.thing)) notifier_.remember(now, thing);
}

void Engine::always_watch(Now now, ThingName thing) {
  if (settings_.partition.serves(thing.text())) notifier_.always_watch(now, std::move(thing));
}

void Engine::received(Now now, Message message, Effects& effects) {
  tick(now, effects);
  // A retained message is the broker's copy of an old request, sent again at every subscription.
  if (message.retained) return;
  if (message.topic.size() + longest_suffix > longest_topic) return;
  auto parsed = topics_.parse(message.topic);
  if (std::holds_alternative<NotARequest>(parsed)) return;
  if (!settings_.partition.serves(topics_.thing_level(message.topic))) return;

  const bool response_allowed = allows_response(message);
  auto* topic = std::get_if<TopicRequest>(&parsed);
  ReplyAddress address{
      .topic = std::move(message.topic),
      .response_topic = response_allowed ? message.response_topic : std::string(),
      .correlation_data = std::move(message.correlation_data),
      .content_type = std::move(message.content_type),
      .client_token = {},
      .operation = topic != nullptr ? std::optional(topic->operation) : std::nullopt,
      .received = now.monotonic};
  const auto reject = [&](Rejection rejection) {
    respond(now, std::move(address), std::move(rejection), {}, effects);
  };
  const auto size = message.payload.size();
  const bool too_long = size > settings_.max_payload;
  const bool searchable = size <= settings_.max_payload * token_search_factor;
  std::string unreadable;
  if (is_cbor(address.content_type) && size > 0 && searchable) {
    if (auto json = json_from_cbor(message.payload)) {
      message.payload = *std::move(json);
    } else {
      unreadable = std::move(json.error());
    }
  }
  if ((too_long && searchable) || topic == nullptr) {
    address.client_token = find_client_token(message.payload);
  }
  if (too_long) {
    return reject({ErrorCode::invalid_request, "payload has " + std::to_string(size) +
                                                   " bytes; the limit is " +
                                                   std::to_string(settings_.max_payload)});
  }
  if (topic == nullptr) {
    return reject({ErrorCode::invalid_topic, std::move(std::get<InvalidTopic>(parsed).message)});
  }
  if (!unreadable.empty()) {
    return reject({ErrorCode::invalid_json, "payload is not CBOR of an object: " + unreadable});
  }
  auto decoded = decode_request(*std::move(topic), message.payload);
  address.client_token = std::move(decoded.client_token);
  if (!response_allowed) {
    return reject(
        {ErrorCode::invalid_request, "the Response Topic is not a reply topic of this thing: " +
                                         message.response_topic.substr(0, 256)});
  }
  if (auto* rejection = std::get_if<Rejection>(&decoded.content)) {
    return reject(std::move(*rejection));
  }
  auto& request = std::get<Request>(decoded.content);
  if (auto rejection = refusal(request)) return reject(*std::move(rejection));

  const auto id = next_id_++;
  const auto deadline = now.monotonic + settings_.deadline;
  Held held{.request = std::move(request),
            .address = std::move(address),
            .deadline = deadline,
            .expiry = {},
            .stage = Stage::waiting,
            .settlement = {}};
  if (message.expires_after && *message.expires_after < settings_.deadline) {
    held.expiry = now.monotonic + *message.expires_after;
  }
  lanes_.add(held.request.thing.text(), id);
  deadlines_.emplace(held.due(), id);
  held_.emplace(id, std::move(held));
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
  if (!settling_.empty()) {
    const auto id = settling_.front();
    settling_.pop_front();
    return start(now, id);
  }
  // Polls before requests: they are few, bounded in rate and number, and would otherwise never
  // have a turn while devices keep every connection busy.
  if (auto poll = notifier_.next_call(now, next_id_, effects)) {
    ++next_id_;
    return poll;
  }
  if (const auto id = lanes_.start()) {
    ++in_flight_;
    return start(now, *id);
  }
  return std::nullopt;
}

Call Engine::start(Now now, RequestId id) {
  auto& held = held_.at(id);
  deadlines_.erase({held.due(), id});
  held.stage = Stage::in_flight;
  deadlines_.emplace(held.due(), id);
  const auto left = held.deadline - now.monotonic;
  const bool may_need_settlement = held.request.operation == Operation::update && !held.settlement;
  const auto margin = may_need_settlement ? settings_.deadline / settlement_share : reply_margin;
  return Call{
      .id = id,
      .request = held.settlement ? held.settlement->call(held.request) : build_call(held.request),
      .deadline = held.deadline - std::min(margin, left / 2)};
}

void Engine::answered(Now now, RequestId id, const HttpOutcome& outcome, Effects& effects) {
  if (notifier_.owns(id)) return notifier_.answered(now, id, outcome, effects);
  const auto found = held_.find(id);
  if (found == held_.end()) return;
  auto& held = found->second;
  if (held.stage == Stage::late) {
    --in_flight_;
    lanes_.finish(held.request.thing.text());
    held_.erase(found);
    return;
  }
  if (held.stage != Stage::in_flight) return;

  std::optional<Answer> answer;
  if (held.settlement) {
    answer = held.settlement->described(held.request, outcome);
  } else {
    answer = read_answer(held.request, outcome);
    if (const auto* rejection = std::get_if<Rejection>(&*answer)) {
      held.settlement = Settlement::of(held.request, outcome, *rejection);
      if (held.settlement) answer.reset();
    }
  }
  if (!answer) {
    held.stage = Stage::settling;
    settling_.push_back(id);
    return;
  }
  const auto* response = std::get_if<HttpResponse>(&outcome);
  conclude(now, found, *answer, response != nullptr ? response->request_id : std::string(),
           effects);
}

void Engine::conclude(Now now, HeldRequests::iterator found, const Answer& answer,
                      std::string endpoint_request_id, Effects& effects) {
  auto& held = found->second;
  --in_flight_;
  deadlines_.erase({held.due(), found->first});
  lanes_.finish(held.request.thing.text());
  respond(now, std::move(held.address), answer, std::move(endpoint_request_id), effects);
  // After the reply: notifications follow the reply to the update that caused them.
  if (const auto* accepted = std::get_if<Accepted>(&answer)) {
    notifier_.accepted(now, held.request, *accepted, effects);
  }
  held_.erase(found);
}

void Engine::tick(Now now, Effects& effects) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.monotonic) {
    const auto held = held_.find(deadlines_.begin()->second);
    expire(now, held, overdue(held->second), effects);
  }
}

Rejection Engine::overdue(const Held& held) const {
  const auto limit = in_milliseconds(settings_.deadline);
  if (held.settlement) return held.settlement->unsettled();
  if (held.stage != Stage::waiting) {
    return {ErrorCode::internal_error, "the endpoint did not answer within " + limit};
  }
  if (held.expiry) {
    return {ErrorCode::request_throttled,
            "the message expired before the request had a turn; it was not carried out"};
  }
  return {ErrorCode::request_throttled,
          "the request had no turn within " + limit + " and was not carried out"};
}

MonotonicTime Engine::next_tick(MonotonicTime now) const {
  const auto deadline = deadlines_.empty() ? now + settings_.deadline : deadlines_.begin()->first;
  return std::min(deadline, notifier_.next_due(now));
}

void Engine::refuse_new_requests() {
  refusing_ = true;
  notifier_.stop();
}

void Engine::abandon(Now now, Effects& effects) {
  const Rejection shutting_down{ErrorCode::internal_error,
                                "the gateway is shutting down: ask again"};
  while (!deadlines_.empty()) {
    const auto held = held_.find(deadlines_.begin()->second);
    expire(now, held,
           held->second.settlement ? held->second.settlement->unsettled() : shutting_down, effects);
  }
}

void Engine::expire(Now now, HeldRequests::iterator found, const Rejection& rejection,
                    Effects& effects) {
  auto& held = found->second;
  if (held.stage == Stage::settling) {
    std::erase(settling_, found->first);
    return conclude(now, found, rejection, {}, effects);
  }
  deadlines_.erase({held.due(), found->first});
  respond(now, std::move(held.address), rejection, {}, effects);
  if (held.stage == Stage::in_flight) {
    // Its lane stays busy: a thing's next request must not overtake a call that may still arrive.
    held.stage = Stage::late;
    return;
  }
  lanes_.remove(held.request.thing.text(), found->first);
  held_.erase(found);
}

}  // namespace jobs_bridge
