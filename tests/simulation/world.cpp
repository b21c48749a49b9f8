#include "tests/simulation/world.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t some_day = 1'800'000'000;  // 2027

/// A timer may be so late: quotas round up.
constexpr Duration rounding = 10us;

}  // namespace

World::World(Shape shape, std::uint64_t seed)
    : shape_(std::move(shape)),
      dice_(seed),
      endpoint_(shape_.things, dice_.next()),
      journal_(dice_.next()),
      broker_(
          agenda_, [this] { return now_; }, shape_.receive_maximum, dice_.next()),
      ledger_(shape_.engine, shape_.things, shape_.lateness()),
      devices_(shape_, dice_.next()),
      traffic_ends_(now_ + shape_.length),
      clock_offset_(shape_.clock_unset ? 0 : some_day) {
  for (std::uint32_t thing = 0; thing < shape_.things; ++thing) {
    for (std::size_t job = 0; job < shape_.jobs; ++job) {
      endpoint_.add_job(thing, dice_.chance(0.2) ? 1 : 0);
    }
  }
  endpoint_.set_weather(shape_.weather);
  broker_.set_blocked(shape_.blocked);
  start_bridge();
}

Now World::clock() const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch());
  return {.monotonic = now_, .unix_seconds = clock_offset_ + seconds.count()};
}

MonotonicTime World::next_ring() const {
  if (!bridge_ || bridge_->due() == MonotonicTime::max()) return MonotonicTime::max();
  return std::max({bridge_->due() + timer_late_, now_, stalled_until_});
}

void World::fire_timer() {
  bridge_->fire_timer(clock());
  if (shape_.timer_lateness > Duration::zero()) {
    timer_late_ = dice_.between(Duration::zero(), shape_.timer_lateness);
  }
}

void World::run_until(MonotonicTime end) {
  while (true) {
    const auto ring = next_ring();
    const auto next = std::min(agenda_.next(), ring);
    if (next > end) break;
    if (bridge_ && next - rounding > now_) {
      auto just_before = clock();
      just_before.monotonic = next - rounding;
      bridge_->check_nothing_missed(just_before);
    }
    now_ = next;
    if (ring <= agenda_.next()) {
      fire_timer();
    } else {
      agenda_.take()();
    }
    stop_once_drained();
    look_after_broker();
  }
  now_ = end;
}

void World::repeat(Duration mean, void (World::*what)()) {
  agenda_.at(now_ + std::max<Duration>(dice_.about(mean), 1us), [this, mean, what] {
    if (now_ >= traffic_ends_) return;
    (this->*what)();
    repeat(mean, what);
  });
}

void World::every(Duration mean, void (World::*what)()) {
  if (mean > Duration::zero()) repeat(mean, what);
}

void World::run_traffic() {
  traffic_ends_ = now_ + shape_.length;
  every(shape_.between_requests, &World::request);
  every(shape_.between_weathers, &World::change_weather);
  every(shape_.between_cancellations, &World::cancel_a_job);
  every(shape_.between_new_jobs, &World::add_a_job);
  every(shape_.between_clock_jumps, &World::jump_the_clock);
  every(shape_.between_full_disks, &World::fill_the_disk);
  every(shape_.between_ends, &World::end_the_bridge);
  every(shape_.between_stalls, &World::stall);
  every(shape_.between_broker_losses, &World::lose_the_broker);
  run_until(traffic_ends_);
}

void World::settle() {
  endpoint_.set_weather(Weather::fair());
  journal_.set_full(0);
  broker_.set_blocked(0);
  run_for(20s);  // any restart under way
  promise(bridge_.has_value(), "the simulation is sound");
  // Each update takes up to three calls; the rate may have to grow again from one a second.
  const auto counts = bridge_->counts();
  double rate = 1000;
  for (const double quota : {shape_.engine.reads_per_second, shape_.engine.writes_per_second}) {
    if (quota > 0) rate = std::min(rate, quota);
  }
  const auto calls = 3 * static_cast<double>(counts.updates + counts.waiting) + 100;
  const auto enough =
      7min + 2 * std::chrono::duration_cast<Duration>(std::chrono::duration<double>(calls / rate));
  const auto limit = now_ + enough;
  while (bridge_->counts().updates + bridge_->counts().waiting + bridge_->counts().in_flight > 0 &&
         now_ < limit) {
    run_for(1s);
  }
  run_for(shape_.engine.deadline + 1s);
  const auto left = bridge_->counts();
  promise(left.updates == 0 && left.held == 0,
          "what is held is delivered once the endpoint is back",
          [&] { return std::to_string(left.updates) + " left"; });
  promise(left.waiting == 0 && left.pausing == 0 && left.update_bytes == 0 && bridge_->is_idle(),
          "nothing is left over", [&] {
            return std::to_string(left.waiting) + " wait, " + std::to_string(left.pausing) +
                   " pause, " + std::to_string(left.update_bytes) + " bytes";
          });
  ledger_.check_all_done();
  journal_.catch_up(now_);
  promise(journal_.entries().empty(), "nothing is left in the journal");
  // Polls go on, and what they publish from here on need not have arrived yet.
  const auto last = broker_.last_queued();
  for (int second = 0; second < 20 && !broker_.has_all_until(last); ++second) run_for(1s);
  promise(broker_.has_all_until(last), "the broker has all that was published");
}

AskedNumber World::send(Asked asked) {
  const auto number = ledger_.add(std::move(asked));
  at_broker_.push_back(number);
  hand_over();
  return number;
}

AskedNumber World::send(std::uint32_t thing) {
  return send(devices_.ask(thing, endpoint_, ledger_));
}

void World::hand_over() {
  const bool reads = !is_stalled() || (shape_.callbacks_apart && !process_stalled_);
  while (reads && bridge_ && broker_.connected() && !at_broker_.empty()) {
    const auto number = at_broker_.front();
    at_broker_.pop_front();
    bridge_->receive(clock(), number, Devices::message_of(ledger_.asked(number), number),
                     shape_.callbacks_apart);
  }
}

void World::begin_call(const Bridge::Begun& begun) {
  auto fate = endpoint_.meet(now_, begun.quota, begun.call().deadline - now_);
  const auto number = next_call_++;
  agenda_.at(now_ + fate.takes, [this, number] { end_call(number); });
  calls_.emplace(number, Under{.begun = begun, .fate = std::move(fate)});
}

void World::end_call(std::uint64_t call) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;  // it ended with the bridge
  if (is_stalled()) {
    agenda_.at(stalled_until_, [this, call] { end_call(call); });
    return;
  }
  auto [begun, fate] = std::move(found->second);
  calls_.erase(found);
  if (fate.carried_out) {
    auto* asked = begun.asked ? &ledger_.asked(*begun.asked) : nullptr;
    auto response = endpoint_.carry_out(begun.call().request, asked);
    if (fate.answered) fate.outcome = std::move(response);
  }
  bridge_->call_ended(clock(), begun, fate.carried_out, fate.outcome);
}

void World::start_bridge() {
  bridge_.emplace(clock(), shape_.engine, shape_.connections, ledger_, journal_, broker_, digest_,
                  [this](const Bridge::Begun& begun) { begin_call(begun); });
  bridge_->fire_timer(clock());
  connect_to_broker();
}

void World::connect_to_broker() {
  broker_.connect();
  hand_over();
}

void World::look_after_broker() {
  if (!bridge_ || broker_.connected() || std::exchange(reconnecting_, true)) return;
  agenda_.at(now_ + dice_.between(1ms, 3s), [this] {
    reconnecting_ = false;
    if (bridge_) connect_to_broker();
  });
}

std::vector<std::uint64_t> World::under_way() const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, under] : calls_) numbers.push_back(number);
  std::ranges::sort(numbers);
  return numbers;
}

void World::stop_once_drained() {
  if (!bridge_ || !bridge_->drained()) return;
  for (const auto number : under_way()) bridge_->break_off(clock(), calls_.at(number).begun);
  stop_bridge(false);
}

void World::stop_bridge(bool cut_power) {
  ++ends_;
  stalled_until_ = now_;  // the next process is another one
  calls_before_ += bridge_->calls();
  bridge_.reset();
  broker_.forget();
  broker_.disconnect();
  ledger_.ended();
  // Calls under way: the endpoint may have had them already.
  for (const auto number : under_way()) {
    const auto& [begun, fate] = calls_.at(number);
    auto* asked = begun.asked ? &ledger_.asked(*begun.asked) : nullptr;
    if (fate.carried_out && dice_.chance(0.5)) endpoint_.carry_out(begun.call().request, asked);
  }
  calls_.clear();
  if (cut_power) {
    for (const auto& lost : journal_.cut_power(now_)) {
      ledger_.lost(now_, lost.recorded, lost.entry);
    }
  } else {
    journal_.kill(now_);
  }
  agenda_.at(now_ + dice_.between(1ms, 3s), [this] { start_bridge(); });
}

Totals World::totals() const {
  return {.worlds = 1,
          .requests = ledger_.size(),
          .calls = calls_before_ + (bridge_ ? bridge_->calls() : 0),
          .replies = ledger_.replies(),
          .accepted = ledger_.accepted(),
          .ends = ends_,
          .time = now_ - MonotonicTime(1h),
          .fingerprint = digest_.value()};
}

void Totals::add(const Totals& other) {
  worlds += other.worlds;
  requests += other.requests;
  calls += other.calls;
  replies += other.replies;
  accepted += other.accepted;
  ends += other.ends;
  time += other.time;
  fingerprint ^= other.fingerprint;
}

std::string Totals::text() const {
  return std::to_string(worlds) + " worlds, " + std::to_string(requests) + " requests, " +
         std::to_string(calls) + " calls, " + std::to_string(replies) + " replies (" +
         std::to_string(accepted) + " accepted), " + std::to_string(ends) +
         " ends of the bridge, " +
         std::to_string(std::chrono::duration_cast<std::chrono::hours>(time).count()) +
         " hours simulated";
}

}  // namespace jobs_bridge::simulation
