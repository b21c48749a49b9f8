#include "tests/simulation/world.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "bridge/jobs/outcome.h"
#include "tests/simulation/liveness.h"
#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t some_day = 1'800'000'000;  // 2027

/// A timer may be so late: quotas round up.
constexpr Duration rounding = 10us;

std::string describe(std::uint64_t call, const Fate& fate) {
  auto text = "call " + std::to_string(call) + " ends: ";
  if (const auto* response = std::get_if<HttpResponse>(&fate.outcome)) {
    text += std::to_string(response->status) + " " + response->error_type + " " + response->body;
  } else {
    const auto& failure = std::get<HttpFailure>(fate.outcome);
    if (failure.kind == HttpFailure::Kind::credentials) return text + "nothing to sign it with";
    text += failure.kind == HttpFailure::Kind::connect   ? "no connection"
            : failure.kind == HttpFailure::Kind::timeout ? "no answer in time"
                                                         : "the connection broke";
  }
  return fate.carried_out && !fate.answered ? text + " (carried out)" : text;
}

/// Whether other credentials may help, as adapters/aws/signing_endpoint sees it.
bool may_be_for_credentials(Fate& fate) {
  auto* response = std::get_if<HttpResponse>(&fate.outcome);
  if (response == nullptr || fate.answered) return false;
  const auto refusal = read_refusal(*response);
  return refusal == Refusal::credentials || refusal == Refusal::unexplained;
}

bool refuses_credentials(const Fate& fate) {
  const auto* response = std::get_if<HttpResponse>(&fate.outcome);
  return response != nullptr && EndpointModel::refuses_credentials(*response);
}

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

// What happens by chance.

void World::happen(const Happening& what) {
  dice_ = Dice(what.seed);
  const auto thing = what.thing % shape_.things;
  switch (what.kind) {
    case Happening::Kind::request:
      return request(thing);
    case Happening::Kind::weather:
      return change_weather();
    case Happening::Kind::cancellation:
      return cancel_a_job(thing);
    case Happening::Kind::new_job:
      return add_a_job(thing);
    case Happening::Kind::clock_jump:
      return jump_the_clock();
    case Happening::Kind::full_disk:
      return fill_the_disk();
    case Happening::Kind::end:
      return end_the_bridge();
    case Happening::Kind::standstill:
      return stall();
    case Happening::Kind::broker_loss:
      return lose_the_broker();
    case Happening::Kind::credentials_loss:
      return lose_the_credentials();
    case Happening::Kind::credentials_refusal:
      return refuse_the_credentials();
    case Happening::Kind::dead_link:
      return let_the_link_die();
  }
}

void World::request(std::uint32_t thing) {
  if (!dice_.chance(shape_.repeats) || ledger_.open(thing).empty()) {
    send(thing);
    return;
  }
  // A device that has not heard asks again: the same, with another token.
  auto& before = ledger_.asked(ledger_.open(thing).back());
  before.marked = false;
  Asked again;
  again.thing = thing;
  again.operation = before.operation;
  again.wanted = before.wanted;
  again.expected_version = before.expected_version;
  again.topic = before.topic;
  again.invalid = before.invalid;
  send(std::move(again));
}

void World::change_weather() {
  const auto weather = Weather::random(dice_, shape_.faults);
  tell("endpoint", [&] { return "from now on: " + weather.text(); });
  endpoint_.set_weather(weather);
}

void World::cancel_a_job(std::uint32_t thing) {
  if (endpoint_.jobs(thing).empty()) return;
  const auto job = dice_.below(endpoint_.jobs(thing).size());
  endpoint_.cancel_job(thing, job);
  tell("cloud",
       [&] { return "cancels job-" + std::to_string(job) + " of thing-" + std::to_string(thing); });
  ledger_.disturb(now_, thing);
}

void World::add_a_job(std::uint32_t thing) {
  endpoint_.add_job(thing, dice_.chance(0.2) ? 1 : 0);
  tell("cloud", [&] { return "has a new job for thing-" + std::to_string(thing); });
}

void World::jump_the_clock() {
  if (dice_.chance(0.2)) {
    clock_offset_ = 0;  // 1970
  } else if (dice_.chance(0.5)) {
    clock_offset_ = 1'800'000'000;
  } else {
    clock_offset_ += (dice_.chance(0.5) ? 1 : -1) * static_cast<std::int64_t>(dice_.below(200000));
  }
  tell("clock", [this] { return "shows " + std::to_string(clock().unix_seconds); });
}

void World::fill_the_disk() {
  constexpr double shares[] = {0, 0, 0.2, 1};
  const auto share = shares[dice_.below(4)];
  tell("disk", [&] {
    return "refuses " + std::to_string(static_cast<int>(share * 100)) + " % of what is written";
  });
  journal_.set_full(share);
}

void World::end_the_bridge() {
  if (!bridge_ || bridge_->draining()) return;
  if (dice_.chance(shape_.orderly)) {
    if (is_stalled()) {
      // Of this process: the next one is not told.
      agenda_.at(stalled_until_, [this, life = ends_] {
        if (ends_ == life) end_in_order();
      });
    } else {
      end_in_order();
    }
  } else {
    stop_bridge(dice_.chance(shape_.power_cuts));
  }
}

void World::end_in_order() {
  if (!bridge_ || bridge_->draining()) return;
  tell("bridge", [] { return "is told to end"; });
  ledger_.happened(now_, Event::shutdown_begins);
  bridge_->drain(clock(), dice_.chance(0.5) ? Duration(5s) : dice_.between(0ms, 5s));
}

void World::lose_the_broker() {
  broker_.disconnect();
}

void World::let_the_link_die() {
  if (!bridge_ || !broker_.connected()) return;
  tell("link", [] { return "to the broker dies"; });
  broker_.die();
  incoming_.die();
}

void World::lose_the_credentials() {
  const bool lost = dice_.chance(0.5);
  tell("source of credentials", [lost] { return lost ? "gives none" : "gives some"; });
  credentials_.set_failing(now_, lost);
}

void World::refuse_the_credentials() {
  if (dice_.chance(0.25)) {
    const auto duration = dice_.between(1s, 1min);
    tell("endpoint", [&] {
      return "refuses all credentials for " + std::to_string(in_seconds(duration)) + " s";
    });
    return credentials_.accept_none(now_, duration);
  }
  const auto kept = dice_.chance(0.5) ? Duration::zero() : dice_.between(0s, 1min);
  tell("endpoint", [&] {
    return "refuses the credentials that it has seen; their source gives the same for " +
           std::to_string(in_seconds(kept)) + " s";
  });
  credentials_.revoke(now_, kept);
}

void World::stall() {
  if (is_stalled()) return;
  stalled_until_ = now_ + dice_.between(Duration::zero(), shape_.longest_stall);
  process_stalled_ = dice_.chance(0.5);
  ledger_.happened(now_, Event::standstill);
  tell("bridge", [this] {
    const auto length = std::chrono::duration<double>(stalled_until_ - now_).count();
    return std::string(process_stalled_ ? "stands still for " : "'s event loop stands still for ") +
           std::to_string(length) + " s";
  });
  if (process_stalled_) {
    stood_still_until_ = stalled_until_;
  } else {
    // The monitor, which runs beside the loop, knows nothing of it.
    incoming_.excuse(stalled_until_);
  }
  agenda_.at(stalled_until_, [this] { hand_over(); });
}

// A call on its way to the endpoint and back.

void World::go_on(std::uint64_t call, const std::function<void(Under&)>& step) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;  // it ended with the bridge
  if (!is_stalled()) return step(found->second);
  agenda_.at(stalled_until_, [this, call, step] { go_on(call, step); });
}

void World::begin_call(const Bridge::Begun& begun) {
  const auto call = next_call_++;
  tell("bridge", [&] {
    const auto& request = begun.call().request;
    return "calls " + request.method + " " + request.target + " " + request.body + " (call " +
           std::to_string(call) +
           (begun.asked ? " for r" + std::to_string(*begun.asked) : std::string(", a poll")) + ")";
  });
  auto& under = calls_.emplace(call, Under{.begun = begun}).first->second;
  if (shape_.credentials_life == Duration::zero()) return send_call(call, under);
  credentials_.current(now_, begun.call().deadline,
                       [this, call](const auto& found) { sign_call(call, found); });
}

void World::sign_call(std::uint64_t call, const aws::CredentialsPointer& credentials) {
  go_on(call, [this, call, credentials](Under& under) {
    under.credentials = credentials;
    if (credentials) return send_call(call, under);
    under.fate.outcome = HttpFailure{
        .kind = HttpFailure::Kind::credentials, .maybe_sent = false, .detail = "simulated"};
    agenda_.at(now_, [this, call] { go_on(call, [&](Under& it) { end_call(call, it); }); });
  });
}

void World::send_call(std::uint64_t call, Under& under) {
  under.signed_at = now_;
  const auto left = under.begun.call().deadline - now_;
  const bool signed_well = !under.credentials || credentials_.accepts(now_, *under.credentials);
  under.fate = endpoint_.meet(now_, under.begun.call().request, under.begun.quota,
                              std::max(left, Duration::zero()), signed_well);
  agenda_.at(now_ + under.fate.takes,
             [this, call] { go_on(call, [this, call](Under& it) { hear_answer(call, it); }); });
}

void World::hear_answer(std::uint64_t call, Under& under) {
  if (!under.credentials || under.again || !may_be_for_credentials(under.fate)) {
    return end_call(call, under);
  }
  if (refuses_credentials(under.fate)) {
    if (signing_.refused++ == 0) ++signing_.worlds;
    under.refused = true;
  }
  credentials_.other_than({.credentials = under.credentials,
                           .signed_at = under.signed_at,
                           .heard_at = now_,
                           .deadline = under.begun.call().deadline},
                          [this, call](const aws::CredentialsPointer& others) {
                            go_on(call, [this, call, others](Under& it) {
                              if (!others) return end_call(call, it);
                              it.credentials = others;
                              send_again(call, it);
                            });
                          });
}

void World::send_again(std::uint64_t call, Under& under) {
  tell("bridge", [&] {
    return "sends call " + std::to_string(call) + " once more, with " +
           under.credentials->access_key_id;
  });
  under.again = true;
  send_call(call, under);
}

void World::end_call(std::uint64_t call, Under& under) {
  auto [begun, fate] = std::pair(std::move(under.begun), std::move(under.fate));
  if (under.refused && under.again) {
    ++signing_.sent_again;
    const bool answered = std::holds_alternative<HttpResponse>(fate.outcome);
    if (answered && !refuses_credentials(fate)) ++signing_.accepted_then;
  }
  calls_.erase(call);
  if (fate.carried_out) {
    auto* asked = begun.asked ? &ledger_.asked(*begun.asked) : nullptr;
    auto response = endpoint_.carry_out(begun.call().request, asked);
    if (fate.answered) fate.outcome = std::move(response);
  }
  tell("endpoint", [&, &fate = fate] { return describe(call, fate); });
  bridge_->call_ended(clock(), begun, fate.carried_out, fate.outcome);
}

}  // namespace jobs_bridge::simulation
