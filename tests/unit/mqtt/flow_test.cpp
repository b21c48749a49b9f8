#include "adapters/mqtt/flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class FlowTest : public ::testing::Test {
 protected:
  void connect(bool kept, const std::string& refusal = "") {
    EXPECT_TRUE(flow_.connecting(now_));
    flow_.connected(kept);
    flow_.subscribed(now_, {.keep_alive = 10s, .refusal = refusal});
  }
  Duration kept_for() {
    Message message{.topic = "in", .payload = ""};
    EXPECT_FALSE(flow_.arrived(now_, suspended_, message));
    return message.kept_for;
  }
  void come_back(const Flow::Step& step) {
    ASSERT_TRUE(step.canary);
    flow_.accepted(now_);
    Message message{.topic = step.canary->topic, .payload = step.canary->payload};
    EXPECT_TRUE(flow_.arrived(now_, suspended_, message));
  }

  /// One connection on which a canary has come back.
  void flow() {
    connect(true);
    come_back(flow_.step(now_, suspended_));
    flow_.step(now_, suspended_);
    ASSERT_EQ(kept_for(), Duration::zero());
  }
  /// As the keeper does it, for so long, while everything works.
  void live(Duration length) {
    for (const auto end = now_ + length; now_ < end;) {
      now_ = std::min(end, flow_.due());
      const auto step = flow_.step(now_, suspended_);
      ASSERT_FALSE(step.dead);
      if (step.canary) come_back(step);
    }
  }

  MonotonicTime now_ = MonotonicTime(1000h);
  Duration suspended_ = 5h;
  int news_ = 0;
  Flow flow_{"canary", "nonce", [this] { ++news_; }};
};

TEST_F(FlowTest, TheFirstReturnOnAConnectionIsNewsAndSaysHowLongNothingFlowed) {
  connect(false);
  come_back(flow_.step(now_, suspended_));
  EXPECT_EQ(news_, 1);
  auto step = flow_.step(now_, suspended_);
  EXPECT_TRUE(step.flows);
  EXPECT_FALSE(step.gone) << "it is the first connection";
  EXPECT_FALSE(flow_.step(now_, suspended_).flows) << "said already";
  flow_.ended(now_, now_);
  EXPECT_FALSE(flow_.state().flowing);
  now_ += 3s;
  connect(false);
  come_back(flow_.step(now_, suspended_));
  step = flow_.step(now_, suspended_);
  EXPECT_TRUE(step.flows);
  EXPECT_EQ(step.gone, Duration(3s));
}

TEST_F(FlowTest, AnOutageThatWasNoticedLateBeganWithTheLastArrival) {
  connect(false);
  come_back(flow_.step(now_, suspended_));
  flow_.step(now_, suspended_);
  const auto last = now_;
  Flow::Step step;
  while (!step.dead && now_ < last + 1min) {
    now_ = flow_.due();
    step = flow_.step(now_, suspended_);
  }
  ASSERT_TRUE(step.dead);
  EXPECT_EQ(step.dead->kind, BrokerFault::Kind::silent);
  flow_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), now_ - last);
  come_back(flow_.step(now_, suspended_));
  EXPECT_EQ(flow_.step(now_, suspended_).gone, now_ - last);
}

TEST_F(FlowTest, WhatComesBeforeTheCanaryMayHaveBeenKeptSinceTheOutageBegan) {
  connect(true);
  EXPECT_EQ(kept_for(), Duration::max()) << "nobody knows since when";
  EXPECT_FALSE(flow_.caught_up());
  const auto first = flow_.step(now_, suspended_);
  come_back(first);
  EXPECT_EQ(kept_for(), Duration::zero());
  EXPECT_TRUE(flow_.caught_up());
  flow_.ended(now_, now_);
  now_ += 7s;
  connect(true);
  EXPECT_EQ(kept_for(), Duration(7s));
  Message stale{.topic = "canary", .payload = first.canary->payload};
  EXPECT_TRUE(flow_.arrived(now_, suspended_, stale));
  EXPECT_EQ(kept_for(), Duration(7s)) << "a canary that was kept itself does not end the backlog";
  come_back(flow_.step(now_, suspended_));
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, WhereTheBrokerMayNotKeepAnythingNothingHasWaited) {
  connect(false);
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, WithoutACanaryNothingIsSaidToHaveBeenKept) {
  connect(true, "not authorized");
  EXPECT_EQ(kept_for(), Duration::zero());
  EXPECT_THAT(flow_.state().fault, HasSubstr("not authorized"));
  EXPECT_FALSE(flow_.state().canary);
}

TEST_F(FlowTest, WhereCanariesDoNotComeBackNothingIsSaidToHaveBeenKeptOnTheNextConnections) {
  connect(true);
  while (flow_.state().fault.empty()) {
    EXPECT_EQ(kept_for(), Duration::max());
    if (flow_.step(now_, suspended_).canary) flow_.accepted(now_);
    now_ += 1s;
  }
  EXPECT_EQ(kept_for(), Duration::zero());
  flow_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, WhatWaitedWhileWeStoodStillIsThatOldUntilACanarySentSinceThenComesBack) {
  flow();
  live(3s);
  const auto news = news_;
  now_ += 6s;
  EXPECT_EQ(kept_for(), Duration(6s)) << "the message shows it before anybody else looks";
  EXPECT_EQ(news_, news + 1) << "a canary is to be sent at once";
  now_ += 1s;
  EXPECT_EQ(kept_for(), Duration(7s));
  const auto step = flow_.step(now_, suspended_);
  EXPECT_FALSE(step.dead);
  come_back(step);
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, ACanaryFromBeforeWeStoodStillDoesNotShowThatWeHaveCaughtUp) {
  flow();
  std::optional<Publication> before;
  while (!before) {
    now_ = flow_.due();
    before = flow_.step(now_, suspended_).canary;
  }
  now_ += 6s;
  Message canary{.topic = before->topic, .payload = before->payload};
  EXPECT_TRUE(flow_.arrived(now_, suspended_, canary));
  EXPECT_EQ(kept_for(), Duration(6s));
  come_back(flow_.step(now_, suspended_));
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, WhoeverIsOnlyALittleLateDidNotStandStill) {
  flow();
  live(1h);
  now_ = flow_.due() + 900ms;
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, ASuspendedMachineStoodStillAlthoughItsClockDidToo) {
  flow();
  suspended_ += 20min;
  EXPECT_EQ(kept_for(), Duration(20min));
  come_back(flow_.step(now_, suspended_));
  EXPECT_EQ(kept_for(), Duration::zero());
  flow_.ended(now_, now_);
  suspended_ += 20min;
  flow_.step(now_, suspended_);
  now_ += 1s;
  connect(true);
  EXPECT_EQ(kept_for(), Duration(20min + 1s)) << "nor is it forgotten between two connections";
}

TEST_F(FlowTest, AConnectionThatEndedWhileWeStoodStillDidSoWhenThatBegan) {
  flow();
  now_ += 30s;
  flow_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), Duration(30s));
}

TEST_F(FlowTest, WithoutACanaryNobodyIsSaidToHaveStoodStill) {
  connect(true, "not authorized");
  now_ += 1min;
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, TheTimeOfArrivalIsPassedOnUntilATestShowsThatNoPluginSetsIt) {
  const auto arrival = [&] {
    Message message{.topic = "in", .payload = "", .arrival = "1800000000000"};
    flow_.arrived(now_, suspended_, message);
    return message.arrival;
  };
  connect(true);
  EXPECT_EQ(arrival(), "1800000000000") << "what was kept comes before any test";
  flow_.tested(false);
  EXPECT_EQ(arrival(), "");
  flow_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(arrival(), "") << "it is the same broker";
  flow_.tested(true);
  EXPECT_EQ(arrival(), "1800000000000") << "which has the plugin now";
}

TEST_F(FlowTest, ARefusalIsNews) {
  connect(true);
  flow_.step(now_, suspended_);
  flow_.refused(now_, "not authorized");
  EXPECT_EQ(news_, 1);
  EXPECT_THAT(flow_.step(now_, suspended_).fault, HasSubstr("not authorized"));
  EXPECT_EQ(kept_for(), Duration::zero());
}

}  // namespace
}  // namespace jobs_bridge::mqtt
