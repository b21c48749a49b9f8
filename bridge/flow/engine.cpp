#include "bridge/flow/engine.h"

#include <algorithm>
#include <chrono>
#include <variant>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// An update that was taken over from before a restart has at least so long before it is given up,
/// whatever the clock says about its age: the clock may be wrong.
constexpr Duration least_time_after_restart = 1h;

/// A clock that says less, 2020, was not set yet: a gateway without a battery boots in 1970.
constexpr std::int64_t earliest_sane_clock = 1577836800;

std::size_t bytes_of(const Message& message) {
  return held_overhead + message.topic.size() + message.payload.size() +
         message.response_topic.size() + message.correlation_data.size() +
         message.content_type.size();
}

}  // namespace

Engine::Engine(EngineSettings settings, TopicGrammar topics)
    : settings_(settings),
      intake_(topics, settings.partition, settings.max_payload),
      notifier_(settings.notifier, topics),
      reads_(settings.reads_per_second),
      writes_(settings.writes_per_second),
      random_(settings.seed) {}

std::size_t Engine::Pending::joined() const {
  return askers.size() - std::min(askers.size(), std::max<std::size_t>(held_askers, 1));
}

void Engine::remember(Now now, const WatchedThing& thing) {
  if (settings_.partition.serves(thing.thing)) notifier_.remember(now, thing);
}

void Engine::always_watch(Now now, ThingName thing) {
  if (settings_.partition.serves(thing.text())) notifier_.always_watch(now, std::move(thing));
}

void Engine::received(Now now, Message message, Effects& effects) {
  tick(now, effects);
  auto read = intake_.read(now, message);
  if (auto* refused = std::get_if<Intake::Refused>(&read)) {
    respond(now, std::move(refused->address), std::move(refused->rejection), {}, effects);
    return;
  }
  auto* taken = std::get_if<Intake::Taken>(&read);
  if (taken == nullptr) return;

  const bool update = taken->request.operation == Operation::update;
  // An update is never too late. All else was asked by a device that may have gone since: a late
  // start-next would start the timer of a job for nobody. Where nobody knows how long it was kept,
  // after a start of our own, the device is taken to wait still.
  const bool known = !update && message.kept_for != Duration::max();
  const auto kept_for = known ? message.kept_for : Duration::zero();
  if (kept_for > settings_.deadline - least_time_for_call()) {
    respond(now, std::move(taken->address),
            Rejection{ErrorCode::internal_error,
                      "the request waited while the gateway was away and was not carried out: ask "
                      "again"},
            {}, effects);
    return;
  }
  const auto deadline = now.monotonic + settings_.deadline - kept_for;
  const auto same = find_same(taken->request, message, deadline);
  auto bytes = update ? bytes_of(message) : 0;
  if (bytes > 0 && same != requests_.end()) bytes -= message.payload.size();
  if (auto rejection = refusal(taken->request, bytes, same)) {
    respond(now, std::move(taken->address), *std::move(rejection), {}, effects);
    return;
  }
  Asker asker{.address = std::move(taken->address), .deadline = deadline};
  if (same != requests_.end()) {
    same->second.askers.push_back(std::move(asker));
    same->second.bytes += bytes;
    update_bytes_ += bytes;
    lanes_.join(same->second.thing());
    schedule(same);
    return;
  }

  const auto id = next_id_++;
  Pending pending(Delivery(std::move(taken->request)), std::move(asker));
  pending.bytes = bytes;
  pending.give_up = now.monotonic + settings_.holding.max_age;
  if (message.expires_after && *message.expires_after < settings_.deadline) {
    pending.expiry = now.monotonic + *message.expires_after;
  }
  if (pending.is_update() && settings_.holding.durable) {
    effects.recorded.push_back(
        {.number = id, .received = now.unix_seconds, .message = std::move(message)});
  }
  add(id, std::move(pending));
}

void Engine::add(RequestId id, Pending pending) {
  lanes_.add(pending.thing(), id, pending.delivery.quota(), pending.is_held());
  if (pending.is_held()) held_.insert(id);
  if (pending.is_update()) ++updates_;
  update_bytes_ += pending.bytes;
  schedule(requests_.emplace(id, std::move(pending)).first);
}

Engine::Place Engine::find_same(const Request& request, const Message& message,
                                MonotonicTime deadline) {
  // One that may vanish sooner than its device waits is for nobody to rely on.
  if (message.expires_after && *message.expires_after < settings_.deadline) return requests_.end();
  // Only the last one of the thing: nothing may have changed in between.
  const auto last = lanes_.last(request.thing.text());
  const auto found = last ? requests_.find(*last) : requests_.end();
  if (found == requests_.end() || found->second.stage == Stage::late) return requests_.end();
  const auto& pending = found->second;
  // What is asked in mid-call is about a later moment: the answer on its way may not know of the
  // job that this device has just been told of. An update is the same at any moment.
  if (pending.stage == Stage::in_flight && !pending.is_update()) return requests_.end();
  const bool in_order = pending.askers.back().deadline <= deadline;
  return in_order && !pending.expiry && pending.request() == request ? found : requests_.end();
}

std::optional<Rejection> Engine::refusal(const Request& request, std::size_t bytes,
                                         Requests::const_iterator same) const {
  const auto full = [](std::string_view whose, std::size_t limit, std::string_view what) {
    return Rejection{ErrorCode::request_throttled,
                     std::string(whose) + " is full: " + std::to_string(limit) + std::string(what)};
  };
  const auto& thing = request.thing.text();
  const auto& holding = settings_.holding;
  // An update is safe in the journal; the next start carries it out.
  const bool safe = bytes > 0 && holding.durable;
  if (refusing_ && !safe) {
    return Rejection{ErrorCode::internal_error, "the gateway is shutting down: ask again"};
  }
  if (lanes_.waiting() + pausing_ + reconciling_.size() >= settings_.queue) {
    return full("the gateway's queue", settings_.queue, " requests wait");
  }
  if (lanes_.waiting(thing) >= settings_.queue_per_thing ||
      (same != requests_.end() && same->second.askers.size() > settings_.queue_per_thing)) {
    return full("this thing's queue", settings_.queue_per_thing, " requests wait");
  }
  if (bytes == 0) return std::nullopt;
  if (update_bytes_ + bytes > holding.max_bytes) {
    return full("the gateway's store of updates", holding.max_bytes,
                " bytes of updates wait for the endpoint");
  }
  if (same == requests_.end() && lanes_.length(thing) >= holding.max_per_thing) {
    return full("this thing's store of updates", holding.max_per_thing,
                " requests wait for the endpoint");
  }
  return std::nullopt;
}

void Engine::unrecorded(Now now, std::uint64_t number, const std::string& cause, Effects& effects) {
  const auto place = requests_.find(number);
  if (place == requests_.end()) return;
  reply(now, place->second,
        Rejection{ErrorCode::request_throttled, "the gateway cannot keep the update: " + cause}, {},
        effects);
  forget_update(place, nullptr);
  withdraw(place);
}

bool Engine::restore(Now now, const JournalEntry& entry) {
  // Also of one that is not taken: it stays in the journal, under its number.
  next_id_ = std::max(next_id_, entry.number + 1);
  auto read = intake_.read(now, entry.message);
  auto* taken = std::get_if<Intake::Taken>(&read);
  if (taken == nullptr || taken->request.operation != Operation::update) return false;

  const auto max_age = settings_.holding.max_age;
  // Bounded before it is multiplied: the entry's clock or ours may have said anything.
  const auto longest = std::chrono::duration_cast<std::chrono::seconds>(max_age).count();
  const bool clocks_tell =
      entry.received >= earliest_sane_clock && now.unix_seconds >= entry.received;
  const std::chrono::seconds age(
      clocks_tell ? std::min<std::int64_t>(now.unix_seconds - entry.received, longest) : 0);
  taken->address.received = now.monotonic - age;
  // Its age is known to the second. One that expires about now may have been rejected already.
  const auto& expires_after = entry.message.expires_after;
  const bool expired = expires_after && *expires_after < settings_.deadline &&
                       age + std::chrono::seconds(1) >= *expires_after;
  // The clock that it was received by showed whole seconds.
  const auto earliest = clocks_tell && age < max_age
                            ? std::optional(now.monotonic - age - std::chrono::seconds(1))
                            : std::nullopt;
  Pending pending(Delivery::resumed(std::move(taken->request), expired, earliest),
                  {.address = std::move(taken->address), .deadline = now.monotonic});
  pending.held_askers = 1;
  pending.bytes = bytes_of(entry.message);
  pending.give_up =
      now.monotonic + std::max(max_age - age, std::min(max_age, least_time_after_restart));
  add(entry.number, std::move(pending));
  return true;
}

void Engine::change_limits(Now now, const EngineSettings& settings) {
  settings_.deadline = settings.deadline;
  settings_.queue = settings.queue;
  settings_.queue_per_thing = settings.queue_per_thing;
  intake_.set_max_payload(settings.max_payload);
  reads_.set_limit(now.monotonic, settings.reads_per_second);
  writes_.set_limit(now.monotonic, settings.writes_per_second);
  notifier_.set_limits(now.monotonic, settings.notifier.calls_per_second,
                       settings.notifier.call_deadline);
  notifier_.set_repeat_replies(settings.notifier.repeat_replies);
}

void Engine::refuse_new_requests() {
  refusing_ = true;
  notifier_.stop();
}

std::size_t Engine::abandon(Now now, Effects& effects) {
  const Rejection shutting_down{ErrorCode::internal_error,
                                "the gateway is shutting down: ask again"};
  std::size_t left = 0;
  for (const auto& [due, id] : std::vector(due_.begin(), due_.end())) {
    const auto place = requests_.find(id);
    auto& pending = place->second;
    if (pending.is_update() && settings_.holding.durable) {
      ++left;
      continue;
    }
    reply(now, pending, pending.delivery.failure().value_or(shutting_down), {}, effects);
    forget_update(place, &effects);
    withdraw(place);
  }
  return left;
}

Engine::Counts Engine::counts() const {
  return {.waiting = lanes_.waiting(),
          .in_flight = in_flight_,
          .pausing = pauses_.size(),
          .held = held_.size(),
          .updates = updates_,
          .update_bytes = update_bytes_,
          .endpoint_reachable = !circuit_.is_open()};
}

std::optional<Duration> Engine::oldest_held(MonotonicTime now) const {
  if (held_.empty()) return std::nullopt;
  const auto received = requests_.at(*held_.begin()).give_up - settings_.holding.max_age;
  return std::max(Duration::zero(), Duration(now - received));
}

bool Engine::is_idle() const {
  return lanes_.waiting() + pausing_ + reconciling_.size() + in_flight_ == 0;
}

void Engine::reply(Now now, Pending& pending, const Answer& answer,
                   const std::string& endpoint_request_id, Effects& effects) {
  for (auto& asker : pending.askers) {
    // By the time and not by held_askers: an answer may come before the tick that was due.
    asker.address.held = pending.is_update() && asker.deadline <= now.monotonic;
    respond(now, std::move(asker.address), answer, endpoint_request_id, effects);
    effects.finished.back().calls = pending.calls;
  }
  lanes_.leave(pending.thing(), pending.joined());
  pending.askers.clear();
}

void Engine::forget_update(Place place, Effects* effects) {
  auto& pending = place->second;
  if (!pending.is_update()) return;
  --updates_;
  update_bytes_ -= std::exchange(pending.bytes, 0);
  if (effects != nullptr && settings_.holding.durable) effects->settled.push_back(place->first);
}

void Engine::withdraw(Place place) {
  auto& pending = place->second;
  const auto id = place->first;
  unschedule(pending);
  if (pending.is_held()) held_.erase(id);
  switch (pending.stage) {
    case Stage::waiting:
      lanes_.remove(pending.thing(), id);
      break;
    case Stage::pausing:
      pauses_.erase({pending.resume, id});
      if (!pending.is_held()) --pausing_;
      lanes_.finish(pending.thing());
      break;
    case Stage::reconciling:
      std::erase(reconciling_, id);
      lanes_.finish(pending.thing());
      break;
    case Stage::in_flight:
      // Its lane stays busy: a thing's next request must not overtake a call that may still arrive.
      pending.stage = Stage::late;
      return;
    case Stage::late:
      return;
  }
  requests_.erase(place);
}

}  // namespace jobs_bridge
