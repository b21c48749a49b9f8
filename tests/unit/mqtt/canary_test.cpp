#include "adapters/mqtt/canary.h"

#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using Finding = Canary::Finding;

class CanaryTest : public ::testing::Test {
 protected:
  /// One is sent, and comes back a little later.
  void there_and_back() {
    const auto sent = canary_.next(now_);
    ASSERT_TRUE(sent);
    now_ += 5ms;
    EXPECT_TRUE(canary_.arrived(now_, sent->topic, sent->payload));
    EXPECT_TRUE(canary_.flowing());
  }

  MonotonicTime now_ = MonotonicTime(1000h);
  Canary canary_{"canary/me", "nonce", 10s};
};

TEST_F(CanaryTest, OneIsSentAtOnceAndThenEveryHalfKeepAlive) {
  EXPECT_FALSE(canary_.next(now_)) << "there is no connection";
  canary_.begin(now_, true);
  EXPECT_EQ(canary_.due(), now_);
  there_and_back();
  EXPECT_EQ(canary_.round_trip(), 5ms);
  EXPECT_FALSE(canary_.next(now_));
  EXPECT_EQ(canary_.due(), now_ - 5ms + 5s);
  now_ = canary_.due();
  there_and_back();
}

TEST_F(CanaryTest, ALinkThatGoesSilentIsDeadWithinAKeepAlive) {
  canary_.begin(now_, true);
  there_and_back();
  const auto died = now_;
  while (canary_.look(now_) == Finding::fine) {
    now_ = canary_.due();
    canary_.next(now_);
  }
  EXPECT_EQ(canary_.look(now_), Finding::dead);
  EXPECT_LE(now_ - died, 10s);
}

TEST_F(CanaryTest, ALinkThatAcknowledgesButDeliversNothingIsDeadToo) {
  canary_.begin(now_, true);
  there_and_back();
  const auto last = now_;
  while (canary_.look(now_) == Finding::fine && now_ < last + 60s) {
    now_ += 1s;
    canary_.next(now_);
    canary_.acknowledged();
  }
  EXPECT_EQ(canary_.look(now_), Finding::dead);
  EXPECT_LE(now_ - last, 30s);
}

TEST_F(CanaryTest, ALinkThatBringsOtherMessagesIsNotDead) {
  canary_.begin(now_, true);
  there_and_back();
  for (int i = 0; i < 60; ++i) {
    now_ += 1s;
    canary_.next(now_);
    EXPECT_FALSE(canary_.arrived(now_, "another/topic", "x"));
    EXPECT_EQ(canary_.look(now_), Finding::fine);
  }
}

TEST_F(CanaryTest, WhereNoneEverComesBackOnALivingLinkThereIsNone) {
  canary_.begin(now_, true);
  while (canary_.look(now_) == Finding::fine && canary_.is_on()) {
    canary_.next(now_);
    now_ += 1s;
    canary_.acknowledged();
  }
  EXPECT_FALSE(canary_.is_on()) << "it said so once, and is quiet now";
  EXPECT_EQ(canary_.look(now_), Finding::fine);
  EXPECT_FALSE(canary_.next(now_ + 1h));
  EXPECT_EQ(canary_.due(), MonotonicTime::max());
}

TEST_F(CanaryTest, WhatOthersPublishThereProvesNothingAndIsForNobody) {
  canary_.begin(now_, true);
  canary_.next(now_);
  EXPECT_TRUE(canary_.arrived(now_, "canary/me", "other 1"));
  EXPECT_TRUE(canary_.arrived(now_, "canary/me", ""));
  EXPECT_FALSE(canary_.flowing());
}

TEST_F(CanaryTest, ANewConnectionMustProveItselfAnew) {
  canary_.begin(now_, true);
  there_and_back();
  canary_.end();
  EXPECT_FALSE(canary_.flowing());
  canary_.begin(now_, true);
  EXPECT_FALSE(canary_.flowing());
  there_and_back();
}

TEST_F(CanaryTest, WithoutATopicOrTheBrokersGrantThereIsNone) {
  canary_.begin(now_, false);
  EXPECT_FALSE(canary_.next(now_));
  Canary none("", "nonce", 10s);
  none.begin(now_, true);
  EXPECT_FALSE(none.next(now_));
  EXPECT_FALSE(none.arrived(now_, "", ""));
  EXPECT_EQ(none.due(), MonotonicTime::max());
}

}  // namespace
}  // namespace jobs_bridge::mqtt
