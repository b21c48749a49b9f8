#include "bridge/flow/scheduler.h"

#include <algorithm>
#include <utility>

namespace jobs_bridge {

Lanes::Allowed Scheduler::allowed(MonotonicTime now, bool suspected) const {
  Lanes::Allowed allowed{
      .reads = reads_.allows(now), .writes = writes_.allows(now), .held = held_allowed_};
  if (!suspected) {
    allowed.things = [this](std::string_view thing) { return !circuit_.is_suspected(thing); };
  }
  return allowed;
}

std::optional<Scheduler::Turn> Scheduler::take_turn(const Lanes::Allowed& allowed,
                                                    RequestTable& requests) {
  const auto id = requests.take_turn(allowed);
  if (!id) return std::nullopt;
  return Turn{.what = *id,
              .fails_alone = requests.lanes().fails_alone(requests.find(*id)->second.thing())};
}

std::optional<Scheduler::Turn> Scheduler::next(Now now, RequestTable& requests, Notifier& notifier,
                                               RequestId poll, Effects& effects) {
  const auto at = now.monotonic;
  // A probe is made for a thing that may tell something new, if there is one.
  if (circuit_.is_open() && circuit_.ready_at(at, false) <= at) {
    if (auto turn = take_turn(allowed(at, false), requests)) return turn;
  }
  if (circuit_.ready_at(at, true) > at) return std::nullopt;
  auto any = allowed(at, true);
  any.failing_alone = circuit_.failing_alone_ready_at(at, failing_alone_calls_) <= at;
  if (any.reads) {
    if (const auto id = requests.next_reconciling()) return Turn{.what = *id};
    // Polls before requests: they are few, bounded in rate and number, and would otherwise never
    // have a turn while devices keep every connection busy.
    if (auto call = notifier.next_call(now, poll, any.failing_alone, effects)) {
      return Turn{.what = *std::move(call), .fails_alone = notifier.is_retry(poll)};
    }
  }
  if (circuit_.is_open()) {
    // Of a thing that fails alone a probe tells nothing, if there is another.
    auto others = any;
    others.failing_alone = false;
    if (auto turn = take_turn(others, requests)) return turn;
  }
  return take_turn(any, requests);
}

MonotonicTime Scheduler::next_at(MonotonicTime now, const RequestTable& requests,
                                 const Notifier& notifier) const {
  auto whom = allowed(now, true);
  const auto circuit_at = circuit_.ready_at(now, true);
  const auto any_at =
      std::max(circuit_at, circuit_.failing_alone_ready_at(now, failing_alone_calls_));
  auto next = next_at(now, requests, notifier, whom, any_at);
  if (any_at > circuit_at) {
    whom.failing_alone = false;
    next = std::min(next, next_at(now, requests, notifier, whom, circuit_at));
  }
  // A call allowed for a suspected thing is allowed for the others too, unless the circuit is open.
  if (!circuit_.is_open()) return next;
  return std::min(
      next, next_at(now, requests, notifier, allowed(now, false), circuit_.ready_at(now, false)));
}

MonotonicTime Scheduler::next_at(MonotonicTime now, const RequestTable& requests,
                                 const Notifier& notifier, Lanes::Allowed whom,
                                 MonotonicTime circuit_at) const {
  constexpr auto never = MonotonicTime::max();
  if (circuit_at == never) return never;
  const bool any = !whom.things;
  whom.reads = true;
  whom.writes = false;
  const bool read_waits = (any && requests.next_reconciling()) || requests.lanes().has_ready(whom);
  whom.reads = false;
  whom.writes = true;
  const bool write_waits = requests.lanes().has_ready(whom);
  const auto poll_at = any ? notifier.next_due(now, whom.failing_alone) : never;
  const auto read_at = std::max(read_waits ? now : poll_at, reads_.ready_at(now));
  const auto write_at = write_waits ? writes_.ready_at(now) : never;
  return std::max(std::min(read_at, write_at), circuit_at);
}

void Scheduler::called(MonotonicTime now, RequestId call, std::string_view thing, QuotaKind kind,
                       bool fails_alone) {
  quota(kind).called(now, call);
  circuit_.called(now, call, thing, fails_alone);
}

bool Scheduler::ended(MonotonicTime now, RequestId call, std::string_view thing, QuotaKind kind,
                      const Outcome& outcome, const RequestTable& requests, Random& random,
                      Effects& effects) {
  count(now, call, kind, outcome, effects);
  const bool was_open = circuit_.is_open();
  const auto since = circuit_.since();
  circuit_.ended(now, call, thing, outcome, random);
  if (circuit_.is_open() == was_open) return false;
  effects.endpoint_changes.push_back({.reachable = was_open,
                                      .kind = was_open ? EndpointFault::none : outcome.fault_kind,
                                      .cause = circuit_.cause(),
                                      .detail = outcome.fault_detail,
                                      .outage = was_open ? now - since : Duration(),
                                      .held = requests.held().size()});
  return !was_open;
}

void Scheduler::count(MonotonicTime now, RequestId call, QuotaKind kind, const Outcome& outcome,
                      Effects& effects) {
  auto& used = quota(kind);
  if (outcome.throttled == Throttled::account) {
    const auto done = used.throttled(now, call, outcome.retry_after);
    if (done.slowed) effects.slowed_down.push_back({.kind = kind, .per_second = used.rate(now)});
    if (done.paused) {
      effects.paused.push_back({.kind = kind, .over = false, .length = *used.paused_until() - now});
    }
  } else if (outcome.health == Health::healthy) {
    if (const auto lasted = used.succeeded(now, call)) {
      effects.paused.push_back({.kind = kind, .over = true, .length = *lasted});
    }
  } else {
    used.failed(now, call);
  }
}

void Scheduler::tick(MonotonicTime now, Effects& effects) {
  for (const auto kind : {QuotaKind::reads, QuotaKind::writes}) {
    if (const auto lasted = quota(kind).tick(now)) {
      effects.paused.push_back({.kind = kind, .over = true, .length = *lasted});
    }
  }
}

std::optional<MonotonicTime> Scheduler::next_tick() const {
  std::optional<MonotonicTime> next;
  for (const auto* used : {&reads_, &writes_}) {
    if (const auto until = used->paused_until()) next = next ? std::min(*next, *until) : *until;
  }
  return next;
}

void Scheduler::set_limits(MonotonicTime now, double reads_per_second, double writes_per_second) {
  reads_.set_limit(now, reads_per_second);
  writes_.set_limit(now, writes_per_second);
}

}  // namespace jobs_bridge
