#include <gtest/gtest.h>

#include <iostream>

#include "tests/simulation/scenario.h"

/// An endpoint that allows less than is configured, or fails in between.
namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

struct Use {
  double used;       ///< of the capacity
  double throttled;  ///< of the calls
};

/// What is made of a limited endpoint from `from` to `to`, after the start.
Use use_of(World& world, double capacity, Duration from, Duration to) {
  const auto start = world.now();
  world.run_until(start + from);
  const auto served = world.endpoint().served();
  const auto throttled = world.endpoint().throttled();
  world.run_until(start + to);
  const auto more_served = static_cast<double>(world.endpoint().served() - served);
  const auto more_throttled = static_cast<double>(world.endpoint().throttled() - throttled);
  return {.used = more_served / (capacity * seconds(to - from)),
          .throttled = more_throttled / (more_served + more_throttled)};
}

/// More start-nexts than the endpoint allows, from many things, for a long time.
Shape busy(double configured, double capacity) {
  auto shape = usual_gateway(3000);
  shape.engine.reads_per_second = configured;
  shape.engine.writes_per_second = configured;
  shape.connections = 64;
  shape.weather.capacity = capacity;
  return shape;
}

void offer(World& world, double per_second, Duration time) {
  const auto count = static_cast<int>(per_second * seconds(time));
  for (int i = 0; i < count; ++i) {
    const auto at = std::chrono::duration<double>(i / per_second);
    world.agenda().at(world.now() + std::chrono::duration_cast<Duration>(at), [&world] {
      world.send(static_cast<std::uint32_t>(world.dice().below(3000)));
    });
  }
}

struct Limit {
  double configured;
  double capacity;
  bool retry_after;
};

/// For a test's name: without it, that is the bytes of the struct, the unused ones included.
void PrintTo(const Limit& limit, std::ostream* out) {
  *out << limit.capacity << " of " << limit.configured << (limit.retry_after ? " retry_after" : "");
}

class ThrottlingTest : public testing::TestWithParam<Limit> {};

TEST_P(ThrottlingTest, NearlyAllOfALimitIsUsedAndFewCallsAreThrottled) {
  const auto [configured, capacity, retry_after] = GetParam();
  auto shape = busy(configured, capacity);
  shape.weather.retry_after = retry_after;
  World world(shape, 1);
  offer(world, capacity * 2, 5min);
  const auto use = use_of(world, capacity, 1min, 5min);
  std::cout << "used " << use.used << ", throttled " << use.throttled << std::endl;
  // A second of silence that the endpoint asks for is lost for all.
  EXPECT_GE(use.used, retry_after ? 0.85 : 0.9);
  EXPECT_LT(use.throttled, 0.05);
  world.settle();
}

INSTANTIATE_TEST_SUITE_P(Limits, ThrottlingTest,
                         testing::Values(Limit{200, 50, false}, Limit{200, 20, false},
                                         Limit{200, 150, false}, Limit{0, 50, false},
                                         Limit{0, 200, false}, Limit{200, 50, true}));

TEST(ThrottlingRecoveryTest, TheRateIsBackTwoMinutesAfterTheLimitIsGone) {
  for (const double configured : {200.0, 0.0}) {
    World world(busy(configured, 20), 2);
    offer(world, 180, 7min);
    world.run_for(4min);
    world.set_weather(Weather::fair());
    const auto use = use_of(world, 180, 2min, 3min);
    EXPECT_GE(use.used, 0.95) << configured;
    world.settle();
  }
}

TEST(ThrottlingRecoveryTest, AfterFifteenSecondsOfThrottlingTheRateIsBackInThreeQuartersOfAMinute) {
  for (const double configured : {200.0, 0.0}) {
    World world(busy(configured, 0), 4);
    offer(world, 180, 3min);
    world.run_for(1min);
    Weather throttled;
    throttled.capacity = 1;
    world.set_weather(throttled);
    world.run_for(15s);
    world.set_weather(Weather::fair());
    const auto use = use_of(world, 180, 45s, 90s);
    EXPECT_GE(use.used, 0.95) << configured;
    world.settle();
  }
}

TEST(ThrottlingRecoveryTest, AStormOfThrottlingAndFailuresEndsWithEverythingDelivered) {
  auto shape = usual_gateway(2000);
  shape.start_next = 0.3;
  shape.get = 0.1;
  shape.between_requests = 10ms;
  shape.length = 5min;
  shape.weather.capacity = 60;
  shape.weather.fails = 0.3;
  shape.weather.hangs = 0.02;
  shape.weather.breaks = 0.1;
  World world(shape, 3);
  world.run_traffic();
  world.settle();
  std::cout << world.totals().text() << std::endl;
  EXPECT_GT(count_accepted(world.ledger()), world.ledger().size() / 4);
}

}  // namespace
}  // namespace jobs_bridge::simulation
