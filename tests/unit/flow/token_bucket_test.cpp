#include "bridge/flow/token_bucket.h"

#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucketTest, NeverMoreThanTheRateAndTheBurst) {
  TokenBucket bucket(50, 5);
  MonotonicTime now(1h);
  int taken = 0;
  for (int step = 0; step < 20000; ++step) {
    while (bucket.take(now)) ++taken;
    const auto ready = bucket.ready_at(now);
    ASSERT_GT(ready, now);
    if (step % 3 == 0) now = ready;
    now += 100us;
    const auto seconds = in_seconds(now - MonotonicTime(1h));
    ASSERT_LE(taken, 50 * seconds + 5 + 1e-6);
  }
  EXPECT_GT(taken, 300);
}

TEST(TokenBucketTest, ATokenIsThereWhenItIsPromised) {
  TokenBucket bucket(0.37);
  MonotonicTime now(1h);
  for (int i = 0; i < 1000; ++i) {
    now = bucket.ready_at(now);
    ASSERT_TRUE(bucket.take(now));
  }
}

TEST(TokenBucketTest, NoRateIsNoLimit) {
  TokenBucket bucket(0);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(bucket.take(MonotonicTime(1h)));
}

}  // namespace
}  // namespace jobs_bridge
