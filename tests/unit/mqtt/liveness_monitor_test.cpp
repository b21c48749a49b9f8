#include "adapters/mqtt/liveness_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class LivenessMonitorTest : public ::testing::Test {
 protected:
  void connect(bool kept, const std::string& refusal = "") {
    EXPECT_TRUE(liveness_.connecting(now_));
    liveness_.connected(kept);
    liveness_.subscribed(now_, {.keep_alive = 10s, .refusal = refusal});
  }
  Duration kept_for() {
    Message message{.topic = "in", .payload = ""};
    EXPECT_FALSE(liveness_.arrived(now_, suspended_, message));
    return message.kept_for;
  }
  void come_back(const LivenessMonitor::Step& step) {
    ASSERT_TRUE(step.canary);
    liveness_.accepted(now_);
    Message message{.topic = step.canary->topic, .payload = step.canary->payload};
    EXPECT_TRUE(liveness_.arrived(now_, suspended_, message));
  }

  /// One connection on which a canary has come back.
  void flow() {
    connect(true);
    come_back(liveness_.step(now_, suspended_));
    liveness_.step(now_, suspended_);
    ASSERT_EQ(kept_for(), Duration::zero());
  }
  /// As the keeper does it, for so long, while everything works.
  void live(Duration length) {
    for (const auto end = now_ + length; now_ < end;) {
      now_ = std::min(end, liveness_.due());
      const auto step = liveness_.step(now_, suspended_);
      ASSERT_FALSE(step.dead);
      if (step.canary) come_back(step);
    }
  }

  MonotonicTime now_ = MonotonicTime(1000h);
  Duration suspended_ = 5h;
  int news_ = 0;
  LivenessMonitor liveness_{"canary", "nonce", [this] { ++news_; }};
};

TEST_F(LivenessMonitorTest, TheFirstReturnOnAConnectionIsReportedWithHowLongNothingFlowed) {
  connect(false);
  come_back(liveness_.step(now_, suspended_));
  EXPECT_EQ(news_, 1);
  auto step = liveness_.step(now_, suspended_);
  EXPECT_TRUE(step.flows);
  EXPECT_FALSE(step.silent_for) << "it is the first connection";
  EXPECT_FALSE(liveness_.step(now_, suspended_).flows) << "said already";
  liveness_.ended(now_, now_);
  EXPECT_FALSE(liveness_.state().flowing);
  now_ += 3s;
  connect(false);
  come_back(liveness_.step(now_, suspended_));
  step = liveness_.step(now_, suspended_);
  EXPECT_TRUE(step.flows);
  EXPECT_EQ(step.silent_for, Duration(3s));
}

TEST_F(LivenessMonitorTest, AConnectionThatEndsBeforeAnythingFlowedLeavesUnknownSinceWhen) {
  connect(true);
  liveness_.step(now_, suspended_);
  EXPECT_EQ(kept_for(), Duration::max());
  liveness_.ended(now_, now_);
  now_ += 1s;
  suspended_ += 1s;
  connect(true);
  const auto step = liveness_.step(now_, suspended_);
  EXPECT_EQ(kept_for(), Duration::max()) << "what the broker kept from before is still to come";
  come_back(step);
  const auto flowing = liveness_.step(now_, suspended_);
  EXPECT_TRUE(flowing.flows);
  EXPECT_FALSE(flowing.silent_for);
}

TEST_F(LivenessMonitorTest, AnOutageThatWasNoticedLateBeganWithTheLastArrival) {
  connect(false);
  come_back(liveness_.step(now_, suspended_));
  liveness_.step(now_, suspended_);
  const auto last = now_;
  LivenessMonitor::Step step;
  while (!step.dead && now_ < last + 1min) {
    now_ = liveness_.due();
    step = liveness_.step(now_, suspended_);
  }
  ASSERT_TRUE(step.dead);
  EXPECT_EQ(step.dead->kind, BrokerFault::Kind::silent);
  liveness_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), now_ - last);
  come_back(liveness_.step(now_, suspended_));
  EXPECT_EQ(liveness_.step(now_, suspended_).silent_for, now_ - last);
}

TEST_F(LivenessMonitorTest, AConnectionThatBrokeWhileACanaryWasOverdueWasDeadSinceTheLastArrival) {
  flow();
  const auto last = now_;
  now_ = liveness_.due();
  while (!liveness_.step(now_, suspended_).canary) now_ = liveness_.due();
  now_ += 1s + 1ms;
  liveness_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), now_ - last);
}

TEST_F(LivenessMonitorTest, AConnectionThatBrokeWhileACanaryWasUnderWayLivedUntilThen) {
  flow();
  now_ = liveness_.due();
  while (!liveness_.step(now_, suspended_).canary) now_ = liveness_.due();
  now_ += 1s;
  liveness_.ended(now_, now_);
  now_ += 2s;
  connect(true);
  EXPECT_EQ(kept_for(), Duration(2s));
}

TEST_F(LivenessMonitorTest, WhatComesBeforeTheCanaryMayHaveBeenKeptSinceTheOutageBegan) {
  connect(true);
  EXPECT_EQ(kept_for(), Duration::max()) << "nobody knows since when";
  EXPECT_FALSE(liveness_.caught_up());
  const auto first = liveness_.step(now_, suspended_);
  come_back(first);
  EXPECT_EQ(kept_for(), Duration::zero());
  EXPECT_TRUE(liveness_.caught_up());
  liveness_.ended(now_, now_);
  now_ += 7s;
  connect(true);
  EXPECT_EQ(kept_for(), Duration(7s));
  Message stale{.topic = "canary", .payload = first.canary->payload};
  EXPECT_TRUE(liveness_.arrived(now_, suspended_, stale));
  EXPECT_EQ(kept_for(), Duration(7s)) << "a canary that was kept itself does not end the backlog";
  come_back(liveness_.step(now_, suspended_));
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(LivenessMonitorTest, WhereTheBrokerMayNotKeepAnythingNothingHasWaited) {
  connect(false);
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(LivenessMonitorTest, WithoutACanaryNothingIsSaidToHaveBeenKept) {
  connect(true, "not authorized");
  EXPECT_EQ(kept_for(), Duration::zero());
  EXPECT_THAT(liveness_.state().fault, HasSubstr("not authorized"));
  EXPECT_FALSE(liveness_.state().canary);
}

TEST_F(LivenessMonitorTest,
       WhereCanariesDoNotComeBackNothingIsSaidToHaveBeenKeptOnTheNextConnections) {
  connect(true);
  while (liveness_.state().fault.empty()) {
    EXPECT_EQ(kept_for(), Duration::max());
    if (liveness_.step(now_, suspended_).canary) liveness_.accepted(now_);
    now_ += 1s;
  }
  EXPECT_EQ(kept_for(), Duration::zero());
  liveness_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(LivenessMonitorTest,
       WhatWaitedWhileWeStoodStillIsThatOldUntilACanarySentSinceThenComesBack) {
  flow();
  live(3s);
  const auto news = news_;
  now_ += 6s;
  EXPECT_EQ(kept_for(), Duration(6s)) << "the message shows it before anybody else looks";
  EXPECT_EQ(news_, news + 1) << "a canary is to be sent at once";
  now_ += 1s;
  EXPECT_EQ(kept_for(), Duration(7s));
  now_ += 4s;
  EXPECT_EQ(kept_for(), Duration(11s)) << "that we stood still again makes it no younger";
  const auto step = liveness_.step(now_, suspended_);
  EXPECT_FALSE(step.dead);
  come_back(step);
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(LivenessMonitorTest, ACanaryFromBeforeWeStoodStillDoesNotShowThatWeHaveCaughtUp) {
  flow();
  std::optional<Publication> before;
  while (!before) {
    now_ = liveness_.due();
    before = liveness_.step(now_, suspended_).canary;
  }
  now_ += 6s;
  Message canary{.topic = before->topic, .payload = before->payload};
  EXPECT_TRUE(liveness_.arrived(now_, suspended_, canary));
  EXPECT_EQ(kept_for(), Duration(6s));
  come_back(liveness_.step(now_, suspended_));
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(LivenessMonitorTest, WhoeverIsOnlyALittleLateDidNotStandStill) {
  flow();
  live(1h);
  now_ = liveness_.due() + 900ms;
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(LivenessMonitorTest, ASuspendedMachineStoodStillAlthoughItsClockDidToo) {
  flow();
  suspended_ += 20min;
  EXPECT_EQ(kept_for(), Duration(20min));
  come_back(liveness_.step(now_, suspended_));
  EXPECT_EQ(kept_for(), Duration::zero());
  liveness_.ended(now_, now_);
  suspended_ += 20min;
  liveness_.step(now_, suspended_);
  now_ += 1s;
  connect(true);
  EXPECT_EQ(kept_for(), Duration(20min + 1s)) << "nor is it forgotten between two connections";
}

TEST_F(LivenessMonitorTest, AConnectionThatEndedWhileWeStoodStillDidSoWhenThatBegan) {
  flow();
  now_ += 30s;
  liveness_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), Duration(30s));
}

TEST_F(LivenessMonitorTest, WithoutACanaryNoStandstillIsAssumed) {
  connect(true, "not authorized");
  now_ += 1min;
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(LivenessMonitorTest, TheTimeOfArrivalIsPassedOnUntilATestShowsThatNoPluginSetsIt) {
  const auto arrival = [&] {
    Message message{.topic = "in", .payload = "", .arrival = "1800000000000"};
    liveness_.arrived(now_, suspended_, message);
    return message.arrival;
  };
  connect(true);
  EXPECT_EQ(arrival(), "1800000000000") << "what was kept comes before any test";
  liveness_.self_test_arrived(false);
  EXPECT_EQ(arrival(), "");
  liveness_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(arrival(), "") << "it is the same broker";
  liveness_.self_test_arrived(true);
  EXPECT_EQ(arrival(), "1800000000000") << "which has the plugin now";
}

TEST_F(LivenessMonitorTest, ARefusalChangesWhatIsDue) {
  connect(true);
  liveness_.step(now_, suspended_);
  liveness_.refused(now_, "not authorized");
  EXPECT_EQ(news_, 1);
  EXPECT_THAT(liveness_.step(now_, suspended_).fault, HasSubstr("not authorized"));
  EXPECT_EQ(kept_for(), Duration::zero());
}

}  // namespace
}  // namespace jobs_bridge::mqtt
