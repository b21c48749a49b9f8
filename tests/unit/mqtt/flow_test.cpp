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
  void connect(bool session_present, const std::string& refusal = "") {
    EXPECT_TRUE(flow_.connecting(now_));
    flow_.connected(session_present);
    flow_.subscribed(now_, {.keep_alive = 10s, .refusal = refusal});
  }
  Duration kept_for() {
    Message message{.topic = "in", .payload = ""};
    EXPECT_FALSE(flow_.arrived(now_, message));
    return message.kept_for;
  }
  void come_back(const Flow::Step& step) {
    ASSERT_TRUE(step.canary);
    flow_.accepted(now_);
    Message message{.topic = step.canary->topic, .payload = step.canary->payload};
    EXPECT_TRUE(flow_.arrived(now_, message));
  }

  MonotonicTime now_ = MonotonicTime(1000h);
  int news_ = 0;
  Flow flow_{"canary", "nonce", [this] { ++news_; }};
};

TEST_F(FlowTest, TheFirstReturnOnAConnectionIsNewsAndSaysHowLongNothingFlowed) {
  connect(false);
  come_back(flow_.step(now_));
  EXPECT_EQ(news_, 1);
  auto step = flow_.step(now_);
  EXPECT_TRUE(step.flows);
  EXPECT_FALSE(step.gone) << "it is the first connection";
  EXPECT_FALSE(flow_.step(now_).flows) << "said already";
  flow_.ended(now_, now_);
  EXPECT_FALSE(flow_.state().flowing);
  now_ += 3s;
  connect(false);
  come_back(flow_.step(now_));
  step = flow_.step(now_);
  EXPECT_TRUE(step.flows);
  EXPECT_EQ(step.gone, Duration(3s));
}

TEST_F(FlowTest, AnOutageThatWasNoticedLateBeganWithTheLastArrival) {
  connect(false);
  come_back(flow_.step(now_));
  flow_.step(now_);
  const auto last = now_;
  Flow::Step step;
  while (!step.dead && now_ < last + 1min) {
    now_ = flow_.due();
    step = flow_.step(now_);
  }
  ASSERT_TRUE(step.dead);
  EXPECT_EQ(step.dead->kind, BrokerFault::Kind::silent);
  flow_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), now_ - last);
  come_back(flow_.step(now_));
  EXPECT_EQ(flow_.step(now_).gone, now_ - last);
}

TEST_F(FlowTest, WhatComesBeforeTheCanaryMayHaveBeenKeptSinceTheOutageBegan) {
  connect(true);
  EXPECT_EQ(kept_for(), Duration::max()) << "nobody knows since when";
  const auto first = flow_.step(now_);
  come_back(first);
  EXPECT_EQ(kept_for(), Duration::zero());
  flow_.ended(now_, now_);
  now_ += 7s;
  connect(true);
  EXPECT_EQ(kept_for(), Duration(7s));
  Message stale{.topic = "canary", .payload = first.canary->payload};
  EXPECT_TRUE(flow_.arrived(now_, stale));
  EXPECT_EQ(kept_for(), Duration(7s)) << "a canary that was kept itself does not end the backlog";
  come_back(flow_.step(now_));
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, ANewSessionHasNothingKept) {
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
    if (flow_.step(now_).canary) flow_.accepted(now_);
    now_ += 1s;
  }
  EXPECT_EQ(kept_for(), Duration::zero());
  flow_.ended(now_, now_);
  connect(true);
  EXPECT_EQ(kept_for(), Duration::zero());
}

TEST_F(FlowTest, ARefusalIsNews) {
  connect(true);
  flow_.step(now_);
  flow_.refused(now_, "not authorized");
  EXPECT_EQ(news_, 1);
  EXPECT_THAT(flow_.step(now_).fault, HasSubstr("not authorized"));
  EXPECT_EQ(kept_for(), Duration::zero());
}

}  // namespace
}  // namespace jobs_bridge::mqtt
