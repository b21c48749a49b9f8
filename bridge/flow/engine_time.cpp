// Engine: what the passing of time does to requests.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "bridge/flow/engine.h"

namespace jobs_bridge {
namespace {

std::string in_milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

}  // namespace

void Engine::tick(Now now, Effects& effects) {
  for (const auto kind : {QuotaKind::reads, QuotaKind::writes}) {
    if (const auto lasted = quota_for(kind).tick(now.monotonic)) {
      effects.paused.push_back({.kind = kind, .over = true, .length = *lasted});
    }
  }
  while (!pauses_.empty() && pauses_.begin()->first <= now.monotonic) {
    resume(requests_.find(pauses_.begin()->second));
  }
  // After the pauses: one that ends too late for another call is due at once.
  while (!due_.empty() && due_.begin()->first <= now.monotonic) {
    overdue(now, requests_.find(due_.begin()->second), effects);
  }
}

void Engine::resume(Place place) {
  auto& pending = place->second;
  pauses_.erase({pending.resume, place->first});
  if (!pending.is_held()) --pausing_;
  pending.stage = Stage::waiting;
  lanes_.again(pending.thing(), pending.delivery.quota(), pending.is_held());
  schedule(place);
}

void Engine::resume_failed() {
  for (const auto& [at, id] : std::vector(pauses_.begin(), pauses_.end())) {
    if (const auto place = requests_.find(id); place->second.failed) resume(place);
  }
}

Duration Engine::least_time_for_call() const {
  return settings_.deadline / 16;
}

MonotonicTime Engine::next_tick(MonotonicTime now) const {
  auto next = due_.empty() ? now + settings_.deadline - least_time_for_call() : due_.begin()->first;
  if (!pauses_.empty()) next = std::min(next, pauses_.begin()->first);
  for (const auto kind : {QuotaKind::reads, QuotaKind::writes}) {
    if (const auto until = quota(kind).paused_until()) next = std::min(next, *until);
  }
  // What could be called already is waited for by nobody but a free connection.
  if (const auto call = next_call_at(now); call > now) next = std::min(next, call);
  return next;
}

void Engine::schedule(Place place) {
  auto& pending = place->second;
  auto due = pending.give_up;
  if (pending.expiry) {
    due = *pending.expiry;
  } else if (pending.is_awaited()) {
    due = pending.askers[pending.held_askers].deadline;
    if (pending.stage == Stage::waiting && !pending.is_update()) due -= least_time_for_call();
  }
  if (pending.is_update()) due = std::min(due, pending.give_up);
  if (pending.due && (*pending.due)->first == due) return;
  // Most are due later than all others: at the end their place is found at once.
  if (!pending.due) {
    pending.due = due_.emplace_hint(due_.end(), due, place->first);
    return;
  }
  auto entry = due_.extract(*pending.due);
  entry.value().first = due;
  pending.due = due_.insert(due_.end(), std::move(entry));
}

void Engine::unschedule(Pending& pending) {
  if (!pending.due) return;
  due_.erase(*pending.due);
  pending.due.reset();
}

void Engine::overdue(Now now, Place place, Effects& effects) {
  auto& pending = place->second;
  const bool expired = pending.expiry.has_value();
  if (!pending.is_update() && !expired) {
    const auto rejection = overdue_rejection(pending);
    respond(now, std::move(pending.askers.front().address), rejection, {}, effects);
    pending.askers.erase(pending.askers.begin());
    if (pending.askers.empty()) {
      withdraw(place);
    } else {
      lanes_.leave(pending.thing(), 1);
      schedule(place);
    }
    return;
  }
  const auto known = pending.delivery.known_refusal();
  const bool given_up = now.monotonic >= pending.give_up;
  if (!expired && !known && !given_up) {
    hold_next_asker(place);
    return;
  }
  const auto first = effects.finished.size();
  reply(now, pending, expired || known ? known.value_or(overdue_rejection(pending)) : too_old(), {},
        effects);
  for (auto at = first; at < effects.finished.size(); ++at) {
    effects.finished[at].given_up = !expired && !known;
  }
  forget_update(place, &effects);
  withdraw(place);
}

void Engine::hold_next_asker(Place place) {
  auto& pending = place->second;
  if (pending.is_held()) {
    lanes_.leave(pending.thing(), 1);
  } else {
    held_.insert(place->first);
    if (pending.stage == Stage::pausing) --pausing_;
    if (pending.stage == Stage::waiting) lanes_.hold(pending.thing(), place->first);
    if (pending.stage == Stage::reconciling) {
      // Its describe is no longer more urgent than what others wait for.
      std::erase(reconciling_, place->first);
      pending.stage = Stage::waiting;
      lanes_.again(pending.thing(), pending.delivery.quota(), true);
    }
  }
  ++pending.held_askers;
  schedule(place);
}

Rejection Engine::overdue_rejection(const Pending& pending) const {
  const auto limit = in_milliseconds(settings_.deadline);
  if (pending.expiry) {
    return {ErrorCode::request_throttled,
            "the message expired before the request had a turn; it was not carried out"};
  }
  if (auto failure = pending.delivery.failure()) return *std::move(failure);
  if (pending.stage != Stage::waiting) {
    return {ErrorCode::internal_error, "the endpoint did not answer within " + limit};
  }
  if (circuit_.is_open()) return {ErrorCode::internal_error, circuit_.cause()};
  if (quota(pending.delivery.quota()).paused_until()) {
    return {ErrorCode::request_throttled,
            "the endpoint throttles the gateway, and the request had no turn within " + limit +
                ": ask again later"};
  }
  return {ErrorCode::request_throttled,
          "the request had no turn in time for its limit of " + limit + " and was not carried out"};
}

Rejection Engine::too_old() const {
  using namespace std::chrono_literals;
  const auto max_age = settings_.holding.max_age;
  const auto text = max_age >= 2h ? std::to_string(max_age / 1h) + " hours"
                                  : std::to_string(max_age / 1s) + " seconds";
  return {ErrorCode::internal_error,
          "the update could not be delivered within " + text + " and is given up"};
}

}  // namespace jobs_bridge
