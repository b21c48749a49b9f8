#include "tests/simulation/shape.h"

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
    settings.notifier.calls_in_flight = dice.between(1, 8);
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
  shape.jobs = dice.between(1, 6);
  shape.between_requests = dice.between(2ms, 400ms);
  shape.length = shape.between_requests * static_cast<Duration::rep>(dice.between(100, 2500));
  shape.start_next = static_cast<double>(dice.below(5)) / 10;
  shape.get = static_cast<double>(dice.below(3)) / 10;
  shape.describe = static_cast<double>(dice.below(3)) / 10;
  const auto sometimes = [&](double share) { return dice.chance(0.5) ? share : 0; };
  shape.repeats = sometimes(0.2);
  shape.floods = sometimes(0.01);
  shape.expires = sometimes(0.1);
  shape.invalid = sometimes(0.03);
  shape.response_topic = sometimes(0.3);
  const auto now_and_then = [&](int most) {
    return dice.chance(0.6)
               ? shape.length /
                     static_cast<Duration::rep>(dice.between(1, static_cast<std::uint64_t>(most)))
               : Duration::zero();
  };
  shape.between_weathers = now_and_then(20);
  if (dice.chance(0.5)) shape.weather = Weather::random(dice);
  shape.between_cancellations = now_and_then(10);
  shape.between_new_jobs = now_and_then(40);
  shape.between_clock_jumps = now_and_then(4);
  shape.clock_unset = dice.chance(0.1);
  shape.between_ends = now_and_then(8);
  shape.between_full_disks = now_and_then(4);
  shape.callbacks_apart = dice.chance(0.5);
  if (dice.chance(0.5)) shape.timer_lateness = dice.about(2ms);
  if (dice.chance(0.3)) {
    shape.between_stalls = now_and_then(20);
    shape.longest_stall = dice.chance(0.7) ? dice.about(30ms) : dice.about(6s);
  }
  shape.between_broker_losses = now_and_then(10);
  if (dice.chance(0.2)) shape.blocked = 0.01;
  if (dice.chance(0.7)) shape.receive_maximum = dice.between(1, 40);
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
         seconds(between_broker_losses) + ", timers late by " + seconds(timer_lateness) +
         ", a stall of " + seconds(longest_stall) + " every " + seconds(between_stalls) +
         ", a request every " + seconds(between_requests) + " for " + seconds(length) +
         ", an end every " + seconds(between_ends);
}

}  // namespace jobs_bridge::simulation
