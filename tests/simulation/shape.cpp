#include "tests/simulation/shape.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

EngineSettings random_settings(Dice& dice) {
  EngineSettings settings;
  settings.seed = dice.next();
  settings.deadline = dice.chance(0.5) ? Duration(8s) : dice.between(500ms, 20s);
  settings.queue = dice.chance(0.5) ? 10000 : dice.between(1, 60);
  settings.queue_per_thing = dice.between(1, 20);
  constexpr std::array rates = {0.0, 1.0, 3.0, 10.0, 25.0, 60.0, 200.0, 1000.0};
  settings.reads_per_second = rates.at(dice.below(rates.size()));
  settings.writes_per_second = rates.at(dice.below(rates.size()));
  settings.holding.durable = dice.chance(0.8);
  settings.holding.max_per_thing = dice.chance(0.5) ? 256 : dice.between(1, 30);
  settings.holding.max_bytes = dice.chance(0.6) ? std::size_t{64} << 20 : dice.between(700, 60000);
  if (dice.chance(0.3)) {
    settings.holding.max_age = settings.deadline + dice.between(1s, dice.chance(0.7) ? 60s : 7200s);
  }
  if (dice.chance(0.2)) {
    settings.notifier.enabled = true;
    settings.notifier.interval = dice.between(1s, 60s);
    settings.notifier.calls_per_second = settings.reads_per_second / 2;
  }
  if (dice.chance(0.3)) settings.notifier.repeat_replies = ThingList({"thing-1*", "thing-2"});
  return settings;
}

}  // namespace

Shape Shape::random(Dice& dice) {
  Shape shape;
  shape.engine = random_settings(dice);
  shape.things =
      static_cast<std::uint32_t>(dice.chance(0.3) ? dice.between(1, 3) : dice.between(1, 80));
  shape.connections = dice.between(1, 40);
  // As the daemon sets it.
  shape.engine.failing_alone_calls_in_flight = std::max<std::size_t>(1, shape.connections / 2);
  shape.engine.notifier.calls_in_flight = std::max<std::size_t>(1, shape.connections / 4);
  shape.jobs = dice.between(1, 6);
  shape.between_requests = dice.between(2ms, 400ms);
  shape.length = shape.between_requests * static_cast<Duration::rep>(dice.between(100, 2500));
  shape.start_next = static_cast<double>(dice.below(5)) / 10;
  shape.get = static_cast<double>(dice.below(3)) / 10;
  shape.describe = static_cast<double>(dice.below(3)) / 10;
  shape.repeats = 0.2;
  shape.floods = 0.01;
  shape.expires = 0.1;
  shape.invalid = 0.03;
  if (dice.chance(0.5)) shape.response_topic = 0.3;
  const auto up_to = [&](std::uint64_t most) {
    return shape.length / static_cast<Duration::rep>(dice.between(1, most));
  };
  const auto faults = Faults::random(dice);
  shape.between_weathers = up_to(20);
  if (dice.chance(0.5)) shape.weather = Weather::random(dice, faults);
  shape.between_cancellations = up_to(10);
  if (dice.chance(0.6)) shape.between_new_jobs = up_to(40);
  shape.between_clock_jumps = up_to(4);
  shape.clock_unset = dice.chance(0.3);
  shape.between_ends = up_to(8);
  shape.between_full_disks = up_to(4);
  shape.recording_time = dice.chance(0.7) ? dice.about(5ms) : dice.about(1s);
  shape.callbacks_apart = dice.chance(0.5);
  shape.timer_lateness = dice.about(2ms);
  shape.between_stalls = up_to(20);
  shape.longest_stall = dice.chance(0.7) ? dice.about(30ms) : dice.about(6s);
  shape.between_broker_losses = up_to(10);
  shape.blocked = 0.01;
  shape.refused = dice.chance(0.8) ? 0.02 : 0.5;
  if (dice.chance(0.7)) shape.receive_maximum = dice.between(1, 40);
  if (dice.chance(0.5)) shape.credentials_life = dice.between(30s, dice.chance(0.5) ? 5min : 1h);
  shape.between_lost_credentials = up_to(10);
  shape.between_refused_credentials = up_to(10);
  shape.failing_things = static_cast<std::uint32_t>(dice.between(1, 1 + shape.things / 2));
  constexpr std::array of_one = {&Weather::hangs, &Weather::breaks, &Weather::fails};
  shape.failing_weather.*of_one.at(dice.below(of_one.size())) = 1;
  if (dice.chance(0.3)) {
    shape.failing_weather.hangs = 0.5;
    shape.failing_weather.fails = 1;
  }
  shape.failing_weather.carried_out = static_cast<double>(dice.below(5)) / 4;
  shape.keep_alive = dice.chance(0.5) ? Duration(15s) : dice.between(2s, 60s);
  shape.between_dead_links = up_to(8);
  if (dice.chance(0.25)) shape.last_outage = dice.between(1s, 20min);
  return shape.with_only(faults);
}

Shape Shape::with_only(const Faults& those) const {
  auto shape = *this;
  shape.faults = those;
  const auto keep = [&](Fault fault, auto& value) {
    if (!those.has(fault)) value = {};
  };
  keep(Fault::repeats, shape.repeats);
  keep(Fault::floods, shape.floods);
  keep(Fault::expiries, shape.expires);
  keep(Fault::invalid_requests, shape.invalid);
  keep(Fault::cancellations, shape.between_cancellations);
  keep(Fault::clock_jumps, shape.between_clock_jumps);
  keep(Fault::unset_clock, shape.clock_unset);
  keep(Fault::full_disks, shape.between_full_disks);
  keep(Fault::slow_disks, shape.recording_time);
  keep(Fault::standstills, shape.between_stalls);
  keep(Fault::standstills, shape.longest_stall);
  keep(Fault::late_timers, shape.timer_lateness);
  keep(Fault::lost_credentials, shape.between_lost_credentials);
  keep(Fault::refused_credentials, shape.between_refused_credentials);
  keep(Fault::failing_things, shape.failing_things);
  keep(Fault::broker_losses, shape.between_broker_losses);
  keep(Fault::blocked_publishes, shape.blocked);
  keep(Fault::refused_publishes, shape.refused);
  keep(Fault::dead_links, shape.between_dead_links);
  const bool kills = those.has(Fault::kills);
  const bool cuts = those.has(Fault::power_cuts);
  if (!those.has(Fault::shutdowns)) shape.orderly = 0;
  if (!kills && !cuts) shape.orderly = 1;
  if (!cuts) shape.power_cuts = 0;
  if (!kills) shape.power_cuts = 1;
  if (!kills && !cuts && !those.has(Fault::shutdowns)) shape.between_ends = {};
  shape.weather = weather.with_only(those);
  return shape;
}

std::string Shape::describe_world() const {
  const auto seconds = [](Duration duration) {
    return std::to_string(std::chrono::duration<double>(duration).count()) + " s";
  };
  return std::to_string(things) + " things, " + std::to_string(connections) + " connections, " +
         std::to_string(engine.reads_per_second) + " reads/s, " +
         std::to_string(engine.writes_per_second) + " writes/s, queue " +
         std::to_string(engine.queue) + "/" + std::to_string(engine.queue_per_thing) +
         ", deadline " + seconds(engine.deadline) + ", max_age " + seconds(engine.holding.max_age) +
         (engine.holding.durable ? ", durable" : "") +
         (engine.notifier.enabled ? ", notifying" : "") +
         (engine.notifier.repeat_replies.empty() ? "" : ", repeating") +
         (callbacks_apart ? ", callbacks apart" : "") + ", the broker lost every " +
         seconds(between_broker_losses) + ", a link dead every " + seconds(between_dead_links) +
         ", keep-alive " + seconds(keep_alive) + ", timers late by " + seconds(timer_lateness) +
         ", an update recorded within " + seconds(recording_time) + ", a stall of " +
         seconds(longest_stall) + " every " + seconds(between_stalls) + ", a request every " +
         seconds(between_requests) + " for " + seconds(length) + ", an end every " +
         seconds(between_ends) + ", credentials for " + seconds(credentials_life) +
         ", refused every " + seconds(between_refused_credentials) + ", an outage of " +
         seconds(last_outage) + " at the end; faults: " + faults.text();
}

}  // namespace jobs_bridge::simulation
