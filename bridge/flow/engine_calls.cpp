// Engine: which call is made now, and what its outcome means.

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "bridge/flow/engine.h"
#include "bridge/jobs/endpoint_error.h"
#include "bridge/jobs/health.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// A call ends this much before its request's deadline, so that what went wrong is known when the
/// reply is due.
constexpr Duration reply_margin = 50ms;

/// The share of the deadline that an update leaves for asking what became of it.
constexpr int reconciliation_share = 4;

std::string cause_of(const HttpOutcome& outcome) {
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) return no_answer(*failure).message;
  return "the endpoint failed: HTTP " + std::to_string(std::get<HttpResponse>(outcome).status);
}

bool is_stopped(const HttpOutcome& outcome) {
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  return failure != nullptr && failure->kind == HttpFailure::Kind::stopped;
}

std::string detail_of(const HttpOutcome& outcome) {
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  return failure == nullptr ? std::string() : failure->detail;
}

}  // namespace

Lanes::Allowed Engine::allowed(MonotonicTime now) const {
  return {.reads = reads_.allows(now), .writes = writes_.allows(now), .held = !refusing_};
}

MonotonicTime Engine::next_call_at(MonotonicTime now) const {
  constexpr auto never = MonotonicTime::max();
  const bool held = !refusing_;
  const bool read_waits =
      !reconciling_.empty() || lanes_.ready({.reads = true, .writes = false, .held = held}) > 0;
  const bool write_waits = lanes_.ready({.reads = false, .writes = true, .held = held}) > 0;
  const auto read_at = std::max(read_waits ? now : notifier_.next_due(now), reads_.ready_at(now));
  const auto write_at = write_waits ? writes_.ready_at(now) : never;
  return std::max(std::min(read_at, write_at), circuit_.next_probe());
}

bool Engine::has_call(Now now) const {
  return circuit_.allows(now.monotonic, in_flight_ + polls_) &&
         next_call_at(now.monotonic) <= now.monotonic;
}

std::optional<Call> Engine::next_call(Now now, Effects& effects) {
  tick(now, effects);
  if (!circuit_.allows(now.monotonic, in_flight_ + polls_)) return std::nullopt;
  if (reads_.allows(now.monotonic)) {
    if (!reconciling_.empty()) {
      const auto id = reconciling_.front();
      reconciling_.pop_front();
      return start(now, id);
    }
    // Polls before requests: they are few, bounded in rate and number, and would otherwise never
    // have a turn while devices keep every connection busy.
    if (auto poll = notifier_.next_call(now, next_id_, effects)) {
      ++next_id_;
      ++polls_;
      reads_.called(now.monotonic);
      circuit_.called(poll->id);
      poll->poll = true;
      return poll;
    }
  }
  if (const auto id = lanes_.start(allowed(now.monotonic))) return start(now, *id);
  return std::nullopt;
}

Call Engine::start(Now now, RequestId id) {
  const auto place = requests_.find(id);
  auto& pending = place->second;
  pending.stage = Stage::in_flight;
  pending.expiry.reset();
  schedule(place);
  ++in_flight_;
  quota_for(pending.delivery.quota()).called(now.monotonic);
  circuit_.called(id);
  ++pending.calls;
  return Call{.id = id,
              .operation = pending.delivery.reconciling() ? Operation::describe
                                                          : pending.request().operation,
              .request = pending.delivery.call(),
              .deadline = call_deadline(pending, now.monotonic)};
}

MonotonicTime Engine::call_deadline(const Pending& pending, MonotonicTime now) const {
  const auto last = pending.askers.back().deadline;
  if (!pending.is_update()) return last - std::min(reply_margin, (last - now) / 2);
  // An update may take longer than its device waits: a call cut short would not help it.
  const auto margin =
      pending.delivery.reconciling() ? reply_margin : settings_.deadline / reconciliation_share;
  return std::max(last - margin, now + settings_.deadline / 2);
}

void Engine::answered(Now now, RequestId id, const HttpOutcome& outcome, Effects& effects) {
  if (notifier_.owns(id)) {
    --polls_;
    observe(now, id, QuotaKind::reads, outcome, effects);
    notifier_.answered(now, id, outcome, effects);
    return;
  }
  const auto place = requests_.find(id);
  if (place == requests_.end()) return;
  auto& pending = place->second;
  if (pending.stage != Stage::in_flight && pending.stage != Stage::late) return;
  --in_flight_;
  observe(now, id, pending.delivery.quota(), outcome, effects);
  if (pending.stage == Stage::late) {
    lanes_.finish(pending.thing());
    requests_.erase(place);
    return;
  }
  if (is_stopped(outcome) && pending.is_update() && settings_.holding.durable) {
    // It waits on in the journal, for the next start: see abandon().
    try_again(now, place, Duration::zero(), effects);
    return;
  }
  auto step = pending.delivery.ended(outcome, random_);
  if (const auto* answer = std::get_if<Answer>(&step)) {
    const auto* response = std::get_if<HttpResponse>(&outcome);
    conclude(now, place, *answer, response != nullptr ? response->request_id : std::string(),
             effects);
    return;
  }
  try_again(now, place, std::get<Delivery::Again>(step).pause, effects);
}

void Engine::observe(Now now, RequestId id, QuotaKind kind, const HttpOutcome& outcome,
                     Effects& effects) {
  const auto health = health_of(outcome);
  if (health == Health::unknown) return;
  const bool was_open = circuit_.is_open();
  const auto since = circuit_.since();
  if (const auto pause = retry_after(outcome)) quota_for(kind).pause(now.monotonic, *pause);
  if (health == Health::ill) {
    circuit_.failed(now.monotonic, id, cause_of(outcome), random_);
  } else {
    circuit_.succeeded(now.monotonic);
    if (health == Health::well) {
      quota_for(kind).succeeded(now.monotonic);
    } else if (quota_for(kind).throttled(now.monotonic)) {
      effects.slowed_down.push_back(
          {.kind = kind, .per_second = quota_for(kind).rate(now.monotonic)});
    }
  }
  if (circuit_.is_open() == was_open) return;
  effects.endpoint_changes.push_back({.reachable = was_open,
                                      .cause = circuit_.cause(),
                                      .detail = was_open ? std::string() : detail_of(outcome),
                                      .outage = was_open ? now.monotonic - since : Duration(),
                                      .held = held_.size()});
}

void Engine::try_again(Now now, Place place, Duration pause, Effects& effects) {
  auto& pending = place->second;
  const auto resume = now.monotonic + pause;
  if (!pending.is_update() && resume + least_time_for_call() >= pending.askers.back().deadline) {
    conclude(now, place, *pending.delivery.failure(), {}, effects);
    return;
  }
  if (pause > Duration::zero()) {
    pending.stage = Stage::pausing;
    pending.resume = resume;
    pauses_.emplace(resume, place->first);
    if (!pending.is_held()) ++pausing_;
  } else if (pending.delivery.reconciling() && !pending.is_held()) {
    pending.stage = Stage::reconciling;
    reconciling_.push_back(place->first);
  } else {
    pending.stage = Stage::waiting;
    lanes_.again(pending.thing(), pending.delivery.quota(), pending.is_held());
    schedule(place);
  }
}

void Engine::conclude(Now now, Place place, const Answer& answer,
                      const std::string& endpoint_request_id, Effects& effects) {
  auto& pending = place->second;
  unschedule(pending);
  if (pending.is_held()) held_.erase(place->first);
  reply(now, pending, answer, endpoint_request_id, effects);
  lanes_.finish(pending.thing());
  // After the reply: notifications follow the reply to the update that caused them.
  if (const auto* accepted = std::get_if<Accepted>(&answer)) {
    notifier_.accepted(now, pending.request(), *accepted, effects);
  } else if (pending.is_held()) {
    notifier_.rejected_late(now, pending.request());
  }
  forget_update(place, &effects);
  requests_.erase(place);
}

}  // namespace jobs_bridge
