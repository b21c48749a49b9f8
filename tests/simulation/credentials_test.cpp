#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "tests/simulation/scenario.h"

/// Credentials that the endpoint refuses before their end.
namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

Shape signing_gateway() {
  auto shape = usual_gateway(50);
  shape.credentials_life = 1h;
  shape.between_requests = 50ms;
  shape.length = 3min;
  return shape;
}

void at(World& world, Duration when, const std::function<void()>& what) {
  world.agenda().at(world.now() + when, what);
}

TEST(CredentialsTest, RevokedOnesThatTheSourceReplacesAreNoticedByNoDevice) {
  World world(signing_gateway(), 1);
  at(world, 1min, [&] { world.credentials().revoke(world.now(), 0s); });
  world.run_traffic();
  world.settle();
  EXPECT_EQ(count_accepted(world.ledger()), world.ledger().size());
  // One renewal for all calls that were refused.
  const auto signing = world.totals().signing;
  EXPECT_GT(signing.refused, 1U);
  EXPECT_EQ(signing.sent_again, signing.refused);
  EXPECT_EQ(signing.accepted_then, signing.refused);
  EXPECT_EQ(world.credentials().fetches(), 2U);
}

TEST(CredentialsTest, RevokedTwiceWithinTenSecondsDevicesAreServedAgainWhenTheyHavePassed) {
  auto shape = signing_gateway();
  shape.start_next = 0;  // updates
  World world(shape, 2);
  at(world, 60s, [&] { world.credentials().revoke(world.now(), 0s); });
  at(world, 65s, [&] { world.credentials().revoke(world.now(), 0s); });
  at(world, 69s, [&] { EXPECT_FALSE(world.bridge().counts().endpoint_reachable); });
  // The limit, the fetch, and a pause between probes that had begun.
  at(world, 70s + 2s + 6s, [&] { EXPECT_TRUE(world.bridge().counts().endpoint_reachable); });
  world.run_traffic();
  world.settle();
  EXPECT_EQ(world.credentials().fetches(), 3U);
}

TEST(CredentialsTest, ASourceThatKeepsGivingTheSameIsAskedEveryTenSecondsAndUpdatesAreHeld) {
  auto shape = signing_gateway();
  shape.start_next = 0;
  World world(shape, 3);
  at(world, 60s, [&] { world.credentials().revoke(world.now(), 61s); });
  at(world, 120s, [&] {
    EXPECT_FALSE(world.bridge().counts().endpoint_reachable);
    EXPECT_GT(world.bridge().counts().held, 500U);
    EXPECT_LE(world.credentials().fetches(), 8U);
    EXPECT_GE(world.credentials().fetches(), 5U);
  });
  // Ten seconds at most until it is asked again, a probe that comes after that, and the fetch.
  at(world, 121s + 10s + 6s + 2s, [&] { EXPECT_TRUE(world.bridge().counts().endpoint_reachable); });
  world.run_traffic();
  world.settle();
}

TEST(CredentialsTest, ASourceThatFailsMeanwhileIsAskedAgainByItself) {
  auto shape = signing_gateway();
  shape.start_next = 0;
  shape.length = 5min;
  World world(shape, 4);
  at(world, 60s, [&] {
    world.credentials().revoke(world.now(), 0s);
    world.credentials().set_failing(world.now(), true);
  });
  at(world, 3min, [&] {
    // Each ten seconds a forced one, and after each failure those of the schedule.
    EXPECT_LT(world.credentials().fetches(), 12U + 60U);
    world.credentials().set_failing(world.now(), false);
  });
  at(world, 3min + 62s, [&] { EXPECT_TRUE(world.bridge().counts().endpoint_reachable); });
  world.run_traffic();
  world.settle();
}

TEST(CredentialsTest, AnEndpointThatRefusesAllIsNoReasonToAskTheSourceMoreOften) {
  World world(signing_gateway(), 5);
  at(world, 60s, [&] { world.credentials().accept_none(world.now(), 61s); });
  world.run_traffic();
  EXPECT_LE(world.credentials().fetches(), 8U);
  world.settle();
  const auto signing = world.totals().signing;
  EXPECT_GT(signing.sent_again, 0U);
  EXPECT_LT(signing.accepted_then, signing.refused);
}

}  // namespace
}  // namespace jobs_bridge::simulation
