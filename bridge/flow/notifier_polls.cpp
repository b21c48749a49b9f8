// Notifier: a poll, and the notifications that result from it.

#include <algorithm>
#include <utility>
#include <variant>

#include "bridge/flow/notifier.h"
#include "bridge/flow/partition.h"
#include "bridge/jobs/call.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

constexpr Duration min_poll_pause = 1s;
constexpr Duration repeat_failed_after = 5s;
/// How long to wait for the endpoint to show what it has accepted.
constexpr Duration recheck_after = 1s;

Request get_of(const ThingName& thing) {
  return {.operation = Operation::get_pending, .thing = thing};
}

Request describe_next_of(const ThingName& thing) {
  return {.operation = Operation::describe,
          .thing = thing,
          .job = JobName::parse("$next"),
          .include_job_document = true};
}

}  // namespace

std::optional<Call> Notifier::next_call(Now now, RequestId id, bool retries, Effects& effects) {
  forget_stale(now, retries, effects);
  if (next_due(now.monotonic, retries) > now.monotonic) return std::nullopt;
  if (!bucket_.take(now.monotonic)) return std::nullopt;
  ++counts_.calls;
  Call call{.id = id,
            .operation = awaiting_head_.empty() ? Operation::get_pending : Operation::describe,
            .request = {},
            .deadline = now.monotonic + settings_.call_deadline};
  if (!awaiting_head_.empty()) {
    auto poll = std::move(awaiting_head_.front());
    awaiting_head_.pop_front();
    call.request = build_call(describe_next_of(poll.watched->thing));
    polls_.emplace(id, std::move(poll));
    return call;
  }
  auto& watched = *first_due(retries)->watched;
  unschedule(watched);
  watched.polling = true;
  call.request = build_call(get_of(watched.thing));
  polls_.emplace(id, Poll{.watched = &watched,
                          .generation = watched.generation,
                          .began = now.monotonic,
                          .pending = {}});
  return call;
}

Outcome Notifier::read(RequestId id, const HttpOutcome& outcome) const {
  const auto& poll = polls_.at(id);
  const auto& thing = poll.watched->thing;
  return read_outcome(poll.pending ? describe_next_of(thing) : get_of(thing), outcome);
}

void Notifier::call_ended(Now now, RequestId id, const Outcome& outcome, Effects& effects) {
  const auto found = polls_.find(id);
  if (found == polls_.end()) return;
  auto poll = std::move(found->second);
  polls_.erase(found);
  if (const auto* rejection = std::get_if<Rejection>(&outcome.answer)) {
    failed(now, std::move(poll), *rejection,
           outcome.fails_for_all || outcome.throttled == Throttled::account);
    return;
  }
  health_.succeeded(now.monotonic, name_hash(poll.watched->thing.text()));
  poll.watched->failures = 0;
  failures_ = 0;
  if (poll.generation != poll.watched->generation) {
    // The device's update came in between: the poll may show the state before it.
    poll.watched->polling = false;
    schedule(*poll.watched, MonotonicTime::min());
    return;
  }
  const auto& accepted = std::get<Accepted>(outcome.answer);
  const auto before = poll.watched->told;
  if (poll.pending) {
    const auto next = read_next(accepted);
    if (!next) {
      failed(now, std::move(poll), {}, false);
      return;
    }
    publish(now, poll, poll.watched->told.update(*poll.pending, *next), *next, effects);
    finish(now, std::move(poll), before, effects);
    return;
  }
  poll.pending = read_pending(accepted);
  if (!poll.pending) {
    failed(now, std::move(poll), {}, false);
    return;
  }
  if (poll.watched->told.must_see_head(*poll.pending)) {
    awaiting_head_.push_back(std::move(poll));
    return;
  }
  publish(now, poll, poll.watched->told.update(*poll.pending), {}, effects);
  finish(now, std::move(poll), before, effects);
}

void Notifier::publish(Now now, const Poll& poll, NotifiedState::News news,
                       const NextExecution& next, Effects& effects) {
  if (!news.notify && !news.notify_next) return;
  auto& watched = *poll.watched;
  // In this order, as the service does.
  if (news.notify) {
    effects.publications.push_back({.topic = topics_.topic_of(watched.thing, "notify"),
                                    .payload = notify_payload(*poll.pending, now.unix_seconds),
                                    .thing = name_hash(watched.thing.text())});
    ++counts_.notifications;
  }
  if (news.notify_next) {
    effects.publications.push_back({.topic = topics_.topic_of(watched.thing, "notify-next"),
                                    .payload = notify_next_payload(next, now.unix_seconds),
                                    .thing = name_hash(watched.thing.text())});
    ++counts_.notifications;
  }
  effects.notified.push_back({.thing = watched.thing.text(),
                              .notify = news.notify,
                              .notify_next = news.notify_next,
                              .delay = now.monotonic - watched.unseen_since.value_or(poll.began)});
  watched.rechecks_left = 0;
}

void Notifier::finish(Now now, Poll poll, NotifiedState before, Effects& effects) {
  auto& watched = *poll.watched;
  watched.polling = false;
  if (watched.rechecks_left > 0 && watched.told == before) {
    --watched.rechecks_left;
    schedule(watched, now.monotonic + std::min(recheck_after, interval()));
    return;
  }
  watched.rechecks_left = 0;
  watched.unseen_since = poll.began;
  schedule_next(now.monotonic, watched);
  if (!(watched.told == before)) keep(watched, effects);
}

void Notifier::schedule_next(MonotonicTime now, Watched& watched) {
  const auto wanted = wanted_interval(now, watched);
  set_pace(now, watched, pace_for(wanted));
  schedule(watched, aligned(now + stretched(wanted)));
}

void Notifier::failed(Now now, Poll poll, const Rejection& rejection, bool for_all) {
  ++counts_.failed_calls;
  auto& watched = *poll.watched;
  watched.polling = false;
  const bool endpoint_fails =
      rejection.code == ErrorCode::internal_error || rejection.code == ErrorCode::request_throttled;
  if (!endpoint_fails) {
    schedule_next(now.monotonic, watched);
    return;
  }
  const auto longer = [](Duration shortest, int& failures) {
    constexpr int max_doublings = 10;
    return shortest * (1 << std::min(failures++, max_doublings));
  };
  schedule(watched,
           now.monotonic + std::min(longer(repeat_failed_after, watched.failures), interval()));
  health_.failed(name_hash(watched.thing.text()));
  if (!for_all && !health_.endpoint_fails(now.monotonic)) return;
  const auto pause = longer(min_poll_pause, failures_);
  paused_until_ = std::max(paused_until_, now.monotonic + std::min(pause, settings_.interval));
}

}  // namespace jobs_bridge
