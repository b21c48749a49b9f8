#include "bridge/flow/notifier.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "bridge/flow/partition.h"
#include "bridge/jobs/call.h"

namespace jobs_bridge {
namespace {

/// Enough to keep the interval with room for polls that are due at once, where no quota is known.
constexpr double min_calls_per_second = 50;
/// The burst, as a share of the calls of one second.
constexpr double burst_share = 0.1;
/// Of a pace: one poll a second.
constexpr double pace_unit = 1e9;

/// How many polls look for a change that the endpoint has accepted.
constexpr int rechecks_for_own_update = 3;
/// How long after its last request a thing is polled at the full pace.
constexpr Duration lately = std::chrono::hours(1);
/// Polls within so much of each other are made together.
constexpr Duration max_step = std::chrono::seconds(1);
constexpr int min_step_share = 10;

/// A new time of the last request alone is written at most this often, in seconds.
constexpr std::int64_t keep_asked_every = 3600;

bool ends_execution(const Request& request) {
  return request.operation == Operation::update && request.status != "IN_PROGRESS";
}

/// Whether what the request finds is the head of the queue.
bool finds_head(const Request& request) {
  return request.operation == Operation::start_next ||
         (request.operation == Operation::describe && request.job->is_next());
}

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

Notifier::Notifier(NotifierSettings settings, const TopicGrammar& topics)
    : settings_(std::move(settings)),
      topics_(topics),
      bucket_(call_rate(), call_rate() * burst_share) {}

void Notifier::set_limits(MonotonicTime now, double calls_per_second, Duration call_deadline) {
  settings_.call_deadline = call_deadline;
  if (calls_per_second == settings_.calls_per_second) return;
  settings_.calls_per_second = calls_per_second;
  bucket_ = TokenBucket(call_rate(), call_rate() * burst_share);
  bucket_.empty(now);
}

double Notifier::call_rate() const {
  if (settings_.calls_per_second > 0) return settings_.calls_per_second;
  return std::max(min_calls_per_second, 2 * static_cast<double>(total_pace_) / pace_unit);
}

Notifier::Counts Notifier::counts() const {
  auto counts = counts_;
  counts.watched = things_.size();
  counts.interval = interval();
  return counts;
}

std::uint32_t Notifier::pace_for(Duration interval) {
  return static_cast<std::uint32_t>(
      std::clamp(pace_unit / in_seconds(interval) + 0.5, 1.0, 2 * pace_unit));
}

void Notifier::set_pace(MonotonicTime now, Watched& watched, std::uint32_t pace) {
  if (watched.pace == pace) return;
  total_pace_ += pace;
  total_pace_ -= std::exchange(watched.pace, pace);
  if (settings_.calls_per_second <= 0) bucket_.set_rate(now, call_rate());
}

Duration Notifier::wanted_interval(MonotonicTime now, const Watched& watched) const {
  const auto silence = now - watched.asked;
  if (watched.always || silence <= lately) return settings_.interval;
  const auto longest = std::max(settings_.idle_interval, settings_.interval);
  const auto grown = in_seconds(settings_.interval) * (in_seconds(silence) / in_seconds(lately));
  if (grown >= in_seconds(longest)) return longest;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(grown));
}

Duration Notifier::stretched(Duration interval) const {
  if (settings_.calls_per_second <= 0) return interval;
  const auto factor = static_cast<double>(total_pace_) / pace_unit / settings_.calls_per_second;
  if (factor <= 1) return interval;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(in_seconds(interval) * factor));
}

MonotonicTime Notifier::aligned(MonotonicTime at) const {
  const auto step = std::min<Duration>(max_step, settings_.interval / min_step_share);
  return step > Duration::zero() ? at - at.time_since_epoch() % step : at;
}

MonotonicTime Notifier::first_due(MonotonicTime now, const ThingName& thing) const {
  // Mixed, because names that differ in their last digit alone hash to neighbours.
  const auto mixed = name_hash(thing.text()) * 0x9e3779b97f4a7c15U;
  const auto fraction = static_cast<double>(mixed >> 11U) * 0x1.0p-53;
  return now + std::chrono::duration_cast<Duration>(fraction * interval());
}

Notifier::Watched* Notifier::watch(Now now, const ThingName& thing) {
  if (const auto found = things_.find(thing.text()); found != things_.end()) return &found->second;
  if (things_.size() >= settings_.max_things) {
    ++counts_.not_watched;
    return nullptr;
  }
  auto& watched = things_
                      .emplace(thing.text(), Watched{.thing = thing,
                                                     .number = next_number_++,
                                                     .asked = now.monotonic,
                                                     .told = {},
                                                     .due = {},
                                                     .unseen_since = {}})
                      .first->second;
  set_pace(now.monotonic, watched, pace_for(settings_.interval));
  schedule(watched, aligned(first_due(now.monotonic, thing)));
  return &watched;
}

void Notifier::schedule(Watched& watched, MonotonicTime at) {
  unschedule(watched);
  watched.due = at;
  if (!watched.polling) due_of(watched).insert({at, watched.number, &watched});
}

void Notifier::unschedule(const Watched& watched) {
  due_of(watched).erase({watched.due, watched.number, nullptr});
}

void Notifier::poll_soon(Now now, Watched& watched) {
  ++watched.generation;
  watched.rechecks_left = rechecks_for_own_update;
  watched.unseen_since = now.monotonic;
  // Before all things that are due in the ordinary order.
  schedule(watched, MonotonicTime::min());
}

void Notifier::always_watch(Now now, ThingName thing) {
  if (auto* watched = watch(now, thing)) watched->always = true;
}

void Notifier::restore_watched(Now now, const WatchedThing& kept) {
  const auto thing = ThingName::parse(kept.thing);
  if (!thing) return;
  // The clock may have been wrong at its last request, or be wrong now.
  const auto longest = std::chrono::duration_cast<std::chrono::seconds>(settings_.watch_for);
  const std::chrono::seconds age(
      std::clamp<std::int64_t>(now.unix_seconds - kept.asked, 0, longest.count()));
  auto* watched = watch(now, *thing);
  if (watched == nullptr) return;
  watched->asked = now.monotonic - age;
  watched->asked_unix = watched->kept_asked = kept.asked;
  watched->told = NotifiedState::from_text(kept.told);
}

void Notifier::keep(Watched& watched, Effects& effects) const {
  watched.kept_asked = watched.asked_unix;
  effects.watched.push_back(
      {.thing = watched.thing.text(), .asked = watched.asked_unix, .told = watched.told.to_text()});
}

std::optional<NextExecution> Notifier::repeat(Now now, const Request& request,
                                              const Accepted& answer, Effects& effects) {
  if (!finds_head(request) || !settings_.repeat_replies.contains(request.thing.text())) return {};
  auto next = read_next(answer);
  // A describe may leave out the document; a device could not carry out an execution without it.
  if (!next || next->name.empty() || !next->has_document) return {};
  effects.publications.push_back({.topic = topics_.topic_of(request.thing, "notify-next"),
                                  .payload = notify_next_payload(*next, now.unix_seconds),
                                  .thing = name_hash(request.thing.text())});
  ++counts_.notifications;
  return next;
}

void Notifier::accepted(Now now, const Request& request, const Accepted& answer, Effects& effects) {
  const auto repeated = repeat(now, request, answer, effects);
  if (!settings_.enabled || stopped_) return;
  auto* watched = watch(now, request.thing);
  if (watched == nullptr) return;
  watched->asked = now.monotonic;
  watched->asked_unix = now.unix_seconds;
  if (const auto pace = pace_for(settings_.interval); watched->pace != pace) {
    set_pace(now.monotonic, *watched, pace);
    const auto latest = aligned(now.monotonic + interval());
    if (watched->due > latest) schedule(*watched, latest);
  }
  bool learned = false;
  if (repeated) {
    learned = watched->told.tell(*repeated);
    // A poll under way may have seen an older head.
    if (learned && watched->polling) ++watched->generation;
  }
  const bool head_unknown = !watched->told.knows_head();
  switch (request.operation) {
    case Operation::start_next:
      if (!head_unknown) break;
      if (const auto next = read_next(answer)) learned = watched->told.observe(*next);
      break;
    case Operation::describe:
      if (!head_unknown || !request.job->is_next()) break;
      if (const auto next = read_next(answer)) learned = watched->told.observe(*next);
      break;
    case Operation::get_pending:
      if (const auto pending = read_pending(answer)) learned = watched->told.observe(*pending);
      break;
    case Operation::update:
      // An execution that is set in progress becomes the head, if it is not.
      if (ends_execution(request)) {
        learned = watched->told.observe_ended(request.job->text());
        poll_soon(now, *watched);
      } else if (!head_unknown && !watched->told.has_head(request.job->text())) {
        poll_soon(now, *watched);
      }
      break;
  }
  const bool asked_long_ago = now.unix_seconds - watched->kept_asked >= keep_asked_every;
  if (asked_long_ago || learned) keep(*watched, effects);
}

void Notifier::rejected_late(Now now, const Request& request) {
  if (stopped_) return;
  const auto found = things_.find(request.thing.text());
  if (found != things_.end()) poll_soon(now, found->second);
}

bool Notifier::may_retry() const {
  const auto under_way = std::ranges::count_if(
      polls_, [](const auto& poll) { return poll.second.watched->failures > 0; });
  return static_cast<std::size_t>(under_way) <
         std::max<std::size_t>(settings_.calls_in_flight / 2, 1);
}

const Notifier::Due* Notifier::first_due(bool retries) const {
  const Due* first = due_.empty() ? nullptr : &*due_.begin();
  if (!retries || retries_.empty() || !may_retry()) return first;
  return first == nullptr || *retries_.begin() < *first ? &*retries_.begin() : first;
}

MonotonicTime Notifier::next_due(MonotonicTime now, bool retries) const {
  constexpr auto never = MonotonicTime::max();
  if (stopped_ || polls_.size() >= settings_.calls_in_flight) return never;
  const auto* first = first_due(retries);
  if (awaiting_head_.empty() && first == nullptr) return never;
  const auto wanted = awaiting_head_.empty() ? first->at : now;
  return std::max({wanted, now, paused_until_, bucket_.ready_at(now)});
}

void Notifier::forget_stale(Now now, bool retries, Effects& effects) {
  while (true) {
    const auto* first = first_due(retries);
    if (first == nullptr || first->at > now.monotonic) return;
    auto& watched = *first->watched;
    if (watched.always || now.monotonic - watched.asked <= settings_.watch_for) return;
    effects.forgotten.push_back(watched.thing.text());
    unschedule(watched);
    set_pace(now.monotonic, watched, 0);
    things_.erase(watched.thing.text());
  }
}

// A poll, and the notifications that result from it.

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
