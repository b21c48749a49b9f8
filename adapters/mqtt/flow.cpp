#include "adapters/mqtt/flow.h"

#include <utility>

namespace jobs_bridge::mqtt {

Flow::Flow(std::string canary_topic, std::string nonce, std::function<void()> on_news)
    : on_news_(std::move(on_news)), canary_(std::move(canary_topic), std::move(nonce)) {}

bool Flow::connecting(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const bool asked = canary_.ask(now);
  // A canary that did not come back before may not end the backlog either.
  backlog_ = asked && canary_.fault().empty();
  return asked;
}

void Flow::connected(bool session_present) {
  const std::lock_guard lock(mutex_);
  // A new session has no subscriptions, so nothing can have waited in it.
  if (!session_present) backlog_ = false;
}

void Flow::subscribed(MonotonicTime now, const Canary::Link& link) {
  const std::lock_guard lock(mutex_);
  // Other subscriptions are asked for again and again, this one with them.
  if (canary_.is_on()) return;
  canary_.begin(now, link);
  if (!canary_.is_on()) backlog_ = false;
}

void Flow::ended(MonotonicTime now, MonotonicTime lost) {
  const std::lock_guard lock(mutex_);
  canary_.end(now);
  told_flowing_ = false;
  if (!gone_since_) gone_since_ = lost;
}

Flow::Step Flow::step(MonotonicTime now, bool hold) {
  const std::lock_guard lock(mutex_);
  Step step;
  switch (canary_.look(now)) {
    case Canary::Finding::silent:
      step.dead = {.kind = BrokerFault::Kind::silent};
      break;
    case Canary::Finding::deaf:
      step.dead = {.kind = BrokerFault::Kind::deaf};
      break;
    case Canary::Finding::fine:
      if (hold) {
        canary_.hold(now);
      } else {
        step.canary = canary_.next(now);
      }
      break;
  }
  step.fault = canary_.fault();
  if (step.dead) {
    // It has been dead for longer than we know.
    if (!gone_since_) gone_since_ = canary_.last_arrival();
    return step;
  }
  if (!step.fault.empty()) {
    backlog_ = false;
    gone_since_.reset();
  }
  step.flows = canary_.flowing() && !told_flowing_;
  told_flowing_ = canary_.flowing();
  step.round_trip = canary_.round_trip();
  if (step.flows && gone_since_) step.gone = now - *std::exchange(gone_since_, std::nullopt);
  return step;
}

MonotonicTime Flow::due() const {
  const std::lock_guard lock(mutex_);
  return canary_.due();
}

bool Flow::arrived(MonotonicTime now, Message& message) {
  {
    const std::lock_guard lock(mutex_);
    const bool flowed = canary_.flowing();
    if (!canary_.arrived(now, message.topic, message.payload)) {
      if (backlog_) message.kept_for = gone_since_ ? now - *gone_since_ : Duration::max();
      return false;
    }
    if (flowed || !canary_.flowing()) return true;
    backlog_ = false;
  }
  on_news_();
  return true;
}

void Flow::answered() {
  const std::lock_guard lock(mutex_);
  canary_.answered();
}

void Flow::accepted(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  canary_.accepted(now);
}

void Flow::refused(MonotonicTime now, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    canary_.refused(now, reason);
  }
  on_news_();
}

Flow::State Flow::state() const {
  const std::lock_guard lock(mutex_);
  return {.flowing = canary_.flowing(),
          .canary = canary_.is_on() && canary_.fault().empty(),
          .fault = canary_.fault(),
          .flowed = canary_.flowed(),
          .round_trip = canary_.round_trip()};
}

}  // namespace jobs_bridge::mqtt
