#include "adapters/admin/heavy_hitters.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace jobs_bridge::admin {
namespace {

using namespace std::chrono_literals;

const MonotonicTime start{1000s};

TEST(HeavyHittersTest, BusiestComesFirstWithItsRateAndLatestNote) {
  HeavyHitters hitters(16, 1min);
  auto now = start;
  for (int second = 0; second < 600; ++second, now += 1s) {
    hitters.add(now, "busy", "A");
    if (second % 10 == 0) hitters.add(now, "calm", second < 500 ? "B" : "C");
  }
  const auto top = hitters.top(now, 10);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].name, "busy");
  EXPECT_NEAR(top[0].per_minute, 60, 2);
  EXPECT_EQ(top[1].name, "calm");
  EXPECT_NEAR(top[1].per_minute, 6, 0.6);
  EXPECT_EQ(top[1].note, "C");
}

TEST(HeavyHittersTest, AmongAMillionNamesInBoundedMemoryTheBusyOneIsFound) {
  HeavyHitters hitters(256, 1min);
  for (int event = 0; event < 1'000'000; ++event) {
    const auto now = start + event * 10us;
    hitters.add(now, "thing-" + std::to_string(event));
    if (event % 20 == 0) hitters.add(now, "flood");
  }
  EXPECT_LE(hitters.size(), 256U);
  const auto top = hitters.top(start + 10s, 1);
  ASSERT_EQ(top.size(), 1U);
  EXPECT_EQ(top[0].name, "flood");
}

TEST(HeavyHittersTest, NamesThatAllCauseTheSameAreHeldInBoundedMemoryToo) {
  HeavyHitters hitters(256, 1min);
  for (int event = 0; event < 10'000; ++event) hitters.add(start, "thing-" + std::to_string(event));
  EXPECT_LE(hitters.size(), 256U);
}

TEST(HeavyHittersTest, WhoHasBeenQuietForLongIsNotShown) {
  HeavyHitters hitters(16, 1min);
  for (int event = 0; event < 100; ++event) hitters.add(start, "gone");
  EXPECT_EQ(hitters.top(start, 10).size(), 1U);
  EXPECT_TRUE(hitters.top(start + 2h, 10).empty());
  hitters.add(start + 1000h, "back");
  ASSERT_EQ(hitters.top(start + 1000h, 10).size(), 1U);
}

}  // namespace
}  // namespace jobs_bridge::admin
