#include <gtest/gtest.h>

#include <iostream>

#include "tests/simulation/scenario.h"

/// Of many things some whose calls alone fail, all the time.
namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

struct Healthy {
  std::size_t asked = 0;
  std::size_t rejected = 0;
  Duration p99{};
};

/// What the things in order meet, once first calls have shown which ones fail.
Healthy healthy_beside(std::uint32_t failing, double hangs) {
  auto shape = usual_gateway(1000);
  shape.jobs = 5;
  shape.start_next = 0.3;
  shape.get = 0.3;
  shape.describe = 0.2;
  shape.between_requests = 10ms;
  shape.length = 100s;
  shape.failing_things = failing;
  shape.failing_weather.hangs = hangs;
  shape.failing_weather.fails = 1;
  World world(shape, 11);
  world.run_traffic();
  EXPECT_TRUE(world.bridge().counts().endpoint_reachable);
  const auto& ledger = world.ledger();
  Healthy healthy;
  std::vector<Duration> times;
  const auto begin = ledger.asked(0).received;
  for (AskedNumber number = 0; number < ledger.size(); ++number) {
    const auto& asked = ledger.asked(number);
    // The same ones, however many fail.
    if (asked.thing < 100 || asked.received < begin + 30s || asked.replies == 0) continue;
    ++healthy.asked;
    if (!asked.accepted) ++healthy.rejected;
    times.push_back(asked.replied - asked.received);
  }
  std::ranges::sort(times);
  healthy.p99 = times[times.size() * 99 / 100];
  world.settle();
  return healthy;
}

struct Failing {
  std::uint32_t things;
  double hangs;  ///< share of their calls; the rest is answered with an error
};

TEST(FailingThingsTest, DelayNoOthers) {
  const auto without = healthy_beside(0, 0);
  ASSERT_GT(without.asked, 5000U);
  for (const auto& failing : {Failing{1, 1}, Failing{8, 1}, Failing{30, 0}, Failing{100, 0.5}}) {
    const auto with = healthy_beside(failing.things, failing.hangs);
    std::cout << failing.things << " of 1000 fail, " << failing.hangs * 100
              << " % of their calls hang; the others: " << with.asked << " requests, p99 "
              << seconds(with.p99) * 1000 << " ms, without them " << seconds(without.p99) * 1000
              << " ms" << std::endl;
    EXPECT_EQ(with.asked, without.asked);
    EXPECT_EQ(with.rejected, without.rejected) << "what the endpoint itself rejects";
    EXPECT_LE(with.p99, without.p99 + 1ms);
  }
}

}  // namespace
}  // namespace jobs_bridge::simulation
