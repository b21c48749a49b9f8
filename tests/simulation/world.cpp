#include "tests/simulation/world.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "tests/simulation/liveness.h"
#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t some_day = 1'800'000'000;  // 2027

/// A timer may be so late: quotas round up.
constexpr Duration rounding = 10us;

}  // namespace

World::World(Shape shape, std::uint64_t seed, Extras extras)
    : shape_(std::move(shape)),
      extras_(std::move(extras)),
      dice_(seed),
      lateness_dice_(dice_.next()),
      endpoint_(shape_.things, dice_.next()),
      credentials_(agenda_, shape_.credentials_life, dice_.next()),
      journal_(dice_.next()),
      broker_(
          agenda_, [this] { return now_; }, shape_.receive_maximum, dice_.next()),
      incoming_({.agenda = agenda_,
                 .clock = [this] { return now_; },
                 .stood_still_until = [this] { return stood_still_until_; },
                 .has_suspects = [this] { return broker_.has_suspects(); },
                 .on_ready = [this] { hand_over(); },
                 .on_dead = [this] { lose_the_broker(); }},
                shape_.keep_alive, dice_.next()),
      between_(extras_.between ? extras_.between(broker_) : nullptr),
      ledger_(shape_.engine, shape_.things, shape_.lateness()),
      devices_(shape_),
      recording_time_(shape_.recording_time),
      clock_offset_(shape_.clock_unset ? 0 : some_day) {
  for (std::uint32_t thing = 0; thing < shape_.things; ++thing) {
    for (std::size_t job = 0; job < shape_.jobs; ++job) {
      endpoint_.add_job(thing, dice_.chance(0.2) ? 1 : 0);
    }
  }
  endpoint_.set_weather(shape_.weather);
  endpoint_.set_failing_things(shape_.failing_things, shape_.failing_weather);
  tell("world", [this] { return "begins: " + shape_.weather.text(); });
  if (shape_.failing_things > 0) {
    tell("world", [this] {
      return "of the first " + std::to_string(shape_.failing_things) +
             " things: " + shape_.failing_weather.text();
    });
  }
  broker_.set_blocked(shape_.blocked);
  broker_.set_refused(shape_.refused);
  broker_.report_ended_replies([this](std::uint64_t update) {
    if (bridge_) bridge_->reply_ended(clock(), update);
  });
  broker_.report_acknowledged([this] { incoming_.acknowledged(); });
  start_bridge();
  run_until(now_);
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
    timer_late_ = lateness_dice_.between(Duration::zero(), shape_.timer_lateness);
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

void World::run_traffic() {
  run_traffic(random_script(shape_, dice_.next()));
}

void World::run_traffic(const Script& script) {
  play(script, now_, 0);
  run_for(shape_.length);
  if (shape_.last_outage == Duration::zero()) return;
  endpoint_.set_weather(Weather::outage(dice_, shape_.faults));
  tell("endpoint", [this] { return "from now on: " + endpoint_.weather().text(); });
  run_for(shape_.last_outage);
}

void World::play(const Script& script, MonotonicTime begin, std::size_t next) {
  if (next == script.size()) return;
  agenda_.at(begin + script[next].at, [this, &script, begin, next] {
    happen(script[next]);
    play(script, begin, next + 1);
  });
}

void World::end_faults() {
  tell("world", [] { return "nothing goes wrong any more"; });
  endpoint_.set_weather(Weather::fair());
  endpoint_.set_failing_things(0, {});
  journal_.set_full(0);
  recording_time_ = {};
  broker_.set_blocked(0);
  broker_.set_refused(0);
  credentials_.end_faults(now_);
  // What has begun ends: a standstill, a shutdown, a restart, a reconnection, a recording.
  const auto dead_link = shape_.faults.has(Fault::dead_links) ? 2 * shape_.keep_alive : 0s;
  const auto limit = now_ + shape_.longest_stall + 11s + shape_.lateness() + dead_link;
  const auto is_up = [this] {
    return bridge_ && !bridge_->draining() && broker_.connected() && !incoming_.is_dead() &&
           !is_stalled() && !bridge_->is_recording();
  };
  while (!is_up() && now_ < limit) run_for(100ms);
  promise(is_up(), "the simulation is sound");
}

bool World::is_done() const {
  const auto counts = bridge_->counts();
  return counts.updates + counts.waiting + counts.pausing == 0 && bridge_->is_idle() &&
         ledger_.is_all_answered();
}

void World::settle() {
  end_faults();
  const auto counts = bridge_->counts();
  const auto begin = now_;
  settling_.bound = time_to_finish(shape_, {.updates = counts.updates,
                                            .requests = ledger_.open_count(),
                                            .longest_line = ledger_.longest_line()});
  while (!is_done() && now_ < begin + settling_.bound) run_for(100ms);
  settling_.took = now_ - begin;
  const auto left = bridge_->counts();
  promise(left.updates == 0 && left.held == 0,
          "what is held is delivered in time once nothing goes wrong any more", [&] {
            return std::to_string(left.updates) + " of " + std::to_string(counts.updates) +
                   " left after " + std::to_string(settling_.bound.count() / 1000000) + " ms";
          });
  promise(
      left.waiting == 0 && left.pausing == 0 && bridge_->is_idle(), "nothing is left over", [&] {
        return std::to_string(left.waiting) + " wait, " + std::to_string(left.pausing) + " pause";
      });
  const auto taken_by =
      now_ + broker_.time_for(left.answered + broker_.missing_until(broker_.last_queued()));
  while (bridge_->counts().answered > 0 && now_ < taken_by) run_for(100ms);
  promise(bridge_->counts().answered == 0 && bridge_->counts().update_bytes == 0,
          "the broker has acknowledged every reply, and nothing is kept for one",
          [&] { return std::to_string(bridge_->counts().answered) + " are left"; });
  ledger_.check_all_done();
  journal_.catch_up(now_);
  run_for(longest_forgetting);
  journal_.catch_up(now_);
  promise(journal_.entries().empty(), "nothing is left in the journal");
  promise(broker_.last_queued() == bridge_->published(), "all that is published goes to the broker",
          [&] {
            return std::to_string(broker_.last_queued()) + " of " +
                   std::to_string(bridge_->published());
          });
  // Polls go on, and what they publish from here on need not have arrived yet.
  const auto last = broker_.last_queued();
  const auto sent_by = now_ + broker_.time_for(broker_.missing_until(last));
  while (broker_.missing_until(last) > 0 && now_ < sent_by) run_for(100ms);
  promise(broker_.missing_until(last) == 0, "the broker has all that was published in time",
          [&] { return std::to_string(broker_.missing_until(last)) + " missing"; });
}

AskedNumber World::send(Asked asked) {
  const auto number = ledger_.add(std::move(asked));
  tell("device", [&] {
    const auto& sent = ledger_.asked(number);
    return "sends r" + std::to_string(number) + " to " + sent.topic + " " + sent.wanted.body;
  });
  incoming_.send(number);
  hand_over();
  return number;
}

AskedNumber World::send(std::uint32_t thing) {
  return send(devices_.ask(dice_, thing, endpoint_, ledger_));
}

void World::hand_over() {
  const bool reads = !is_stalled() || (shape_.callbacks_apart && !process_stalled_);
  while (reads && bridge_ && !bridge_->is_recording() && broker_.connected()) {
    const auto number = incoming_.next();
    if (!number) return;
    auto message = Devices::message_of(ledger_.asked(*number), *number);
    if (message.expires_after) *message.expires_after -= incoming_.waited();
    if (message.expires_after && *message.expires_after <= 0ns) continue;  // the broker drops it
    tell("bridge", [&] { return "receives r" + std::to_string(*number); });
    incoming_.arrived(message);
    if (bridge_->receive(clock(), *number, std::move(message), shape_.callbacks_apart)) record();
  }
}

void World::record() {
  // On the event loop nothing else happens meanwhile.
  const auto longest = shape_.callbacks_apart ? recording_time_ : Duration::zero();
  if (longest == Duration::zero()) return bridge_->record(clock(), shape_.callbacks_apart);
  agenda_.at(now_ + lateness_dice_.between(Duration::zero(), longest), [this, life = ends_] {
    if (life != ends_) return;
    bridge_->record(clock(), shape_.callbacks_apart);
    incoming_.excuse(now_);
    hand_over();
  });
}

void World::start_bridge() {
  tell("bridge", [this] {
    return "starts with " + std::to_string(journal_.entries().size()) + " entries in the journal";
  });
  Publisher& publisher = between_ ? *between_ : broker_;
  const Bridge::Around around{.ledger = ledger_,
                              .journal = journal_,
                              .publisher = publisher,
                              .digest = digest_,
                              .story = extras_.story};
  bridge_.emplace(clock(), shape_.engine, shape_.connections, around,
                  [this](const Bridge::Begun& begun) { begin_call(begun); });
  if (shape_.credentials_life > Duration::zero()) credentials_.begin(now_);
  incoming_.begin();
  bridge_->fire_timer(clock());
  connect_to_broker();
}

void World::connect_to_broker() {
  if (broker_.connected()) return;
  incoming_.connected();
  broker_.connect();
  hand_over();
}

void World::look_after_broker() {
  if (!bridge_ || broker_.connected() || std::exchange(reconnecting_, true)) return;
  incoming_.disconnected();
  ledger_.happened(now_, Event::broker_lost);
  tell("broker", [] { return "has lost the connection to the bridge"; });
  agenda_.at(now_ + dice_.between(1ms, 3s), [this] {
    reconnecting_ = false;
    if (!bridge_) return;
    tell("broker", [] { return "has a connection again"; });
    connect_to_broker();
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
  // The broker would send it again if it had not been recorded by now.
  if (bridge_->is_recording()) bridge_->record(clock(), shape_.callbacks_apart);
  ++ends_;
  tell("bridge", [&] {
    return std::string(cut_power            ? "ends by a power cut"
                       : bridge_->drained() ? "ends in order"
                                            : "is killed");
  });
  if (!bridge_->drained()) ledger_.happened(now_, cut_power ? Event::power_cut : Event::killed);
  stalled_until_ = stood_still_until_ = now_;  // the next process is another one
  calls_before_ += bridge_->calls();
  transitions_before_.add(bridge_->transitions());
  bridge_.reset();
  credentials_.end();
  broker_.forget();
  broker_.disconnect();
  incoming_.end();
  ledger_.ended();
  // Calls under way: the endpoint may have had them already.
  for (const auto number : under_way()) {
    const auto& begun = calls_.at(number).begun;
    const auto& fate = calls_.at(number).fate;
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
  auto transitions = transitions_before_;
  if (bridge_) transitions.add(bridge_->transitions());
  return {.worlds = 1,
          .requests = ledger_.size(),
          .calls = calls_before_ + (bridge_ ? bridge_->calls() : 0),
          .replies = ledger_.replies(),
          .accepted = ledger_.accepted(),
          .ends = ends_,
          .signing = signing_,
          .longest_settling = settling_.bound == Duration::zero()
                                  ? 0
                                  : std::chrono::duration<double>(settling_.took) /
                                        std::chrono::duration<double>(settling_.bound),
          .time = now_ - MonotonicTime(1h),
          .fingerprint = digest_.value(),
          .coverage = ledger_.coverage(),
          .transitions = transitions};
}

void SigningCounts::add(const SigningCounts& other) {
  worlds += other.worlds;
  refused += other.refused;
  sent_again += other.sent_again;
  accepted_then += other.accepted_then;
}

void Totals::add(const Totals& other) {
  worlds += other.worlds;
  requests += other.requests;
  calls += other.calls;
  replies += other.replies;
  accepted += other.accepted;
  ends += other.ends;
  signing.add(other.signing);
  longest_settling = std::max(longest_settling, other.longest_settling);
  time += other.time;
  fingerprint ^= other.fingerprint;
  coverage.add(other.coverage);
  transitions.add(other.transitions);
}

std::string Totals::text() const {
  return std::to_string(worlds) + " worlds, " + std::to_string(requests) + " requests, " +
         std::to_string(calls) + " calls, " + std::to_string(replies) + " replies (" +
         std::to_string(accepted) + " accepted), " + std::to_string(ends) +
         " ends of the bridge, " + std::to_string(signing.refused) +
         " calls with refused credentials in " + std::to_string(signing.worlds) + " worlds, " +
         std::to_string(signing.sent_again) + " sent once more, " +
         std::to_string(signing.accepted_then) + " of them accepted then, " +
         std::to_string(std::chrono::duration_cast<std::chrono::hours>(time).count()) +
         " hours simulated; at the end at most " +
         std::to_string(static_cast<int>(longest_settling * 100)) +
         " % of the time that may pass until all is done";
}

}  // namespace jobs_bridge::simulation
