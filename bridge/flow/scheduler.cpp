#include "bridge/flow/scheduler.h"

#include <algorithm>
#include <utility>

#include "bridge/flow/partition.h"

namespace jobs_bridge {

Lanes::Allowed Scheduler::allowed(MonotonicTime now, bool suspected) const {
  Lanes::Allowed allowed{
      .reads = reads_.allows(now), .writes = writes_.allows(now), .held = begins_held_};
  if (!suspected) {
    allowed.things = [this](std::string_view thing) {
      return !circuit_.is_suspected(name_hash(thing));
    };
  }
  return allowed;
}

std::optional<Scheduler::Turn> Scheduler::next(Now now, RequestTable& requests, Notifier& notifier,
                                               RequestId poll, Effects& effects) {
  const auto at = now.monotonic;
  // A probe is made for a thing that may tell something new, if there is one.
  if (circuit_.is_open() && circuit_.ready_at(at, false) <= at) {
    if (const auto id = requests.take_turn(allowed(at, false))) return *id;
  }
  if (circuit_.ready_at(at, true) > at) return std::nullopt;
  if (reads_.allows(at)) {
    if (const auto id = requests.next_reconciling()) return *id;
    // Polls before requests: they are few, bounded in rate and number, and would otherwise never
    // have a turn while devices keep every connection busy.
    if (auto call = notifier.next_call(now, poll, effects)) return *std::move(call);
  }
  if (const auto id = requests.take_turn(allowed(at, true))) return *id;
  return std::nullopt;
}

MonotonicTime Scheduler::next_at(MonotonicTime now, const RequestTable& requests,
                                 const Notifier& notifier) const {
  const auto any = next_at(now, requests, notifier, true);
  // What a thing that has failed may, the others may as well, unless the circuit is open.
  return circuit_.is_open() ? std::min(any, next_at(now, requests, notifier, false)) : any;
}

MonotonicTime Scheduler::next_at(MonotonicTime now, const RequestTable& requests,
                                 const Notifier& notifier, bool suspected) const {
  constexpr auto never = MonotonicTime::max();
  const auto circuit_at = circuit_.ready_at(now, suspected);
  if (circuit_at == never) return never;
  auto waiting = allowed(now, suspected);
  waiting.reads = true;
  waiting.writes = false;
  const bool read_waits =
      (suspected && requests.next_reconciling()) || requests.lanes().has_ready(waiting);
  waiting.reads = false;
  waiting.writes = true;
  const bool write_waits = requests.lanes().has_ready(waiting);
  const auto poll_at = suspected ? notifier.next_due(now) : never;
  const auto read_at = std::max(read_waits ? now : poll_at, reads_.ready_at(now));
  const auto write_at = write_waits ? writes_.ready_at(now) : never;
  return std::max(std::min(read_at, write_at), circuit_at);
}

void Scheduler::called(MonotonicTime now, RequestId call, std::string_view thing, QuotaKind kind) {
  quota(kind).called(now, call);
  circuit_.called(now, call, name_hash(thing));
}

bool Scheduler::ended(MonotonicTime now, RequestId call, std::string_view thing, QuotaKind kind,
                      const Outcome& outcome, const RequestTable& requests, Random& random,
                      Effects& effects) {
  count(now, call, kind, outcome, effects);
  const bool was_open = circuit_.is_open();
  const auto since = circuit_.since();
  circuit_.ended(now, call, name_hash(thing), outcome, random);
  if (circuit_.is_open() == was_open) return false;
  effects.endpoint_changes.push_back({.reachable = was_open,
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
