#include <gtest/gtest.h>

#include <iostream>

#include "tests/simulation/scenario.h"

/// Many things at once, with an endpoint that is well.
namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

TEST(CrowdTest, AHundredThousandThingsAreServedWithinTheQuota) {
  auto shape = usual_gateway(100000);
  shape.engine.reads_per_second = 2000;
  shape.engine.writes_per_second = 2000;
  shape.connections = 256;
  shape.start_next = 0.4;
  shape.get = 0.2;
  shape.describe = 0.2;
  shape.between_requests = 350us;  // about 2,800/s, more writes than reads
  shape.length = 100s;
  World world(shape, 1);
  world.run_traffic();
  world.settle();
  std::cout << world.totals().text() << std::endl;
  const auto& ledger = world.ledger();
  EXPECT_GT(ledger.size(), 250000U);
  const auto all = waits(ledger);
  EXPECT_LT(seconds(all[all.size() * 99 / 100]), 0.5);
}

TEST(CrowdTest, AHerdOfTenThousandIsServedAtTheQuotaUntilTheDeadline) {
  constexpr std::uint32_t things = 10000;
  World world(usual_gateway(things), 2);
  for (std::uint32_t thing = 0; thing < things; ++thing) world.send(thing);
  world.run_for(20s);
  const auto& ledger = world.ledger();
  const auto all = waits(ledger);
  // 200/s for as long as a call can still end in time, in arrival order; every other thing has
  // heard that it had no turn.
  EXPECT_GT(all.size(), 7U * 200);
  EXPECT_LT(all.size(), 8U * 200 + 20);
  EXPECT_LE(all.back(), 3 * all[all.size() / 2]);
  for (AskedNumber first = 0; first < 1400; ++first) {
    EXPECT_TRUE(ledger.asked(first).accepted) << first;
  }
  world.settle();
  EXPECT_EQ(ledger.replies(), things);
}

TEST(CrowdTest, ThingsThatFloodDelayOnlyThemselves) {
  constexpr std::uint32_t flooding = 40;
  World world(usual_gateway(1000), 3);
  // Forty things ask for far more than the quota, the others for a quarter of it together.
  for (std::uint32_t i = 0; i < 24000; ++i) {
    world.agenda().at(world.now() + i * 1250us, [&world, i] { world.send(i % flooding); });
  }
  for (std::uint32_t i = 0; i < 1500; ++i) {
    world.agenda().at(world.now() + i * 20ms,
                      [&world, i] { world.send(flooding + i % (1000 - flooding)); });
  }
  world.run_for(40s);
  world.settle();
  const auto& ledger = world.ledger();
  Duration longest{};
  std::size_t refused = 0;
  for (AskedNumber number = 0; number < ledger.size(); ++number) {
    const auto& asked = ledger.asked(number);
    if (asked.thing < flooding) continue;
    if (!asked.accepted) ++refused;
    longest = std::max(longest, asked.replied - asked.received);
  }
  EXPECT_EQ(refused, 0U);
  // A turn of each that floods, at 200/s.
  EXPECT_LT(seconds(longest), 0.4);
}

}  // namespace
}  // namespace jobs_bridge::simulation
