// World: what happens in it by chance.

#include <chrono>

#include "tests/simulation/world.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

}  // namespace

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

}  // namespace jobs_bridge::simulation
