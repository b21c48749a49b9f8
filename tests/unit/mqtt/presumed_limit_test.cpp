#include "adapters/mqtt/presumed_limit.h"

#include <gtest/gtest.h>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr Outbox::Sequence replacement = 7;
constexpr Outbox::Sequence another = 8;

class PresumedLimitTest : public testing::Test {
 protected:
  MonotonicTime now{1000s};
  PresumedLimit limit;
};

TEST_F(PresumedLimitTest, NothingIsTooLargeUntilTheSmallOneInPlaceOfALargeOneIsTaken) {
  EXPECT_FALSE(limit.excludes(now, 1'000'000));
  limit.ended_connections(replacement, 2000);
  EXPECT_FALSE(limit.excludes(now, 2000));
  EXPECT_FALSE(limit.accepted(now, another, 300));
  EXPECT_TRUE(limit.accepted(now, replacement, 200));
  EXPECT_TRUE(limit.excludes(now, 2000));
  EXPECT_FALSE(limit.excludes(now, 1999));
}

TEST_F(PresumedLimitTest, WhereOneAsLargeWasTakenItWasNotTheSize) {
  limit.ended_connections(replacement, 2000);
  limit.accepted(now, another, 2000);
  EXPECT_FALSE(limit.accepted(now, replacement, 200));
  EXPECT_FALSE(limit.excludes(now, 1'000'000));
}

TEST_F(PresumedLimitTest, OneIsTriedAgainAfterAWhile) {
  limit.ended_connections(replacement, 2000);
  limit.accepted(now, replacement, 200);
  EXPECT_TRUE(limit.excludes(now + PresumedLimit::validity - 1s, 2000));
  EXPECT_FALSE(limit.excludes(now + PresumedLimit::validity, 2000));
}

TEST_F(PresumedLimitTest, TheSmallestOfThoseThatEndedConnectionsCounts) {
  for (const std::size_t size : {3000U, 2000U, 2500U}) {
    limit.ended_connections(replacement, size);
    EXPECT_TRUE(limit.accepted(now, replacement, 200));
  }
  EXPECT_EQ(limit.size(), 2000U);
}

TEST_F(PresumedLimitTest, AnOldLimitDoesNotLowerANewOne) {
  limit.ended_connections(replacement, 2000);
  limit.accepted(now, replacement, 200);
  now += PresumedLimit::validity;
  limit.ended_connections(replacement, 3000);
  limit.accepted(now, replacement, 200);
  EXPECT_FALSE(limit.excludes(now, 2500));
  EXPECT_TRUE(limit.excludes(now, 3000));
}

}  // namespace
}  // namespace jobs_bridge::mqtt
