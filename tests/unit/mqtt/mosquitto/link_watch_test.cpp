#include "adapters/mqtt/mosquitto/link_watch.h"

#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using LinkFinding = LinkWatch::Finding;

constexpr MonotonicTime start{};

TEST(LinkWatchTest, LinkThatSpeaksIsFineAndIsNotAsked) {
  LinkWatch watch(4s, start);
  for (auto now = start; now < start + 1h; now += 2s) {
    EXPECT_EQ(watch.check(now), LinkFinding::fine);
    watch.received(now);
  }
}

TEST(LinkWatchTest, SilentLinkIsAskedOnceAndIsDeadWithinOneAndAHalfKeepAlives) {
  for (const auto keep_alive : {4s, 15s, 3600s}) {
    LinkWatch watch(keep_alive, start);
    int asked = 0;
    auto now = start;
    auto finding = LinkFinding::fine;
    while (finding != LinkFinding::dead) {
      now = watch.due();
      ASSERT_LT(now - start, keep_alive * 3 / 2);
      finding = watch.check(now);
      asked += finding == LinkFinding::quiet ? 1 : 0;
    }
    EXPECT_EQ(asked, 1);
  }
}

TEST(LinkWatchTest, AnswerInTimeBeginsAnew) {
  LinkWatch watch(4s, start);
  const auto asked = watch.due();
  ASSERT_EQ(watch.check(asked), LinkFinding::quiet);
  EXPECT_EQ(watch.check(asked + 1s), LinkFinding::fine);
  watch.received(asked + 2s);
  EXPECT_EQ(watch.check(watch.due()), LinkFinding::quiet);
}

TEST(LinkWatchTest, ShortKeepAliveLeavesTheBrokerASecond) {
  LinkWatch watch(1s, start);
  const auto asked = watch.due();
  ASSERT_EQ(watch.check(asked), LinkFinding::quiet);
  EXPECT_EQ(watch.check(asked + 999ms), LinkFinding::fine);
  EXPECT_EQ(watch.check(asked + 1s), LinkFinding::dead);
}

TEST(LinkWatchTest, ProcessThatStoodStillAsksFirst) {
  LinkWatch watch(4s, start);
  EXPECT_EQ(watch.check(start + 1h), LinkFinding::quiet);
  EXPECT_EQ(watch.check(start + 1h + 1s), LinkFinding::fine);
}

}  // namespace
}  // namespace jobs_bridge::mqtt
