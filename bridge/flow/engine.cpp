#include "bridge/flow/engine.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "bridge/jobs/arrival.h"
#include "bridge/jobs/http_date.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// An update restored after a restart has at least this long before it is given up, whatever age
/// the clock suggests: the clock may be wrong.
constexpr Duration min_time_after_restart = 1h;

/// A call ends this much before its request's deadline, so that the cause of a failure is known
/// when the reply is due.
constexpr Duration reply_margin = 50ms;

/// One part in so many of the deadline is reserved for the describe that reconciles an update.
constexpr int reconciliation_share = 4;

/// Limits of the bytes that waiting requests may take: on average per request, and at least in
/// total.
constexpr std::size_t average_request_bytes = std::size_t{4} << 10U;
constexpr std::size_t min_queue_bytes = std::size_t{16} << 20U;
/// One thing may take one part in so many of the total.
constexpr std::size_t things_share = 16;

std::size_t bytes_of(const Message& message) {
  return request_overhead + message.topic.size() + message.payload.size() +
         message.response_topic.size() + message.correlation_data.size() +
         message.content_type.size();
}

/// See ReplyAddress::fingerprint.
std::uint32_t fingerprint_of(const Message& message, const ReplyAddress& address) {
  // Without either, a second identical message may be a request of its own.
  const bool unique = !address.client_token.empty() || !message.correlation_data.empty();
  return unique ? RecentReplies::fingerprint_of(message) : 0;
}

bool is_stopped(const HttpOutcome& outcome) {
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  return failure != nullptr && failure->kind == HttpFailure::Kind::stopped;
}

/// How long a message has waited, as far as that is known. The plugin's time of arrival can only
/// shorten the time that we know ourselves: clocks may be wrong, our knowledge of the link is not.
Duration waited(Now now, const Message& message) {
  if (message.kept_for == Duration::zero()) return message.kept_for;
  const auto age = age_of_arrival(message.arrival, now.unix_seconds);
  return age ? std::min(*age, message.kept_for) : message.kept_for;
}

std::string in_milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

Rejection waited_too_long(Duration age) {
  if (age == Duration::max()) {
    return {ErrorCode::internal_error,
            "the request may have waited too long while the gateway was unavailable and was not "
            "carried out: try again"};
  }
  return {
      ErrorCode::internal_error,
      "the request waited while the gateway was unavailable and was not carried out: try again"};
}

}  // namespace

Engine::Engine(EngineSettings settings, TopicGrammar topics)
    : settings_(settings),
      intake_(topics, settings.partition, settings.max_payload),
      scheduler_(settings.reads_per_second, settings.writes_per_second,
                 settings.failing_alone_calls_in_flight),
      notifier_(settings.notifier, topics),
      random_(settings.seed) {
  requests_.set_min_time_for_call(min_time_for_call());
}

void Engine::restore_watched(Now now, const WatchedThing& thing) {
  if (settings_.partition.serves(thing.thing)) notifier_.restore_watched(now, thing);
}

void Engine::always_watch(Now now, ThingName thing) {
  if (settings_.partition.serves(thing.text())) notifier_.always_watch(now, std::move(thing));
}

void Engine::received(Now now, Message message, Effects& effects) {
  tick(now, effects);
  auto read = intake_.read(now, message);
  if (auto* rejected = std::get_if<Intake::Rejected>(&read)) {
    publish_reply(now, std::move(rejected->address), std::move(rejected->rejection), {}, effects);
    return;
  }
  auto* valid = std::get_if<Intake::Valid>(&read);
  if (valid == nullptr) {
    if (message.retained) effects.retained.push_back(std::move(message.topic));
    return;
  }

  const bool update = must_be_delivered(valid->request.operation);
  // An update is never too late. Any other request comes from a device that may have gone since: a
  // late start-next would start the timer of a job that no device works on.
  auto age = update ? Duration::zero() : waited(now, message);
  // A request that changes nothing does no harm late, so it is not rejected on mere doubt.
  if (age == Duration::max() && valid->request.operation != Operation::start_next) age = {};
  if (age > settings_.deadline - min_time_for_call()) {
    publish_reply(now, std::move(valid->address), waited_too_long(age), {}, effects);
    return;
  }
  if (update) valid->address.fingerprint = fingerprint_of(message, valid->address);
  if (message.redelivered && valid->address.fingerprint != 0 &&
      answer_if_known(valid->request, valid->address, effects)) {
    return;
  }
  const auto deadline = now.monotonic + settings_.deadline - age;
  const auto same = find_same(valid->request, message.expires_after, deadline);
  const auto bytes = bytes_of(message);
  if (auto rejection = admission_rejection(valid->request, bytes, same)) {
    publish_reply(now, std::move(valid->address), *std::move(rejection), {}, effects);
    return;
  }
  const auto id = next_id_++;
  Admitted admitted{
      .id = id,
      .request = std::move(valid->request),
      .asker = {.address = std::move(valid->address), .deadline = deadline, .bytes = bytes},
      .expires_after = message.expires_after};
  if (!update || !settings_.holding.durable) {
    enter(now, std::move(admitted), same, effects);
    return;
  }
  // Also for a request that will share another's answer: after a kill its device must be answered
  // too.
  admitted.asker.entry = id;
  effects.recorded.push_back(
      {.number = id, .received = now.unix_seconds, .message = std::move(message)});
  recording_ = std::move(admitted);
}

void Engine::recorded(Now now, Effects& effects) {
  if (!recording_) return;
  auto admitted = *std::exchange(recording_, std::nullopt);
  const auto same = find_same(admitted.request, admitted.expires_after, admitted.asker.deadline);
  enter(now, std::move(admitted), same, effects);
}

void Engine::not_recorded(Now now, const std::string& cause, Effects& effects) {
  if (!recording_) return;
  auto admitted = *std::exchange(recording_, std::nullopt);
  // A disk may hang for longer than a device waits.
  admitted.asker.address.held = admitted.asker.deadline <= now.monotonic;
  publish_reply(
      now, std::move(admitted.asker.address),
      Rejection{ErrorCode::request_throttled, "the gateway cannot store the update: " + cause}, {},
      effects);
}

void Engine::enter(Now now, Admitted admitted, Iterator same, Effects& effects) {
  if (same != requests_.end()) {
    requests_.join(same, std::move(admitted.asker));
    return;
  }
  const auto received = admitted.asker.address.received;
  PendingRequest pending(Delivery(std::move(admitted.request)), std::move(admitted.asker));
  pending.give_up = received + settings_.holding.max_age;
  const auto& expiry = admitted.expires_after;
  if (expiry && received + *expiry < pending.askers.back().deadline) {
    pending.expiry = received + *expiry;
  }
  requests_.add(admitted.id, std::move(pending), RequestEvent::entered);
  update_fails_alone(requests_.find(admitted.id));
  reject_illegal_transitions(now, effects);
}

bool Engine::answer_if_known(const Request& request, const ReplyAddress& address,
                             Effects& effects) {
  if (const auto* reply = recent_.find(address.fingerprint, address.thing)) {
    effects.publications.push_back(*reply);
    return true;
  }
  const auto last = requests_.last_of(request.thing.text());
  return last != requests_.end() &&
         std::ranges::any_of(last->second.askers, [&](const Asker& asker) {
           return asker.address.fingerprint == address.fingerprint;
         });
}

Engine::Iterator Engine::find_same(const Request& request, std::optional<Duration> expires_after,
                                   MonotonicTime deadline) {
  // A request that may expire before its device gives up cannot be shared.
  if (expires_after && *expires_after < settings_.deadline) return requests_.end();
  // Only the last one of the thing: nothing may have changed in between.
  const auto found = requests_.last_of(request.thing.text());
  if (found == requests_.end() || found->second.state == RequestState::calling_answered) {
    return requests_.end();
  }
  const auto& pending = found->second;
  // A request that arrives during a call refers to a later moment: the answer under way may not
  // include the job that this device has just been notified of. An update means the same at any
  // moment.
  if (is_calling(pending.state) && !pending.must_be_delivered()) return requests_.end();
  const bool in_order = pending.askers.back().deadline <= deadline;
  const bool lasting = !pending.expiry && !pending.delivery.expired();
  return in_order && lasting && pending.request() == request ? found : requests_.end();
}

std::optional<Rejection> Engine::admission_rejection(
    const Request& request, std::size_t bytes, RequestTable::Requests::const_iterator same) const {
  const auto full = [](std::string_view whose, std::size_t limit, std::string_view what,
                       std::string_view key) {
    return Rejection{ErrorCode::request_throttled,
                     std::string(whose) + " is full: " + std::to_string(limit) + std::string(what),
                     "the limit follows from " + std::string(key)};
  };
  const auto& thing = request.thing.text();
  const auto& holding = settings_.holding;
  // An update is safe in the journal; the next start carries it out.
  const bool update = must_be_delivered(request.operation);
  const bool safe = update && holding.durable;
  if (rejecting_ && !safe) {
    return Rejection{ErrorCode::internal_error, "the gateway is shutting down: try again"};
  }
  if (requests_.waiting() >= settings_.queue) {
    return full("the gateway's queue", settings_.queue, " requests are waiting", "limits.queue");
  }
  if (requests_.lanes().waiting(thing) >= settings_.queue_per_thing ||
      (same != requests_.end() && same->second.askers.size() > settings_.queue_per_thing)) {
    return full("this thing's queue", settings_.queue_per_thing, " requests are waiting",
                "limits.queue_per_thing");
  }
  const auto most = std::max(min_queue_bytes, settings_.queue * average_request_bytes);
  if (requests_.bytes() - requests_.update_bytes() + bytes > most && !update) {
    return full("the gateway's queue", most, " bytes of requests are waiting", "limits.queue");
  }
  // Small requests are limited by their number alone.
  const auto share = (update ? holding.max_bytes : most) / things_share;
  if (bytes > average_request_bytes && requests_.bytes(thing) + bytes > std::max(share, bytes)) {
    return full("this thing's queue", share, " bytes of requests are waiting",
                update ? "journal.max_size" : "limits.queue");
  }
  if (!update) return std::nullopt;
  if (requests_.update_bytes() + answered_.bytes() + bytes > holding.max_bytes) {
    return full("the gateway's store of updates", holding.max_bytes,
                " bytes of updates are waiting for the endpoint", "journal.max_size");
  }
  if (same == requests_.end() && requests_.lanes().length(thing) >= holding.max_per_thing) {
    return full("this thing's store of updates", holding.max_per_thing,
                " requests are waiting for the endpoint", "journal.max_per_thing");
  }
  return std::nullopt;
}

bool Engine::restore(Now now, const JournalEntry& entry) {
  // Also for an entry that is not restored: it stays in the journal under its number.
  next_id_ = std::max(next_id_, entry.number + 1);
  auto read = intake_.read(now, entry.message);
  auto* valid = std::get_if<Intake::Valid>(&read);
  if (valid == nullptr || !must_be_delivered(valid->request.operation)) return false;
  if (requests_.find(entry.number) != requests_.end()) return false;

  const auto max_age = settings_.holding.max_age;
  // Bounded before the multiplication: the entry's clock or ours may have had any value.
  const auto longest = std::chrono::duration_cast<std::chrono::seconds>(max_age).count();
  const bool clocks_tell =
      entry.received >= earliest_sane_clock && now.unix_seconds >= entry.received;
  const std::chrono::seconds age(
      clocks_tell ? std::min<std::int64_t>(now.unix_seconds - entry.received, longest) : 0);
  valid->address.received = now.monotonic - age;
  // Its age is known to the second. An update that expires about now may have been rejected
  // already.
  const auto& expires_after = entry.message.expires_after;
  const bool expired = expires_after && *expires_after < settings_.deadline &&
                       age + std::chrono::seconds(1) >= *expires_after;
  // The time of receipt was recorded in whole seconds.
  const auto earliest = clocks_tell && age < max_age
                            ? std::optional(now.monotonic - age - std::chrono::seconds(1))
                            : std::nullopt;
  valid->address.fingerprint = fingerprint_of(entry.message, valid->address);
  Asker asker{.address = std::move(valid->address),
              .deadline = now.monotonic,
              .entry = entry.number,
              .bytes = bytes_of(entry.message)};
  const auto same = find_same(valid->request, entry.message.expires_after, now.monotonic);
  if (same != requests_.end()) {
    requests_.join(same, std::move(asker));
    requests_.apply(same, RequestEvent::held);
    return true;
  }
  PendingRequest pending(Delivery::resumed(std::move(valid->request), expired, earliest),
                         std::move(asker));
  pending.give_up =
      now.monotonic + std::max(max_age - age, std::min(max_age, min_time_after_restart));
  requests_.add(entry.number, std::move(pending), RequestEvent::restored);
  return true;
}

void Engine::change_limits(Now now, const EngineSettings& settings) {
  settings_.deadline = settings.deadline;
  settings_.queue = settings.queue;
  settings_.queue_per_thing = settings.queue_per_thing;
  intake_.set_max_payload(settings.max_payload);
  requests_.set_min_time_for_call(min_time_for_call());
  scheduler_.set_limits(now.monotonic, settings.reads_per_second, settings.writes_per_second);
  notifier_.set_limits(now.monotonic, settings.notifier.calls_per_second,
                       settings.notifier.call_deadline);
  notifier_.set_repeat_replies(settings.notifier.repeat_replies);
}

void Engine::reject_new_requests() {
  rejecting_ = true;
  scheduler_.stop_held_calls();
  notifier_.stop();
}

std::size_t Engine::reject_remaining(Now now, Effects& effects) {
  const Rejection shutting_down{ErrorCode::internal_error,
                                "the gateway is shutting down: try again"};
  std::size_t left = 0;
  for (const auto& [due, id] : std::vector(requests_.due().begin(), requests_.due().end())) {
    const auto it = requests_.find(id);
    auto& pending = it->second;
    if (pending.must_be_delivered() && settings_.holding.durable) {
      left += pending.askers.size();
      continue;
    }
    reply(now, pending, pending.delivery.failure().value_or(shutting_down), {}, effects);
    requests_.apply(it, RequestEvent::withdrawn);
  }
  reject_illegal_transitions(now, effects);
  return left;
}

Engine::Counts Engine::counts() const {
  return {.waiting = requests_.lanes().waiting(),
          .in_flight = requests_.in_flight(),
          .pausing = requests_.pauses().size(),
          .held = requests_.held().size(),
          .updates = requests_.updates(),
          .update_bytes = requests_.update_bytes() + answered_.bytes(),
          .answered = answered_.size(),
          .endpoint_reachable = !scheduler_.circuit().is_open()};
}

std::optional<Duration> Engine::oldest_held(MonotonicTime now) const {
  if (requests_.held().empty()) return std::nullopt;
  const auto oldest = requests_.find(*requests_.held().begin());
  const auto received = oldest->second.give_up - settings_.holding.max_age;
  return std::max(Duration::zero(), Duration(now - received));
}

bool Engine::is_idle() const {
  return requests_.waiting() + requests_.in_flight() == 0 && !recording_;
}

bool Engine::has_call(Now now) const {
  return scheduler_.next_at(now.monotonic, requests_, notifier_) <= now.monotonic;
}

std::optional<Call> Engine::next_call(Now now, Effects& effects) {
  tick(now, effects);
  while (auto turn = scheduler_.next(now, requests_, notifier_, next_id_, effects)) {
    if (auto* poll = std::get_if<Call>(&turn->what)) {
      ++next_id_;
      scheduler_.called(now.monotonic, poll->id, notifier_.thing_of(poll->id).text(),
                        QuotaKind::reads, turn->fails_alone);
      poll->poll = true;
      return std::move(*poll);
    }
    if (auto call = start(now, std::get<RequestId>(turn->what), turn->fails_alone)) return call;
    reject_illegal_transitions(now, effects);
  }
  return std::nullopt;
}

std::optional<Call> Engine::start(Now now, RequestId id, bool fails_alone) {
  const auto it = requests_.find(id);
  if (!requests_.apply(it, RequestEvent::begun)) return std::nullopt;
  auto& pending = it->second;
  scheduler_.called(now.monotonic, id, pending.thing(), pending.delivery.quota(), fails_alone);
  pending.delivery.called(now.monotonic, failures_.before(now.monotonic, pending.request()));
  ++pending.calls;
  return Call{.id = id,
              .operation = pending.delivery.operation(),
              .request = pending.delivery.call(),
              .deadline = call_deadline(pending, now.monotonic)};
}

MonotonicTime Engine::call_deadline(const PendingRequest& pending, MonotonicTime now) const {
  const auto last = pending.askers.back().deadline;
  if (!pending.must_be_delivered()) return last - std::min(reply_margin, (last - now) / 2);
  // An update may take longer than its device waits: a call cut short would not help it.
  const auto margin =
      pending.delivery.reconciling() ? reply_margin : settings_.deadline / reconciliation_share;
  return std::max(last - margin, now + settings_.deadline / 2);
}

Health Engine::call_ended(Now now, RequestId id, const HttpOutcome& answer, Effects& effects) {
  if (notifier_.owns(id)) {
    const auto outcome = notifier_.read(id, answer);
    const auto operation = notifier_.operation_of(id);
    observe(now, id, notifier_.thing_of(id).text(), operation, outcome, effects);
    notifier_.call_ended(now, id, outcome, effects);
    return outcome.health;
  }
  const auto it = requests_.find(id);
  if (it == requests_.end()) return Health::unknown;
  auto& pending = it->second;
  if (!is_calling(pending.state)) return Health::unknown;
  auto outcome = pending.delivery.read(answer);
  const auto health = outcome.health;
  observe(now, id, pending.thing(), pending.delivery.operation(), outcome, effects);
  pending.failed = health == Health::failing;
  if (pending.state == RequestState::calling_answered) {
    requests_.apply(it, RequestEvent::concluded);
    return health;
  }
  if (is_stopped(answer) && pending.must_be_delivered() && settings_.holding.durable) {
    // It stays in the journal for the next start: see reject_remaining().
    try_again(now, it, {}, effects);
    return health;
  }
  auto step = pending.delivery.ended(std::move(outcome), evidence(now, pending, answer), random_);
  if (const auto* decided = std::get_if<Answer>(&step)) {
    const auto* response = std::get_if<HttpResponse>(&answer);
    conclude(now, it, *decided, response != nullptr ? response->request_id : std::string(),
             effects);
    return health;
  }
  try_again(now, it, std::get<Delivery::Again>(step), effects);
  return health;
}

Reconciliation::Evidence Engine::evidence(Now now, const PendingRequest& pending,
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

void Engine::update_fails_alone(Iterator it) {
  const auto& thing = it->second.thing();
  requests_.set_fails_alone(thing, scheduler_.circuit().fails_alone(thing));
}

void Engine::observe(Now now, RequestId id, std::string_view thing, Operation operation,
                     const Outcome& outcome, Effects& effects) {
  if (const auto change = permissions_.ended(now.monotonic, operation, thing, outcome)) {
    effects.access_changes.push_back({.operation = change->operation,
                                      .denied = change->denied,
                                      .cause = outcome.fault,
                                      .detail = outcome.fault_detail});
  }
  const auto kind = facts_of(operation).quota;
  if (!scheduler_.ended(now.monotonic, id, thing, kind, outcome, requests_, random_, effects)) {
    return;
  }
  // From now on only the circuit decides when to try again.
  for (const auto& [at, paused] :
       std::vector(requests_.pauses().begin(), requests_.pauses().end())) {
    const auto it = requests_.find(paused);
    if (!it->second.failed) continue;
    requests_.apply(it, RequestEvent::resumed);
    update_fails_alone(it);
  }
}

void Engine::try_again(Now now, Iterator it, Delivery::Again again, Effects& effects) {
  auto& pending = it->second;
  // The circuit already spaces all tries: a further pause would only add delay.
  const auto& circuit = scheduler_.circuit();
  const bool probed = circuit.is_open() && pending.failed;
  const bool fails_alone = circuit.fails_alone(pending.thing());
  // A thing that fails backs off, whichever of its requests it is that fails.
  if (pending.failed && again.pause > Duration::zero())
    again.pause = std::max(again.pause, circuit.pause_of(pending.thing()));
  auto resume = now.monotonic + (probed ? Duration::zero() : again.pause);
  if (!pending.must_be_delivered()) {
    const auto last = pending.askers.back().deadline - min_time_for_call();
    // A pause that the device does not outlast ends with one more try, as late as possible.
    const auto latest = last - min_time_for_call();
    if (again.asked && resume >= last && latest > now.monotonic) resume = latest;
    if (resume >= last) {
      conclude(now, it, *pending.delivery.failure(), {}, effects);
      return;
    }
  }
  if (resume > now.monotonic) {
    requests_.apply(it, RequestEvent::paused, resume);
  } else if (pending.delivery.reconciling() && pending.state == RequestState::calling && !probed &&
             !fails_alone) {
    requests_.apply(it, RequestEvent::reconcile);
  } else {
    requests_.apply(it, RequestEvent::requeued);
    update_fails_alone(it);
  }
  reject_illegal_transitions(now, effects);
}

void Engine::conclude(Now now, Iterator it, const Answer& answer,
                      const std::string& endpoint_request_id, Effects& effects) {
  auto& pending = it->second;
  reply(now, pending, answer, endpoint_request_id, effects);
  // After the reply: notifications follow the reply to the update that caused them.
  if (const auto* accepted = std::get_if<Accepted>(&answer)) {
    if (const auto& sent = pending.delivery.sent()) {
      const auto& named = pending.request().execution_number;
      failures_.accepted(now.monotonic, sent->last, pending.request(),
                         named ? named : pending.delivery.applied_to());
    }
    notifier_.accepted(now, pending.request(), *accepted, effects);
  } else if (is_held(pending.state)) {
    notifier_.rejected_late(now, pending.request());
  }
  requests_.apply(it, RequestEvent::concluded);
  reject_illegal_transitions(now, effects);
}

void Engine::tick(Now now, Effects& effects) {
  scheduler_.tick(now.monotonic, effects);
  while (!requests_.pauses().empty() && requests_.pauses().begin()->first <= now.monotonic) {
    const auto it = requests_.find(requests_.pauses().begin()->second);
    requests_.apply(it, RequestEvent::resumed);
    update_fails_alone(it);
    reject_illegal_transitions(now, effects);
  }
  // After the pauses: one that ends too late for another call is due at once.
  while (!requests_.due().empty() && requests_.due().begin()->first <= now.monotonic) {
    overdue(now, requests_.find(requests_.due().begin()->second), effects);
  }
}

Duration Engine::min_time_for_call() const {
  return settings_.deadline / 16;
}

MonotonicTime Engine::next_tick(MonotonicTime now) const {
  const auto& due = requests_.due();
  auto next = due.empty() ? now + settings_.deadline - min_time_for_call() : due.begin()->first;
  if (!requests_.pauses().empty()) next = std::min(next, requests_.pauses().begin()->first);
  if (const auto at = scheduler_.next_tick()) next = std::min(next, *at);
  // A call that is possible already needs no timer: it only waits for a free connection.
  const auto call = scheduler_.next_at(now, requests_, notifier_);
  return call > now ? std::min(next, call) : next;
}

void Engine::overdue(Now now, Iterator it, Effects& effects) {
  auto& pending = it->second;
  const bool expired = pending.expiry.has_value();
  if (!pending.must_be_delivered() && !expired) {
    const auto rejection = overdue_rejection(pending);
    reply_to(now, pending, requests_.remove_first_asker(it), rejection, {}, effects);
    if (pending.askers.empty()) requests_.apply(it, RequestEvent::withdrawn);
    reject_illegal_transitions(now, effects);
    return;
  }
  const auto known = pending.delivery.known_rejection();
  const bool given_up = now.monotonic >= pending.give_up;
  if (!expired && !known && !given_up) {
    requests_.apply(it, RequestEvent::held);
    reject_illegal_transitions(now, effects);
    return;
  }
  const auto first = effects.finished.size();
  reply(now, pending,
        expired || known ? known.value_or(overdue_rejection(pending)) : too_old(pending), {},
        effects);
  for (auto at = first; at < effects.finished.size(); ++at) {
    effects.finished[at].given_up = !expired && !known;
  }
  requests_.apply(it, RequestEvent::withdrawn);
  reject_illegal_transitions(now, effects);
}

Rejection Engine::overdue_rejection(const PendingRequest& pending) const {
  const auto limit = in_milliseconds(settings_.deadline);
  if (pending.expiry) {
    return {ErrorCode::request_throttled,
            "the message expired before the request could be sent; it was not carried out"};
  }
  if (auto failure = pending.delivery.failure()) return *std::move(failure);
  if (!is_queued(pending.state)) {
    return {ErrorCode::internal_error, "the endpoint did not answer within " + limit};
  }
  const auto& circuit = scheduler_.circuit();
  if (circuit.is_open()) {
    return {ErrorCode::internal_error, "the request was not sent: " + circuit.cause()};
  }
  // Others had the turns, since the last call for this thing failed.
  if (const auto* cause = circuit.cause_of(pending.thing())) {
    return {ErrorCode::internal_error, "the request was not sent: " + *cause};
  }
  if (quota(pending.delivery.quota()).paused_until()) {
    return {ErrorCode::request_throttled,
            "the endpoint throttles the gateway, and the request could not be sent within " +
                limit + ": try again later"};
  }
  return {ErrorCode::request_throttled, "the request could not be sent within its limit of " +
                                            limit + " and was not carried out"};
}

Rejection Engine::too_old(const PendingRequest& pending) const {
  const auto max_age = settings_.holding.max_age;
  const auto text = max_age >= 2h ? std::to_string(max_age / 1h) + " hours"
                                  : std::to_string(max_age / 1s) + " seconds";
  Rejection rejection{ErrorCode::internal_error,
                      "the update could not be delivered within " + text + " and was given up"};
  if (auto failure = pending.delivery.failure()) rejection.detail = std::move(failure->detail);
  if (pending.delivery.maybe_applied()) {
    rejection.message += "; it is not known whether it was carried out";
    rejection.maybe_applied = true;
  }
  return rejection;
}

void Engine::reply(Now now, PendingRequest& pending, const Answer& answer,
                   const std::string& endpoint_request_id, Effects& effects) {
  for (auto& asker : requests_.remove_askers(pending)) {
    reply_to(now, pending, std::move(asker), answer, endpoint_request_id, effects);
  }
}

void Engine::reply_to(Now now, const PendingRequest& pending, Asker asker, const Answer& answer,
                      const std::string& endpoint_request_id, Effects& effects) {
  // By the time and not by held_askers: an answer may come before the tick that was due.
  asker.address.held = pending.must_be_delivered() && asker.deadline <= now.monotonic;
  const auto fingerprint = asker.address.fingerprint;
  publish_reply(now, std::move(asker.address), answer, endpoint_request_id, effects);
  effects.finished.back().calls = pending.calls;
  auto& publication = effects.publications.back();
  if (fingerprint != 0) recent_.add(fingerprint, publication);
  if (asker.entry == 0) return;
  publication.update = asker.entry;
  answered_.add(asker.entry, publication.thing, asker.bytes);
}

void Engine::reply_ended(std::uint64_t number, Effects& effects) {
  for (const auto settled : answered_.reply_ended(number)) effects.settled.push_back(settled);
}

void Engine::reject_illegal_transitions(Now now, Effects& effects) {
  for (const auto& transition : requests_.take_illegal_transitions()) {
    effects.illegal_transitions.push_back(transition);
    const auto it = requests_.find(transition.request);
    if (it == requests_.end()) continue;
    auto& pending = it->second;
    // A request in that state has been answered and settled.
    if (pending.state != RequestState::calling_answered) {
      const auto first = effects.finished.size();
      reply(now, pending,
            Rejection{
                ErrorCode::internal_error,
                "the gateway lost track of the request because of an internal fault: try again"},
            {}, effects);
      for (auto at = first; at < effects.finished.size(); ++at) {
        effects.finished[at].given_up = pending.must_be_delivered();
      }
    }
    requests_.discard(it);
  }
}

}  // namespace jobs_bridge
