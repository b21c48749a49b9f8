#include "adapters/mqtt/mosquitto/link_watch.h"

#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using Finding = LinkWatch::Finding;

constexpr MonotonicTime start{};

TEST(LinkWatchTest, LinkThatSpeaksIsFineAndIsNotAsked) {
  LinkWatch watch(4s, start);
  for (auto now = start; now < start + 1h; now += 2s) {
    EXPECT_EQ(watch.check(now), Finding::fine);
    watch.heard(now);
  }
}

TEST(LinkWatchTest, SilentLinkIsAskedOnceAndIsDeadWithinOneAndAHalfKeepAlives) {
  for (const auto keep_alive : {4s, 15s, 3600s}) {
    LinkWatch watch(keep_alive, start);
    int asked = 0;
    auto now = start;
    auto finding = Finding::fine;
    while (finding != Finding::dead) {
      now = watch.due();
      ASSERT_LT(now - start, keep_alive * 3 / 2);
      finding = watch.check(now);
      asked += finding == Finding::quiet ? 1 : 0;
    }
    EXPECT_EQ(asked, 1);
  }
}

TEST(LinkWatchTest, AnswerInTimeBeginsAnew) {
  LinkWatch watch(4s, start);
  const auto asked = watch.due();
  ASSERT_EQ(watch.check(asked), Finding::quiet);
  EXPECT_EQ(watch.check(asked + 1s), Finding::fine);
  watch.heard(asked + 2s);
  EXPECT_EQ(watch.check(watch.due()), Finding::quiet);
}

TEST(LinkWatchTest, ShortKeepAliveLeavesTheBrokerASecond) {
  LinkWatch watch(1s, start);
  const auto asked = watch.due();
  ASSERT_EQ(watch.check(asked), Finding::quiet);
  EXPECT_EQ(watch.check(asked + 999ms), Finding::fine);
  EXPECT_EQ(watch.check(asked + 1s), Finding::dead);
}

TEST(LinkWatchTest, ProcessThatStoodStillAsksFirst) {
  LinkWatch watch(4s, start);
  EXPECT_EQ(watch.check(start + 1h), Finding::quiet);
  EXPECT_EQ(watch.check(start + 1h + 1s), Finding::fine);
}

}  // namespace
}  // namespace jobs_bridge::mqtt
