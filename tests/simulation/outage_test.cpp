#include <gtest/gtest.h>

#include <iostream>

#include "tests/simulation/scenario.h"

/// The endpoint goes away for a while.
namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

Weather unreachable() {
  auto weather = Weather::fair();
  weather.unreachable = 1;
  return weather;
}
Weather silent() {
  auto weather = Weather::fair();
  weather.hangs = 1;
  weather.carried_out = 0.3;
  return weather;
}

void outage_of_five_minutes(const Weather& weather, std::uint64_t seed) {
  auto shape = usual_gateway(2000);
  shape.start_next = 0.2;  // the rest are updates
  shape.between_requests = 20ms;
  shape.length = 7min;
  World world(shape, seed);
  world.agenda().at(world.now() + 1min, [&] { world.set_weather(weather); });
  world.agenda().at(world.now() + 6min, [&] {
    EXPECT_FALSE(world.bridge().counts().endpoint_reachable);
    EXPECT_GT(world.bridge().counts().held, 5000U);
    world.set_weather(Weather::fair());
  });
  world.run_traffic();
  const auto first_fresh = static_cast<AskedNumber>(world.ledger().size());
  // The backlog drains while devices go on: both have their share.
  const auto held = world.bridge().counts().held;
  world.run_traffic();
  world.settle();
  const auto fresh = world.ledger().size() - first_fresh;
  EXPECT_LT(world.bridge().counts().held, held);
  EXPECT_GT(count_accepted(world.ledger(), first_fresh), fresh / 2);
  std::cout << world.totals().text() << std::endl;
}

TEST(OutageTest, WhatIsHeldForFiveMinutesWithoutConnectionIsDelivered) {
  outage_of_five_minutes(unreachable(), 1);
}

TEST(OutageTest, WhatIsHeldForFiveMinutesOfSilenceIsDelivered) {
  outage_of_five_minutes(silent(), 2);
}

TEST(OutageTest, ABacklogDrainsAtTheQuota) {
  auto shape = usual_gateway(2000);
  shape.start_next = 0;
  shape.between_requests = 10ms;
  shape.length = 5min;
  shape.weather = unreachable();
  World world(shape, 3);
  world.run_traffic();
  const auto held = world.bridge().counts().updates;
  ASSERT_GT(held, 10000U);
  world.set_weather(Weather::fair());
  const auto began = world.now();
  while (world.bridge().counts().updates > 0 && world.now() < began + 1h) world.run_for(1s);
  const auto took = seconds(world.now() - began);
  // At least the writes at 200/s, and not more than half as long again.
  EXPECT_GT(took, static_cast<double>(held) / 210 * 0.5);
  EXPECT_LT(took, static_cast<double>(held) / 200 * 1.5 + 30);
  world.settle();
}

TEST(OutageTest, ABacklogAndFreshRequestsBothHaveTheirShare) {
  auto shape = usual_gateway(3000);
  shape.start_next = 0;
  shape.weather = unreachable();
  World world(shape, 7);
  for (std::uint32_t i = 0; i < 4000; ++i) world.send(1000 + i % 2000);
  world.run_for(20s);
  const auto held = world.bridge().counts().held;
  ASSERT_GT(held, 3500U);
  world.set_weather(Weather::fair());
  // Other things ask for twice the quota.
  const auto first_fresh = static_cast<AskedNumber>(world.ledger().size());
  for (std::uint32_t i = 0; i < 400 * 120; ++i) {
    world.agenda().at(world.now() + i * 2500us, [&world, i] { world.send(i % 1000); });
  }
  const auto fresh_served = [&] { return count_accepted(world.ledger(), first_fresh); };
  world.run_for(15s);
  EXPECT_GT(fresh_served(), 15U * 200 / 3);
  world.run_for(100s);
  std::size_t left = 0;
  for (AskedNumber number = 0; number < first_fresh; ++number) {
    if (world.ledger().asked(number).replies == 0) ++left;
  }
  EXPECT_EQ(left, 0U);
  world.settle();
}

TEST(OutageTest, UpdatesAreHeldForDaysAndOverRestarts) {
  auto shape = usual_gateway(300);
  shape.start_next = 0.1;
  shape.between_requests = 60s;
  shape.length = std::chrono::hours(24 * 5);
  shape.between_ends = std::chrono::hours(9);
  shape.weather = unreachable();
  World world(shape, 4);
  world.run_traffic();
  EXPECT_GT(world.bridge().counts().updates, 3000U);
  world.settle();
  std::size_t given_up = 0;
  for (AskedNumber number = 0; number < world.ledger().size(); ++number) {
    if (world.ledger().asked(number).given_up) ++given_up;
  }
  EXPECT_EQ(given_up, 0U);
  std::cout << world.totals().text() << std::endl;
}

TEST(OutageTest, WhatIsHeldTooLongIsGivenUpAndReported) {
  auto shape = usual_gateway(50);
  shape.engine.holding.max_age = 2h;
  shape.start_next = 0;
  shape.between_requests = 30s;
  shape.length = 10h;
  shape.weather = unreachable();
  World world(shape, 6);
  world.run_traffic();
  world.settle();
  std::size_t given_up = 0;
  for (AskedNumber number = 0; number < world.ledger().size(); ++number) {
    const auto& asked = world.ledger().asked(number);
    if (!asked.given_up) continue;
    ++given_up;
    // One that only repeats another goes with it.
    if (asked.joined) continue;
    EXPECT_EQ(asked.replied - asked.received, 2h);
  }
  EXPECT_GT(given_up, world.ledger().size() / 2);
}

TEST(OutageTest, ProbesAreFewAndTheEndIsNoticedWithinSeconds) {
  auto shape = usual_gateway(500);
  shape.between_requests = 20ms;
  shape.length = 11min;
  World world(shape, 5);
  world.agenda().at(world.now() + 30s, [&] { world.set_weather(unreachable()); });
  std::uint64_t calls_before = 0;
  world.agenda().at(world.now() + 60s, [&] { calls_before = world.bridge().calls(); });
  world.agenda().at(world.now() + 10min, [&] {
    // A probe every 8 s or so: pauses of up to 5 s and a connect timeout of 3 s.
    EXPECT_LT(world.bridge().calls() - calls_before, 400U);
    world.set_weather(Weather::fair());
  });
  world.agenda().at(world.now() + 10min + 9s,
                    [&] { EXPECT_TRUE(world.bridge().counts().endpoint_reachable); });
  world.run_traffic();
  world.settle();
}

}  // namespace
}  // namespace jobs_bridge::simulation
