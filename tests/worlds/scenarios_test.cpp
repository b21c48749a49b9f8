#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>

#include "tests/worlds/world.h"

/// The hard days, one by one. (World checks the promises besides.)
namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

Plan plan_of(std::uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  plan.connections = 32;
  plan.requests_per_second = 0;
  plan.engine.reads_per_second = 200;
  plan.engine.writes_per_second = 200;
  plan.engine.holding.durable = true;
  return plan;
}

TEST(ScenarioTest, AHerdOfTenThousandThingsIsServedAtTheQuotaAndNobodyIsForgotten) {
  auto plan = plan_of(1);
  World world(plan);
  for (int i = 0; i < 10000; ++i) {
    world.ask_start_next("t" + std::to_string(i));
    if (i % 10 == 9) world.run_for(1ms);
  }
  EXPECT_GE(world.engine().counts().waiting, 9700U);
  world.run_for(10s);
  const auto tally = world.tally();
  auto served = world.accepted_waits;
  std::ranges::sort(served);
  std::cout << "herd of 10,000 in a second: " << tally.accepted << " accepted, " << tally.rejected
            << " rejected at their deadline; of the accepted half within "
            << seconds(served[served.size() / 2]) << " s, the last after " << seconds(served.back())
            << " s\n";
  EXPECT_EQ(tally.accepted + tally.rejected, 10000U);
  EXPECT_GE(tally.accepted, 1590U) << "eight seconds of the quota";
  EXPECT_LE(served.back(), 3 * served[served.size() / 2]);
  world.settle();
}

TEST(ScenarioTest, AThingThatFloodsDelaysNoneOfNineHundredAndNinetyNineQuietOnes) {
  auto plan = plan_of(2);
  plan.things = 1000;
  plan.flood = 0.9;
  plan.requests_per_second = 1500;
  plan.repeats = false;
  plan.engine.queue_per_thing = 1000;
  World world(plan);
  world.run_for(30s);
  const auto quiet = world.waits("t0", true);
  std::cout << "one thing asks 1,350 times a second: 999 others ask " << quiet.size()
            << " times, half hear within " << seconds(quiet[quiet.size() / 2])
            << " s, all but 1 % within " << seconds(quiet[quiet.size() * 99 / 100])
            << " s, the last after " << seconds(quiet.back()) << " s\n";
  EXPECT_LT(quiet[quiet.size() * 99 / 100], 1s);
  EXPECT_LT(quiet.back(), 3s);
  world.settle();
}

TEST(ScenarioTest, AHundredThousandThingsThroughAnOutage) {
  auto plan = plan_of(3);
  plan.things = 100000;
  plan.requests_per_second = 380;
  World world(plan);
  world.run_for(60s);
  world.endpoint().weather.refuses = true;
  world.run_for(60s);
  const auto held = world.engine().counts().held;
  world.endpoint().weather = {};
  world.run_for(120s);
  world.settle();
  const auto tally = world.tally();
  std::cout << "100,000 things, a minute's outage in four minutes: " << tally.requests
            << " requests, " << tally.accepted << " accepted, " << tally.rejected << " rejected, "
            << held << " updates held at its end, all delivered\n";
  EXPECT_GT(held, 5000U);
}

TEST(ScenarioTest, AfterFiveMinutesWithoutAnEndpointTheBacklogDrainsWithoutASecondHerd) {
  auto plan = plan_of(4);
  plan.things = 2000;
  plan.requests_per_second = 100;
  World world(plan);
  world.endpoint().weather.refuses = true;
  world.run_for(300s);
  const auto held = world.engine().counts().held;
  const auto probes = world.endpoint().calls();
  world.endpoint().weather = {};
  std::size_t second = 0;
  while (world.engine().counts().held > 0 && second < 600) {
    world.run_for(1s);
    ++second;
  }
  std::cout << "five minutes' outage: " << probes << " calls made meanwhile, " << held
            << " updates held, delivered " << second << " s after it while "
            << "100 requests a second went on\n";
  EXPECT_LT(probes, 400U) << "hardly more than a probe every few seconds";
  EXPECT_GT(held, 5000U);
  EXPECT_LT(second, 300U);
  world.settle();
}

TEST(ScenarioTest, UpdatesOfDaysWithoutALinkAreDeliveredOverRestartsInOrder) {
  auto plan = plan_of(5);
  plan.things = 500;
  plan.requests_per_second = 0.05;
  World world(plan);
  world.endpoint().weather.refuses = true;
  for (int day = 0; day < 5; ++day) {
    world.run_for(24h);
    world.kill(day % 2 == 0, 10min);
  }
  const auto held = world.engine().counts().held;
  world.endpoint().weather = {};
  world.settle();
  std::cout << "five days without a link and a crash each: " << held << " updates held\n";
  EXPECT_GT(held, 5000U);
}

/// The rate of an endpoint that is not known to the bridge.
void find_out(double configured, double capacity) {
  auto plan = plan_of(6);
  plan.things = 5000;
  plan.requests_per_second = 400;
  plan.only_start_next = true;
  plan.repeats = false;
  plan.engine.reads_per_second = configured;
  plan.engine.writes_per_second = configured;
  World world(plan);
  world.endpoint().weather.per_second = capacity;
  world.run_for(30s);
  const auto calls = world.endpoint().calls();
  const auto throttled = world.endpoint().throttled();
  world.run_for(120s);
  const auto made = static_cast<double>(world.endpoint().calls() - calls);
  const auto refused = static_cast<double>(world.endpoint().throttled() - throttled);
  std::cout << "an endpoint that takes " << capacity << " a second, configured " << configured
            << ": " << 100 * (made - refused) / (120 * capacity) << " % of it used, "
            << 100 * refused / made << " % of the calls throttled\n";
  EXPECT_GE(made - refused, 0.9 * 120 * capacity);
  EXPECT_LE(refused, 0.05 * made);
  world.endpoint().weather = {};
  world.run_for(90s);
  const auto before = world.endpoint().calls();
  world.run_for(10s);
  const auto after = static_cast<double>(world.endpoint().calls() - before) / 10;
  EXPECT_GE(after, 0.95 * (configured > 0 ? std::min(configured, 400.0) : 400.0))
      << "the limit is gone";
  world.settle();
}

TEST(ScenarioTest, AThrottlingEndpointsLimitIsFoundOutAndUsed) {
  find_out(200, 50);
  find_out(200, 180);
  find_out(0, 100);
}

TEST(ScenarioTest, AStormOfErrorsIsRiddenOut) {
  auto plan = plan_of(7);
  plan.connections = 256;  // those without an answer take one for five seconds
  plan.things = 1000;
  plan.requests_per_second = 100;
  World world(plan);
  world.endpoint().weather.failures = 0.3;
  world.endpoint().weather.lost_answers = 0.1;
  world.endpoint().weather.lost_requests = 0.1;
  world.run_for(120s);
  const auto tally = world.tally();
  std::cout << "half of all calls fail: " << tally.requests << " requests, " << tally.accepted
            << " accepted, " << tally.rejected << " rejected, " << tally.calls << " calls\n";
  EXPECT_GT(static_cast<double>(tally.accepted), 0.85 * static_cast<double>(tally.requests));
  EXPECT_LT(tally.calls, 4 * tally.requests);
  world.settle();
}

}  // namespace
}  // namespace jobs_bridge::simulation
