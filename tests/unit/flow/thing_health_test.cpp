#include "bridge/flow/thing_health.h"

#include <gtest/gtest.h>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

class ThingHealthTest : public testing::Test {
 protected:
  void fail(std::uint64_t first, std::uint64_t last) {
    for (auto thing = first; thing <= last; ++thing) health_.failed(thing);
  }
  bool endpoint_fails() const { return health_.endpoint_fails(now_); }

  MonotonicTime now_{1h};
  ThingHealth health_;
};

TEST_F(ThingHealthTest, EightThingsThatBeginToFailStandForTheEndpoint) {
  for (std::uint64_t thing = 1; thing <= 20; ++thing) health_.succeeded(now_, thing);
  EXPECT_FALSE(endpoint_fails());
  fail(1, 7);
  fail(1, 7);
  EXPECT_FALSE(endpoint_fails()) << "the same ones tell no more";
  fail(8, 8);
  EXPECT_TRUE(endpoint_fails());
  health_.succeeded(now_, 20);
  EXPECT_FALSE(endpoint_fails());
}

TEST_F(ThingHealthTest, OfFewThingsAllThatSucceededLatelyMustFail) {
  health_.succeeded(now_, 1);
  health_.succeeded(now_, 2);
  fail(1, 1);
  EXPECT_FALSE(endpoint_fails());
  now_ += 10min;
  EXPECT_TRUE(endpoint_fails()) << "the other has not been heard of for too long";
  health_.succeeded(now_, 2);
  health_.succeeded(now_, 1);
  fail(1, 2);
  EXPECT_TRUE(endpoint_fails());
}

TEST_F(ThingHealthTest, OneAloneStandsForTheEndpoint) {
  fail(1, 1);
  EXPECT_TRUE(endpoint_fails());
  EXPECT_FALSE(health_.fails_alone(1));
}

TEST_F(ThingHealthTest, WhatFailsWhileAnotherSucceedsSaysNothingUntilItSucceedsItself) {
  fail(1, 100);
  EXPECT_TRUE(endpoint_fails());
  health_.succeeded(now_, 1000);
  now_ += 1h;
  fail(1, 100);
  EXPECT_FALSE(endpoint_fails()) << "also when nobody else has been heard of for long";
  EXPECT_TRUE(health_.fails_alone(1));
  EXPECT_FALSE(health_.fails_alone(1000));
  health_.succeeded(now_, 1);
  EXPECT_FALSE(health_.fails_alone(1));
  EXPECT_EQ(health_.find(1), nullptr);
  fail(1, 1);
  EXPECT_TRUE(endpoint_fails()) << "the only one of late that did not fail alone";
}

TEST_F(ThingHealthTest, WhatFailedByAnOutageDoesNotFailAloneUntilItFailsAgain) {
  fail(100, 100);
  health_.succeeded(now_, 1000);
  fail(1, 8);
  health_.set_endpoint_down(true);
  fail(1, 20);
  fail(100, 100);
  health_.succeeded(now_, 1000);
  health_.set_endpoint_down(false);
  for (std::uint64_t thing = 1; thing <= 20; ++thing) {
    EXPECT_FALSE(health_.fails_alone(thing)) << thing;
    EXPECT_TRUE(health_.tells_nothing(thing)) << thing;
  }
  EXPECT_TRUE(health_.fails_alone(100)) << "it failed before";
  fail(1, 1);
  EXPECT_TRUE(health_.fails_alone(1));
  EXPECT_FALSE(endpoint_fails());
}

TEST_F(ThingHealthTest, CountsTheFailuresInARow) {
  EXPECT_EQ(health_.failed(1).calls, 1);
  EXPECT_EQ(health_.failed(1).calls, 2);
  EXPECT_EQ(health_.failed(2).calls, 1);
  health_.succeeded(now_, 1);
  EXPECT_EQ(health_.failed(1).calls, 1);
  EXPECT_EQ(health_.find(1)->calls, 1);
}

TEST_F(ThingHealthTest, ForgetsTheOneThatWasHeardOfLongestAgo) {
  constexpr auto most = ThingHealth::max_failing;
  fail(1, most);
  fail(1, 1);
  fail(most + 1, most + 1);
  EXPECT_NE(health_.find(1), nullptr);
  EXPECT_EQ(health_.find(2), nullptr);
  EXPECT_NE(health_.find(most + 1), nullptr);
}

}  // namespace
}  // namespace jobs_bridge
