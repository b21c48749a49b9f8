#include "tests/worlds/world.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

std::string seconds_of(Duration duration) {
  return std::to_string(std::chrono::duration<double>(duration).count()) + " s";
}

double burst_of(double per_second) {
  return std::max(1.0, per_second * 0.05);
}

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  worlds += other.worlds;
  requests += other.requests;
  accepted += other.accepted;
  rejected += other.rejected;
  refused += other.refused;
  held += other.held;
  calls += other.calls;
  applied_again += other.applied_again;
  kills += other.kills;
  power_cuts += other.power_cuts;
  restarts += other.restarts;
  lost_to_power_cuts += other.lost_to_power_cuts;
  lost_to_crashes += other.lost_to_crashes;
  seconds += other.seconds;
  return *this;
}

World::World(Plan plan)
    : plan_(plan),
      chance_(plan.seed),
      endpoint_(plan.seed + 1),
      journal_(plan.seed + 2),
      next_arrival_(now_.monotonic),
      next_weather_(now_.monotonic + 1s) {
  tally_.worlds = 1;
  start_engine({});
}

void World::start_engine(const std::vector<JournalEntry>& entries) {
  auto settings = plan_.engine;
  settings.seed = chance_.below(1000000);
  engine_.emplace(settings, *TopicGrammar::from_base("$aws/things/{thing}/jobs"));
  ++life_;
  calls_[0].clear();  // a new bridge knows nothing of the calls of the one before
  calls_[1].clear();
  for (const auto& entry : entries) {
    if (!engine_->restore(now_, entry)) broken("an entry of the journal is not taken over");
    auto& asked = asked_.at(by_number_.at(entry.number));
    auto& thing = things_[asked.thing];
    thing.unsure = true;
    if (asked.replied) asked.may_be_repeated = true;
  }
  give_out_calls();
}

void World::run() {
  run_for(plan_.length);
  settle();
}

void World::run_for(Duration time) {
  const auto end = now_.monotonic + time;
  while (now_.monotonic < end) {
    if (plan_.crashes && chance_.once_in(400)) {
      if (chance_.once_in(3)) {
        restart();
      } else {
        kill(chance_.once_in(2), chance_.time(chance_.once_in(4) ? Duration(48h) : 10s));
      }
      if (chance_.once_in(3)) {
        clock_jumped_ = true;
        now_.unix_seconds += chance_.once_in(2) ? 86400 : -86400 * 365 * 10;
      }
      if (now_.monotonic >= end) return;
    }
    if (plan_.disk_full_at_times && chance_.once_in(100)) journal_.full = chance_.once_in(2);
    if (plan_.storms && now_.monotonic >= next_weather_) change_weather();
    const auto next = plan_.requests_per_second > 0 ? std::min(end, next_arrival_) : end;
    advance_to(plan_.storms ? std::min(next, std::max(next_weather_, now_.monotonic)) : next);
    if (plan_.requests_per_second > 0 && now_.monotonic >= next_arrival_ && now_.monotonic < end) {
      arrive();
    }
  }
}

void World::arrive() {
  const auto mean = 2e9 / plan_.requests_per_second;
  next_arrival_ = now_.monotonic + Duration(1 + chance_.below(static_cast<std::uint64_t>(mean)));
  const auto thing = chance_.with(plan_.flood) ? 0 : chance_.below(plan_.things);
  if (plan_.only_start_next) {
    ask_start_next("t" + std::to_string(thing));
  } else {
    ask("t" + std::to_string(thing));
  }
}

void World::change_weather() {
  next_weather_ = now_.monotonic + chance_.time(chance_.once_in(5) ? Duration(5min) : 5s);
  Weather weather;
  weather.latency = chance_.time(chance_.once_in(4) ? Duration(9s) : 200ms);
  const auto share = [&] { return chance_.once_in(3) ? 0.01 * double(chance_.below(100)) : 0.0; };
  switch (chance_.below(6)) {
    case 0:
      weather.refuses = true;
      break;
    case 1:
      weather.hangs = true;
      break;
    case 2:
      weather.per_second = static_cast<double>(1 + chance_.below(100));
      weather.says_retry_after = chance_.once_in(2);
      break;
    case 3:
      weather.failures = share();
      weather.lost_answers = share();
      weather.lost_requests = share();
      weather.garbage = share();
      break;
    default:
      break;
  }
  endpoint_.weather = weather;
}

void World::advance_to(MonotonicTime time) {
  while (true) {
    const auto tick = engine_->next_tick(now_.monotonic);
    if (tick <= now_.monotonic) broken("next_tick() is not in the future: the daemon would spin");
    auto next = std::min(time, tick);
    if (!flying_.empty()) next = std::min(next, flying_.begin()->first);
    // Nobody is woken before `next`: nothing may become possible until then. (Times are rounded to
    // the nanosecond.)
    if (const auto gap = next - now_.monotonic; gap > 1us && flying_.size() < plan_.connections) {
      auto between = now_;
      between.monotonic +=
          Duration(1 + chance_.below(static_cast<std::uint64_t>(gap.count()) - 100));
      if (engine_->has_call(between)) broken("a call became possible and nobody was woken for it");
    }
    now_.monotonic = next;
    if (!flying_.empty() && flying_.begin()->first <= next) {
      const auto flown = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      engine_->answered(now_, flown.id, flown.outcome, effects_);
    } else if (tick <= next) {
      ++ticks_;
      engine_->tick(now_, effects_);
    }
    take_effects();
    give_out_calls();
    check_bounds();
    if (next >= time) return;
  }
}

void World::give_out_calls() {
  engine_->tick(now_, effects_);
  take_effects();
  while (flying_.size() < plan_.connections) {
    const bool expected = engine_->has_call(now_);
    auto call = engine_->next_call(now_, effects_);
    take_effects();
    if (expected != call.has_value() && !plan_.engine.notifier.enabled) {
      broken(expected ? "has_call() promised a call that was not there"
                      : "next_call() gave a call that has_call() did not know of");
    }
    if (!call) return;
    const auto thing = call->request.target.substr(8, call->request.target.find('/', 8) - 8);
    check_call(*call, thing);
    auto fate = endpoint_.call(now_.monotonic, call->request, call->deadline);
    ++tally_.calls;
    flying_.emplace(fate.at, Flying{call->id, std::move(fate.outcome), thing});
  }
}

void World::check_call(const Call& call, const std::string& thing) {
  if (call.deadline <= now_.monotonic) broken("a call has no time at all");
  const bool write = call.request.method != "GET";
  const double rate = write ? plan_.engine.writes_per_second : plan_.engine.reads_per_second;
  auto& calls = calls_[write ? 1 : 0];
  while (!calls.empty() && now_.monotonic - calls.front() >= 1s) calls.pop_front();
  calls.push_back(now_.monotonic);
  if (rate > 0 && static_cast<double>(calls.size()) > rate + burst_of(rate) + 1e-6) {
    broken("more calls in a second than the quota and its burst");
  }
  if (call.request.method == "PUT" && things_[thing].open_start_nexts == 0) {
    broken("a start-next is sent that nobody waits for");
  }
  if (plan_.engine.notifier.enabled) return;
  for (const auto& [at, flying] : flying_) {
    if (flying.thing == thing) broken("two calls of one thing at the same time");
  }
}

void World::check_bounds() {
  const auto counts = engine_->counts();
  const auto& settings = plan_.engine;
  if (counts.waiting > settings.queue + plan_.connections) {
    broken("more requests wait than allowed");
  }
  if (counts.update_bytes > settings.holding.max_bytes && life_ == 1) {
    broken("updates take more than allowed");
  }
  if (counts.in_flight > plan_.connections) broken("more calls than connections");
}

void World::kill(bool power_cut, Duration away) {
  ++(power_cut ? tally_.power_cuts : tally_.kills);
  flying_.clear();
  effects_.clear();
  const auto entries = journal_.after_crash(now_.monotonic, power_cut);
  std::unordered_set<std::uint64_t> numbers;
  for (const auto& entry : entries) numbers.insert(entry.number);
  for (auto& asked : asked_) {
    if (asked.replied || asked.dead) continue;
    if (asked.number != 0 && numbers.contains(asked.number)) continue;
    // A repeat that had joined is carried out with the one that was recorded.
    const bool update = asked.operation == Operation::update;
    const bool recorded = asked.number != 0;
    ++(recorded ? tally_.lost_to_power_cuts : tally_.lost_to_crashes);
    if (update && recorded && !power_cut) broken("a kill has lost a recorded update");
    if (update && (recorded || !plan_.engine.holding.durable)) updates_[asked.note] = Fate::lost;
    asked.dead = true;
    close_asked(asked);
  }
  now_.monotonic += away;
  now_.unix_seconds += std::chrono::duration_cast<std::chrono::seconds>(away).count();
  next_arrival_ = std::max(next_arrival_, now_.monotonic);
  next_weather_ = std::max(next_weather_, now_.monotonic);
  start_engine(entries);
}

void World::restart() {
  ++tally_.restarts;
  engine_->refuse_new_requests();
  const auto patience = now_.monotonic + 2500ms;
  while (!engine_->is_idle() && now_.monotonic < patience) {
    advance_to(std::min(patience, now_.monotonic + 100ms));
  }
  engine_->abandon(now_, effects_);
  take_effects();
  for (const auto& asked : asked_) {
    const bool durable = asked.operation == Operation::update && plan_.engine.holding.durable;
    if (!asked.replied && !asked.dead && !durable)
      broken("an orderly end left a request unanswered");
  }
  kill(false, chance_.time(5s));
  --tally_.kills;
}

void World::settle() {
  endpoint_.weather = {};
  journal_.full = false;
  const auto per_second =
      std::min(plan_.engine.reads_per_second > 0 ? plan_.engine.reads_per_second : 1000.0,
               plan_.engine.writes_per_second > 0 ? plan_.engine.writes_per_second : 1000.0);
  // A circuit's and an update's longest pauses, a throttled rate's recovery, and the backlog.
  const auto limit = now_.monotonic + 150s +
                     std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
                         8.0 * static_cast<double>(engine_->counts().updates) / per_second));
  while (engine_->counts().updates > 0 || !engine_->is_idle()) {
    if (now_.monotonic > limit) {
      broken("after the end of all trouble " + std::to_string(engine_->counts().updates) +
             " updates are still not delivered");
    }
    advance_to(now_.monotonic + 100ms);
  }
  check_end();
}

void World::check_end() {
  for (const auto& asked : asked_) {
    if (!asked.replied && !asked.dead) broken("no reply to " + asked.topic);
    if (asked.operation == Operation::update && updates_.at(asked.note) == Fate::open &&
        !endpoint_.was_applied(asked.thing, asked.note)) {
      broken("update " + std::to_string(asked.note) + " of " + asked.thing +
             " was acknowledged and neither delivered nor reported");
    }
  }
  for (const auto& [name, thing] : things_) {
    auto applied = endpoint_.applied(name);
    // Without the time of day nobody knows after a crash that a message had expired before it.
    if (clock_jumped_) {
      std::erase_if(applied, [&](auto note) { return updates_.at(note) == Fate::rejected; });
    }
    if (!std::ranges::is_sorted(applied)) {
      broken("updates of " + name + " reached the endpoint out of order");
    }
  }
  tally_.applied_again = endpoint_.applied_again();
  tally_.seconds = std::chrono::duration<double>(now_.monotonic - MonotonicTime(1000h)).count();
  if (static_cast<double>(ticks_) > 1000 + 1000 * tally_.seconds + 20.0 * double(tally_.calls)) {
    broken("the daemon would be woken " + std::to_string(ticks_) + " times");
  }
}

std::vector<Duration> World::waits(const std::string& thing, bool others) const {
  std::vector<Duration> all;
  for (const auto& asked : asked_) {
    if (asked.replied && (asked.thing == thing) != others) all.push_back(asked.took);
  }
  std::ranges::sort(all);
  return all;
}

void World::broken(const std::string& promise) const {
  throw std::runtime_error(promise + " (seed " + std::to_string(plan_.seed) + ", " +
                           seconds_of(now_.monotonic - MonotonicTime(1000h)) + " in)");
}

}  // namespace jobs_bridge::simulation
