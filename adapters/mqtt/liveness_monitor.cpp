#include "adapters/mqtt/liveness_monitor.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

/// So often we look whether we have stood still: seldom enough to cost nothing.
constexpr Duration between_checks = 2s;
/// A busy machine may be late by so much. A longer standstill is always detected.
constexpr Duration max_unnoticed = 3s;

/// In place of a moment from which on something lasts: since when is not known.
constexpr auto unknown = MonotonicTime::min();

void move_back(std::optional<MonotonicTime>& moment, Duration by) {
  if (moment && *moment != unknown) *moment -= by;
}

}  // namespace

LivenessMonitor::LivenessMonitor(std::string canary_topic, std::string nonce,
                                 std::function<void()> on_due_changed)
    : on_due_changed_(std::move(on_due_changed)),
      canary_(std::move(canary_topic), std::move(nonce)) {}

bool LivenessMonitor::connecting(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const bool asked = canary_.ask(now, /*needed=*/on_canary_returned_ != nullptr);
  // A canary that did not come back before may not end the backlog either.
  kept_since_.reset();
  if (asked && canary_.fault().empty()) kept_since_ = silent_since_.value_or(unknown);
  return asked;
}

void LivenessMonitor::connected(bool kept) {
  const std::lock_guard lock(mutex_);
  if (!kept) kept_since_.reset();
}

void LivenessMonitor::subscribed(MonotonicTime now, const Canary::Link& link) {
  const std::lock_guard lock(mutex_);
  // Other subscriptions are asked for again and again, this one with them.
  if (canary_.is_on()) return;
  canary_.begin(now, link);
  if (!canary_.is_on()) kept_since_.reset();
  caught_up_from_ = checked_ = now;
}

void LivenessMonitor::ended(MonotonicTime now, MonotonicTime lost) {
  const std::lock_guard lock(mutex_);
  note_standstill(now, std::nullopt);
  // Then the link was dead already, and what devices sent meanwhile is waiting at the broker.
  if (canary_.is_overdue(lost)) lost = std::min(lost, canary_.last_arrival());
  canary_.end(now);
  reported_flowing_ = false;
  if (!silent_since_) silent_since_ = std::min(lost, kept_since_.value_or(lost));
}

bool LivenessMonitor::note_standstill(MonotonicTime now, std::optional<Duration> suspended) {
  const auto slept = suspended && suspended_ ? *suspended - *suspended_ : Duration::zero();
  if (suspended) suspended_ = suspended;
  const auto away = now - std::exchange(checked_, now) + slept;
  move_back(silent_since_, slept);
  move_back(kept_since_, slept);
  if (!canary_.is_on() || !canary_.fault().empty() || away <= max_unnoticed) return false;
  kept_since_ = std::min(kept_since_.value_or(now), now - away);
  caught_up_from_ = now;
  canary_.stood_still(now);
  return true;
}

LivenessMonitor::Step LivenessMonitor::step(MonotonicTime now, Duration suspended, bool hold) {
  const std::lock_guard lock(mutex_);
  note_standstill(now, suspended);
  Step step;
  switch (canary_.check(now)) {
    case Canary::Finding::silent:
      step.dead = {.kind = BrokerFault::Kind::silent};
      break;
    case Canary::Finding::not_delivering:
      step.dead = {.kind = BrokerFault::Kind::not_delivering};
      break;
    case Canary::Finding::fine:
      if (hold) {
        canary_.hold(now);
      } else {
        step.canary = canary_.next(now, suspended);
      }
      break;
  }
  step.fault = canary_.fault();
  if (step.dead) {
    // It has been dead for longer than we know.
    if (!silent_since_) silent_since_ = canary_.last_arrival();
    return step;
  }
  if (!step.fault.empty()) {
    kept_since_.reset();
    silent_since_.reset();
  }
  step.flows = canary_.flowing() && !reported_flowing_;
  reported_flowing_ = canary_.flowing();
  step.round_trip = canary_.round_trip();
  if (step.flows) {
    const auto since = std::exchange(silent_since_, std::nullopt);
    if (since && *since != unknown) step.silent_for = now - *since;
  }
  return step;
}

MonotonicTime LivenessMonitor::due() const {
  const std::lock_guard lock(mutex_);
  return canary_.is_on() ? std::min(canary_.due(), checked_ + between_checks)
                         : MonotonicTime::max();
}

bool LivenessMonitor::arrived(MonotonicTime now, Duration suspended, Message& message) {
  bool news = false;
  bool canary = false;
  std::optional<MonotonicTime> canary_returned;  // what was sent then
  {
    const std::lock_guard lock(mutex_);
    news = note_standstill(now, suspended);
    const bool flowed = canary_.flowing();
    const auto returns = canary_.returns();
    canary = canary_.arrived(now, message.topic, message.payload);
    if (canary) {
      news = news || (!flowed && canary_.flowing());
      const bool ours = canary_.returns() != returns;
      if (ours) canary_returned = canary_.last_sent();
      if (ours && now - canary_.round_trip() >= caught_up_from_) kept_since_.reset();
    } else {
      if (!arrival_trusted_) message.arrival.clear();
      if (kept_since_) {
        message.kept_for = *kept_since_ == unknown ? Duration::max() : now - *kept_since_;
      }
    }
  }
  if (canary_returned && on_canary_returned_) on_canary_returned_(*canary_returned);
  if (news) on_due_changed_();
  return canary;
}

bool LivenessMonitor::caught_up() const {
  const std::lock_guard lock(mutex_);
  return !kept_since_;
}

void LivenessMonitor::self_test_arrived(bool stamped) {
  const std::lock_guard lock(mutex_);
  arrival_trusted_ = stamped;
}

void LivenessMonitor::acknowledged() {
  const std::lock_guard lock(mutex_);
  canary_.acknowledged();
}

void LivenessMonitor::accepted(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  canary_.accepted(now);
}

void LivenessMonitor::refused(MonotonicTime now, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    canary_.refused(now, reason);
  }
  on_due_changed_();
}

LivenessMonitor::State LivenessMonitor::state() const {
  const std::lock_guard lock(mutex_);
  return {.flowing = canary_.flowing(),
          .canary = canary_.is_on() && canary_.fault().empty(),
          .fault = canary_.fault(),
          .flowed = canary_.flowed(),
          .round_trip = canary_.round_trip()};
}

}  // namespace jobs_bridge::mqtt
