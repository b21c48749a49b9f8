#include "tests/simulation/daemon_model.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

/// Rings of the timer that change nothing: so many a second, and for each thing that happens.
constexpr double idle_rings_per_second = 2;
constexpr double idle_rings_per_event = 3;
constexpr double most_spare_rings = 1000;

/// In larger worlds looking at every thing takes too long.
constexpr std::size_t most_things_to_count = 100;

}  // namespace

DaemonModel::DaemonModel(const EngineSettings& settings, std::size_t connections, Ledger& ledger,
                         JournalModel& journal, Digest& digest, Send send)
    : settings_(settings),
      engine_(settings, *TopicGrammar::from_base("$aws/things/{thing}/jobs")),
      ledger_(ledger),
      journal_(journal),
      digest_(digest),
      send_(std::move(send)),
      pace_(settings),
      workers_(connections),
      idle_(connections) {}

void DaemonModel::restore(Now now) {
  for (const auto& [number, kept] : journal_.entries()) {
    promise(engine_.restore(now, kept.entry), "what was recorded is restored");
    ledger_.restored(now.monotonic, kept.entry, kept.brought_back);
  }
  restored_bytes_ = engine_.counts().update_bytes;
  Effects effects;
  engine_.tick(now, effects);
  if (engine_.has_call(now)) wake();
  settle(now, effects);
}

void DaemonModel::receive(Now now, AskedNumber number, Message message) {
  Effects effects;
  ledger_.received(now.monotonic, number);
  engine_.received(now, std::move(message), effects);
  digest_.add(now.monotonic, effects);
  ledger_.published(now.monotonic, effects);
  effects.publications.clear();
  effects.finished.clear();
  ledger_.taken(now.monotonic, number, effects);
  for (const auto& entry : std::exchange(effects.recorded, {})) {
    if (const auto fault = journal_.record(now.monotonic, entry)) {
      engine_.unrecorded(now, entry.number, *fault, effects);
      digest_.add(now.monotonic, effects);
      ledger_.published(now.monotonic, effects);
      effects.publications.clear();
      effects.finished.clear();
      ledger_.not_recorded(entry);
    } else {
      ledger_.recorded(now.monotonic, entry);
    }
  }
  if (engine_.has_call(now)) wake();
  settle(now, effects);
}

void DaemonModel::answered(Now now, const Begun& begun, bool carried_out,
                           const HttpOutcome& outcome) {
  Effects effects;
  --in_flight_;
  ++woken_;  // the worker that made it goes on
  if (begun.asked) ledger_.call_ended(now.monotonic, *begun.asked, carried_out, outcome);
  const bool reachable = engine_.counts().endpoint_reachable;
  engine_.answered(now, begun.call.id, outcome, effects);
  pace_.ended(begun.call.id, outcome, reachable, engine_.counts().endpoint_reachable);
  settle(now, effects);
}

void DaemonModel::ring(Now now) {
  Effects effects;
  const auto before = engine_.counts();
  const auto calls = calls_;
  engine_.tick(now, effects);
  if (engine_.has_call(now)) wake();
  sleeps_until_ = engine_.next_tick(now.monotonic);
  promise(sleeps_until_ > now.monotonic, "the timer does not spin");
  const auto after = engine_.counts();
  const bool spoke = !effects.publications.empty();
  settle(now, effects);
  if (last_ring_ != MonotonicTime{}) {
    spare_rings_ +=
        idle_rings_per_second * std::chrono::duration<double>(now.monotonic - last_ring_).count();
  }
  last_ring_ = now.monotonic;
  const bool changed = spoke || calls != calls_ || before.waiting != after.waiting ||
                       before.pausing != after.pausing || before.held != after.held;
  if (ledger_.things() <= most_things_to_count) {
    promise(after.waiting <= ledger_.awaited(now.monotonic),
            "who no longer waits is not counted as waiting",
            [&] { return std::to_string(after.waiting); });
  }
  if (!changed) --spare_rings_;
  spare_rings_ = std::min(spare_rings_, most_spare_rings);
  promise(spare_rings_ > 0, "the timer does not ring for nothing");
}

void DaemonModel::abandon(Now now) {
  Effects effects;
  ledger_.shutting_down();
  const auto left = engine_.abandon(now, effects);
  apply(now, effects);
  promise(settings_.holding.durable || left == 0, "nothing is left to a journal that is none");
  promise(left == engine_.counts().updates, "what is left to the journal are updates");
}

void DaemonModel::break_off(Now now, const Begun& begun) {
  Effects effects;
  engine_.answered(now, begun.call.id,
                   HttpFailure{.kind = HttpFailure::Kind::stopped,
                               .maybe_sent = true,
                               .detail = "stopped while waiting for the answer"},
                   effects);
  apply(now, effects);
}

void DaemonModel::wake() {
  if (idle_ > 0) {
    --idle_;
    ++woken_;
  } else if (unserved_wakes_ < workers_) {
    ++unserved_wakes_;
  }
}

void DaemonModel::settle(Now now, Effects& effects) {
  spare_rings_ += idle_rings_per_event;
  apply(now, effects);
  run_workers(now);
  if (engine_.next_tick(now.monotonic) < sleeps_until_) {
    sleeps_until_ = now.monotonic;  // the timer is recalled and looks again
  }
  check_bounds();
}

void DaemonModel::run_workers(Now now) {
  while (woken_ > 0) {
    Effects effects;
    const bool reachable = engine_.counts().endpoint_reachable;
    const auto polls = engine_.notifier_counts().calls;
    auto call = engine_.next_call(now, effects);
    const bool poll = engine_.notifier_counts().calls != polls;
    apply(now, effects);
    if (call) begin(now, *std::move(call), poll, reachable);
    if (engine_.has_call(now)) wake();
    if (call) {
      --woken_;
    } else if (unserved_wakes_ > 0) {
      --unserved_wakes_;
    } else {
      --woken_;
      ++idle_;
    }
  }
}

void DaemonModel::begin(Now now, Call call, bool poll, bool reachable) {
  promise(in_flight_ < workers_, "calls in flight are bounded by the connections");
  const auto quota = call.request.method == "GET" ? QuotaKind::reads : QuotaKind::writes;
  pace_.began(now.monotonic, call.id, quota, in_flight_, reachable);
  ++in_flight_;
  ++calls_;
  digest_.add(now.monotonic, call.request);
  Begun begun{.call = std::move(call), .asked = {}, .quota = quota};
  if (!poll) begun.asked = ledger_.call_began(now.monotonic, begun.call);
  send_(begun);
}

void DaemonModel::apply(Now now, Effects& effects) {
  promise(effects.recorded.empty(), "only a message that is received is recorded");
  digest_.add(now.monotonic, effects);
  ledger_.published(now.monotonic, effects);
  journal_.settle(now.monotonic, effects.settled);
  slowed_down_ += effects.slowed_down.size();
  effects.clear();
}

void DaemonModel::check_bounds() const {
  const auto counts = engine_.counts();
  promise(counts.waiting <= settings_.queue + workers_, "the queue has a bound",
          [&] { return std::to_string(counts.waiting); });
  promise(counts.update_bytes <= std::max(settings_.holding.max_bytes, restored_bytes_),
          "the store of updates has a bound", [&] { return std::to_string(counts.update_bytes); });
  promise(counts.in_flight <= in_flight_, "the engine knows its calls",
          [&] { return std::to_string(counts.in_flight); });
}

void DaemonModel::check_nothing_missed(Now then) const {
  promise(idle_ == 0 || !engine_.has_call(then), "no call waits while a connection is free",
          [&] { return std::to_string(idle_) + " idle"; });
}

}  // namespace jobs_bridge::simulation
