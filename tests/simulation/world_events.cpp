// World: what happens in it by chance.

#include <chrono>

#include "tests/simulation/world.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

}  // namespace

void World::request() {
  const auto thing = devices_.some_thing();
  if (dice_.chance(shape_.repeats) && !ledger_.open(thing).empty()) {
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
    return;
  }
  auto count = dice_.chance(shape_.floods) ? dice_.between(5, 60) : 1;
  for (; count > 0; --count) send(thing);
}

void World::change_weather() {
  endpoint_.set_weather(Weather::random(dice_));
}

void World::cancel_a_job() {
  const auto thing = devices_.some_thing();
  if (endpoint_.jobs(thing).empty()) return;
  endpoint_.cancel_job(thing, dice_.below(endpoint_.jobs(thing).size()));
  ledger_.disturb(now_, thing);
}

void World::add_a_job() {
  endpoint_.add_job(devices_.some_thing(), dice_.chance(0.2) ? 1 : 0);
}

void World::jump_the_clock() {
  if (dice_.chance(0.2)) {
    clock_offset_ = 0;  // 1970
  } else if (dice_.chance(0.5)) {
    clock_offset_ = 1'800'000'000;
  } else {
    clock_offset_ += (dice_.chance(0.5) ? 1 : -1) * static_cast<std::int64_t>(dice_.below(200000));
  }
}

void World::fill_the_disk() {
  constexpr double shares[] = {0, 0, 0.2, 1};
  journal_.set_full(shares[dice_.below(4)]);
}

void World::end_the_bridge() {
  if (!bridge_ || bridge_->draining()) return;
  if (dice_.chance(shape_.orderly)) {
    if (is_stalled()) {
      agenda_.at(stalled_until_, [this] { end_in_order(); });
    } else {
      end_in_order();
    }
  } else {
    stop_bridge(dice_.chance(shape_.power_cuts));
  }
}

void World::end_in_order() {
  if (!bridge_ || bridge_->draining()) return;
  bridge_->drain(clock(), dice_.chance(0.5) ? Duration(5s) : dice_.between(0ms, 5s));
}

void World::lose_the_broker() {
  broker_.disconnect();
}

void World::stall() {
  if (is_stalled()) return;
  stalled_until_ = now_ + dice_.between(Duration::zero(), shape_.longest_stall);
  process_stalled_ = dice_.chance(0.5);
  agenda_.at(stalled_until_, [this] { hand_over(); });
}

}  // namespace jobs_bridge::simulation
