// Engine: which call is made now, and what its outcome means.

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "bridge/flow/engine.h"
#include "bridge/jobs/http_date.h"
#include "bridge/jobs/outcome.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// A call ends this much before its request's deadline, so that what went wrong is known when the
/// reply is due.
constexpr Duration reply_margin = 50ms;

/// The share of the deadline that an update leaves for asking what became of it.
constexpr int reconciliation_share = 4;

bool is_stopped(const HttpOutcome& outcome) {
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  return failure != nullptr && failure->kind == HttpFailure::Kind::stopped;
}

}  // namespace

bool Engine::is_suspected(std::string_view thing) const {
  return circuit_.is_suspected(name_hash(thing));
}

Lanes::Allowed Engine::allowed(MonotonicTime now, bool suspected) const {
  Lanes::Allowed allowed{
      .reads = reads_.allows(now), .writes = writes_.allows(now), .held = !refusing_};
  if (!suspected) allowed.things = [this](std::string_view thing) { return !is_suspected(thing); };
  return allowed;
}

MonotonicTime Engine::next_call_at(MonotonicTime now) const {
  const auto any = next_call_at(now, true);
  // What a thing that has not failed may, the others may as well, unless the circuit is open.
  return circuit_.is_open() ? std::min(any, next_call_at(now, false)) : any;
}

MonotonicTime Engine::next_call_at(MonotonicTime now, bool suspected) const {
  constexpr auto never = MonotonicTime::max();
  const auto circuit_at = circuit_.ready_at(now, suspected);
  if (circuit_at == never) return never;
  auto waiting = allowed(now, suspected);
  waiting.reads = true;
  waiting.writes = false;
  const bool read_waits = (suspected && !reconciling_.empty()) || lanes_.has_ready(waiting);
  waiting.reads = false;
  waiting.writes = true;
  const bool write_waits = lanes_.has_ready(waiting);
  const auto poll_at = suspected ? notifier_.next_due(now) : never;
  const auto read_at = std::max(read_waits ? now : poll_at, reads_.ready_at(now));
  const auto write_at = write_waits ? writes_.ready_at(now) : never;
  return std::max(std::min(read_at, write_at), circuit_at);
}

bool Engine::has_call(Now now) const {
  return next_call_at(now.monotonic) <= now.monotonic;
}

std::optional<Call> Engine::next_call(Now now, Effects& effects) {
  tick(now, effects);
  const auto may_call = [&](bool suspected) {
    return circuit_.ready_at(now.monotonic, suspected) <= now.monotonic;
  };
  // A probe is made for a thing that may tell something new, if there is one.
  if (circuit_.is_open() && may_call(false)) {
    if (const auto id = lanes_.start(allowed(now.monotonic, false))) return start(now, *id);
  }
  if (!may_call(true)) return std::nullopt;
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
      reads_.called(now.monotonic, poll->id);
      circuit_.called(now.monotonic, poll->id, name_hash(notifier_.thing_of(poll->id).text()));
      poll->poll = true;
      return poll;
    }
  }
  if (const auto id = lanes_.start(allowed(now.monotonic, true))) return start(now, *id);
  return std::nullopt;
}

Call Engine::start(Now now, RequestId id) {
  const auto place = requests_.find(id);
  auto& pending = place->second;
  pending.stage = Stage::in_flight;
  pending.expiry.reset();
  schedule(place);
  ++in_flight_;
  quota_for(pending.delivery.quota()).called(now.monotonic, id);
  circuit_.called(now.monotonic, id, name_hash(pending.thing()));
  pending.delivery.called(now.monotonic, failures_.before(now.monotonic, pending.request()));
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

Health Engine::answered(Now now, RequestId id, const HttpOutcome& answer, Effects& effects) {
  if (notifier_.owns(id)) {
    const auto outcome = notifier_.read(id, answer);
    observe(now, id, notifier_.thing_of(id).text(), QuotaKind::reads, outcome, effects);
    notifier_.answered(now, id, outcome, effects);
    return outcome.health;
  }
  const auto place = requests_.find(id);
  if (place == requests_.end()) return Health::unknown;
  auto& pending = place->second;
  if (pending.stage != Stage::in_flight && pending.stage != Stage::late) return Health::unknown;
  --in_flight_;
  auto outcome = pending.delivery.read(answer);
  const auto health = outcome.health;
  observe(now, id, pending.thing(), pending.delivery.quota(), outcome, effects);
  pending.failed = health == Health::failing;
  if (pending.stage == Stage::late) {
    lanes_.finish(pending.thing());
    requests_.erase(place);
    return health;
  }
  if (is_stopped(answer) && pending.is_update() && settings_.holding.durable) {
    // It waits on in the journal, for the next start: see abandon().
    try_again(now, place, {}, effects);
    return health;
  }
  auto step = pending.delivery.ended(std::move(outcome), evidence(now, pending, answer), random_);
  if (const auto* decided = std::get_if<Answer>(&step)) {
    const auto* response = std::get_if<HttpResponse>(&answer);
    conclude(now, place, *decided, response != nullptr ? response->request_id : std::string(),
             effects);
    return health;
  }
  try_again(now, place, std::get<Delivery::Again>(step), effects);
  return health;
}

Reconciliation::Evidence Engine::evidence(Now now, const Pending& pending,
                                          const HttpOutcome& described) const {
  const auto* response = std::get_if<HttpResponse>(&described);
  const auto& sent = pending.delivery.sent();
  if (!pending.delivery.reconciling() || response == nullptr || !sent) return {};
  Reconciliation::Evidence evidence{.failures_before = sent->before.count,
                                    .seconds_before = in_seconds(sent->before.since),
                                    .execution = sent->before.execution};
  // The Date was written after the update was sent, and before now.
  if (const auto date = read_http_date(response->date)) {
    evidence.first_sent = static_cast<double>(date->time_since_epoch().count()) -
                          in_seconds(now.monotonic - sent->first);
  }
  return evidence;
}

void Engine::observe(Now now, RequestId id, std::string_view thing, QuotaKind kind,
                     const Outcome& outcome, Effects& effects) {
  auto& quota = quota_for(kind);
  if (outcome.throttled == Throttled::account) {
    const auto done = quota.throttled(now.monotonic, id, outcome.retry_after);
    if (done.slowed) {
      effects.slowed_down.push_back({.kind = kind, .per_second = quota.rate(now.monotonic)});
    }
    if (done.paused) {
      effects.paused.push_back(
          {.kind = kind, .over = false, .length = *quota.paused_until() - now.monotonic});
    }
  } else if (outcome.health == Health::healthy) {
    if (const auto lasted = quota.succeeded(now.monotonic, id)) {
      effects.paused.push_back({.kind = kind, .over = true, .length = *lasted});
    }
  } else {
    quota.failed(now.monotonic, id);
  }

  const bool was_open = circuit_.is_open();
  const auto since = circuit_.since();
  circuit_.ended(now.monotonic, id, name_hash(thing), outcome, random_);
  if (circuit_.is_open() == was_open) return;
  if (!was_open) resume_failed();
  effects.endpoint_changes.push_back({.reachable = was_open,
                                      .cause = circuit_.cause(),
                                      .detail = outcome.fault_detail,
                                      .outage = was_open ? now.monotonic - since : Duration(),
                                      .held = held_.size()});
}

void Engine::try_again(Now now, Place place, Delivery::Again again, Effects& effects) {
  auto& pending = place->second;
  // The circuit spaces the tries of all: a pause besides would only be one too many.
  const bool probed = circuit_.is_open() && pending.failed;
  auto resume = now.monotonic + (probed ? Duration::zero() : again.pause);
  if (!pending.is_update()) {
    const auto last = pending.askers.back().deadline - least_time_for_call();
    // A pause that the device does not outlast ends with one more try, as late as it can be.
    const auto latest = last - least_time_for_call();
    if (again.asked && resume >= last && latest > now.monotonic) resume = latest;
    if (resume >= last) {
      conclude(now, place, *pending.delivery.failure(), {}, effects);
      return;
    }
  }
  if (resume > now.monotonic) {
    pending.stage = Stage::pausing;
    pending.resume = resume;
    pauses_.emplace(resume, place->first);
    if (!pending.is_held()) ++pausing_;
  } else if (pending.delivery.reconciling() && !pending.is_held() && !probed) {
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
    if (const auto& sent = pending.delivery.sent()) {
      const auto& named = pending.request().execution_number;
      failures_.accepted(now.monotonic, sent->last, pending.request(),
                         named ? named : pending.delivery.applied_to());
    }
    notifier_.accepted(now, pending.request(), *accepted, effects);
  } else if (pending.is_held()) {
    notifier_.rejected_late(now, pending.request());
  }
  forget_update(place, &effects);
  requests_.erase(place);
}

}  // namespace jobs_bridge
