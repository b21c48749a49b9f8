#include "adapters/mqtt/canary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using Finding = Canary::Finding;
using testing::HasSubstr;

class CanaryTest : public ::testing::Test {
 protected:
  void begin(const Canary::Link& link = {.keep_alive = 10s}) {
    ASSERT_TRUE(canary_.ask(now_));
    canary_.begin(now_, link);
  }
  /// One is sent, and comes back a little later.
  void there_and_back() {
    const auto sent = canary_.next(now_);
    ASSERT_TRUE(sent);
    now_ += 5ms;
    canary_.accepted(now_);
    EXPECT_TRUE(canary_.arrived(now_, sent->topic, sent->payload));
    EXPECT_TRUE(canary_.flowing());
  }
  /// What the thread `broker` does, at the times when it would, until something is found or it is
  /// too late; meanwhile canaries that are sent are answered or not, and messages come every second
  /// or not.
  Finding live(Duration limit, bool answered, bool messages) {
    const auto end = now_ + limit;
    while (now_ < end) {
      now_ = std::min({canary_.due(), now_ + 1s, end});
      if (messages) canary_.arrived(now_, "another/topic", "x");
      if (const auto finding = canary_.check(now_); finding != Finding::fine) return finding;
      if (canary_.next(now_) && answered) canary_.accepted(now_);
    }
    return Finding::fine;
  }

  MonotonicTime now_ = MonotonicTime(1000h);
  Canary canary_{"canary/me", "nonce"};
};

TEST_F(CanaryTest, WhenTheLastToComeBackWasSentCountsHowLongTheMachineHadBeenSuspended) {
  begin();
  const auto first = canary_.next(now_, 3s);
  const auto sent = now_;
  now_ += 6s;
  const auto second = canary_.next(now_, 100s);
  ASSERT_TRUE(first);
  canary_.arrived(now_, first->topic, first->payload);
  EXPECT_EQ(canary_.last_sent(), sent + 3s);
  EXPECT_FALSE(second) << "the first has not been answered";
}

TEST_F(CanaryTest, OneIsSentAtOnceAndThenEveryHalfKeepAlive) {
  EXPECT_FALSE(canary_.next(now_)) << "there is no connection";
  begin();
  EXPECT_EQ(canary_.due(), now_);
  there_and_back();
  EXPECT_EQ(canary_.round_trip(), 5ms);
  EXPECT_EQ(canary_.flowed(), now_);
  EXPECT_FALSE(canary_.next(now_));
  EXPECT_EQ(canary_.due(), now_ - 5ms + 5s);
  now_ = canary_.due();
  there_and_back();
}

TEST_F(CanaryTest, ALinkThatGoesSilentIsNoticedWithinAKeepAlive) {
  begin();
  there_and_back();
  const auto died = now_;
  EXPECT_EQ(live(60s, false, false), Finding::silent);
  EXPECT_LE(now_ - died, 10s);
}

TEST_F(CanaryTest, ALinkThatOnlyCarriesMessagesToUsIsNoticedWithinOneAndAHalf) {
  begin();
  there_and_back();
  const auto died = now_;
  EXPECT_EQ(live(60s, false, true), Finding::silent) << "replies of ours would not get out";
  EXPECT_LE(now_ - died, 15s);
}

TEST_F(CanaryTest, ALinkThatAnswersButDeliversNothingIsNoticedWithinOneAndAHalf) {
  begin();
  there_and_back();
  const auto died = now_;
  EXPECT_EQ(live(60s, true, false), Finding::not_delivering);
  EXPECT_LE(now_ - died, 15s);
}

TEST_F(CanaryTest, ALinkThatBringsOtherMessagesCountsAsDelivering) {
  begin();
  there_and_back();
  EXPECT_EQ(live(1h, true, true), Finding::fine);
  EXPECT_EQ(canary_.fault(), "");
}

TEST_F(CanaryTest, TheAnswerToAnotherPublicationShowsLifeToo) {
  begin();
  canary_.next(now_);
  for (int second = 0; second < 8; ++second) {
    now_ += 1s;
    canary_.acknowledged();
    EXPECT_EQ(canary_.check(now_), Finding::fine);
    canary_.next(now_);
  }
}

TEST_F(CanaryTest, WhereNoneEverCameBackALinkThatLivesIsLeftAloneAndTheFaultSaysSo) {
  begin();
  EXPECT_EQ(live(1h, true, false), Finding::fine);
  EXPECT_THAT(canary_.fault(), HasSubstr("no canary message comes back"));
  EXPECT_FALSE(canary_.flowing());
  EXPECT_EQ(live(60s, false, false), Finding::silent) << "that it lives is still looked after";
}

TEST_F(CanaryTest, ThereIsAVerdictInTimeHoweverManyOthersArrive) {
  for (const bool flowed_before : {false, true}) {
    begin();
    if (flowed_before) {
      there_and_back();
      canary_.end(now_);
      begin();
    }
    EXPECT_EQ(live(9s, true, true), Finding::fine);
    EXPECT_THAT(canary_.fault(), HasSubstr("although other messages arrive"));
    EXPECT_EQ(live(1h, true, true), Finding::fine) << "they are not cut off";
    canary_.end(now_);
  }
}

TEST_F(CanaryTest, ReconnectingIsTriedThreeTimesEachAfterTwiceAsLongAndNotForEver) {
  begin();
  there_and_back();
  for (int i = 0; i < 3; ++i) {
    const auto began = now_;
    EXPECT_EQ(live(1h, true, false), Finding::not_delivering);
    EXPECT_GE(now_ - began, 8s * (1 << i));
    EXPECT_LE(now_ - began, 8s * (1 << i) + 5s);
    canary_.end(now_);
    begin();
  }
  EXPECT_EQ(live(1h, true, false), Finding::fine);
  EXPECT_THAT(canary_.fault(), HasSubstr("no canary message comes back"));
  now_ += 5s;
  there_and_back();
  EXPECT_EQ(canary_.fault(), "") << "and it heals by itself";
  EXPECT_EQ(live(60s, true, false), Finding::not_delivering);
}

TEST_F(CanaryTest, ARefusedOneIsAFaultAndNoReasonToReconnectAndMayBeAllowedLater) {
  begin();
  there_and_back();
  canary_.refused(now_, "not authorized");
  EXPECT_THAT(canary_.fault(), HasSubstr("not authorized"));
  for (int i = 0; i < 100; ++i) {
    now_ += 5s;
    EXPECT_EQ(canary_.check(now_), Finding::fine);
    if (canary_.next(now_)) canary_.refused(now_, "not authorized");
  }
  EXPECT_FALSE(canary_.flowing());
  now_ += 5s;
  there_and_back();
  EXPECT_EQ(canary_.fault(), "");
}

TEST_F(CanaryTest, ARefusedSubscriptionIsAFaultAndThereIsNoCanary) {
  begin({.keep_alive = 10s, .refusal = "not authorized"});
  EXPECT_FALSE(canary_.next(now_));
  EXPECT_EQ(canary_.due(), MonotonicTime::max());
  EXPECT_THAT(canary_.fault(), HasSubstr("subscription: not authorized"));
  canary_.end(now_);
  begin();
  there_and_back();
}

TEST_F(CanaryTest, WhenConnectionsEndOverItThereIsNoneForAWhile) {
  for (const bool subscribed : {true, false}) {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(canary_.ask(now_));
      if (subscribed) {
        canary_.begin(now_, {.keep_alive = 10s});
        ASSERT_TRUE(canary_.next(now_));
        canary_.acknowledged();  // what was sent before it
      }
      canary_.end(now_);
    }
    EXPECT_THAT(canary_.fault(), HasSubstr("ended before"));
    EXPECT_FALSE(canary_.ask(now_));
    canary_.begin(now_, {.keep_alive = 10s});
    EXPECT_FALSE(canary_.next(now_));
    canary_.end(now_);
    now_ += 10min;
    begin();
    there_and_back();
    canary_.end(now_);
  }
}

TEST_F(CanaryTest, ConnectionsThatEndForOtherReasonsDoNotStopIt) {
  for (int i = 0; i < 20; ++i) {
    begin();
    there_and_back();
    now_ = canary_.due();
    canary_.next(now_);  // under way when the connection ends
    canary_.end(now_);
  }
  EXPECT_TRUE(canary_.ask(now_));
}

TEST_F(CanaryTest, ConnectionsThatEndOverItCountOnlyInARow) {
  for (const bool answered : {false, false, true, false, false}) {
    begin();
    canary_.next(now_);
    if (answered) canary_.accepted(now_);
    canary_.end(now_);
  }
  EXPECT_TRUE(canary_.ask(now_));
  EXPECT_EQ(canary_.fault(), "");
}

TEST_F(CanaryTest, OnceItIsAllowedItHasTheUsualTimeToComeBack) {
  begin();
  there_and_back();
  for (int i = 0; i < 20; ++i) {
    now_ += 5s;
    canary_.check(now_);
    if (canary_.next(now_)) canary_.refused(now_, "not authorized");
  }
  now_ += 5s;
  canary_.check(now_);
  ASSERT_TRUE(canary_.next(now_));
  canary_.accepted(now_);
  EXPECT_EQ(live(7s, true, false), Finding::fine);
  EXPECT_EQ(canary_.fault(), "");
}

TEST_F(CanaryTest, OfManyThatDoNotComeBackOnlyTheLastAreWaitedFor) {
  begin({.keep_alive = 10s, .answers = false});
  std::vector<Publication> sent;
  while (sent.size() < 17) {
    if (auto canary = canary_.next(now_)) sent.push_back(*std::move(canary));
    now_ += 5s;
    canary_.check(now_);
  }
  EXPECT_TRUE(canary_.arrived(now_, "canary/me", sent.front().payload));
  EXPECT_EQ(canary_.returns(), 0U);
  EXPECT_TRUE(canary_.arrived(now_, "canary/me", sent[1].payload));
  EXPECT_EQ(canary_.returns(), 1U);
}

TEST_F(CanaryTest, WhereTheBrokerAnswersNoneOnlyItsReturnCounts) {
  begin({.keep_alive = 10s, .answers = false});
  canary_.next(now_);
  canary_.accepted(now_);  // what the library says of anything it has sent at QoS 0
  canary_.end(now_);
  begin({.keep_alive = 10s, .answers = false});
  EXPECT_EQ(live(10min, true, false), Finding::fine) << "perhaps refused silently";
  EXPECT_THAT(canary_.fault(), HasSubstr("no canary message comes back"));
  now_ += 5s;
  there_and_back();
  EXPECT_EQ(live(60s, true, false), Finding::not_delivering);
}

TEST_F(CanaryTest, WhatOthersPublishThereAndWhatIsOldOrRepeatedProvesNothingAndIsNotProcessed) {
  begin();
  const auto old = canary_.next(now_);
  canary_.end(now_);
  begin();
  const auto present = canary_.next(now_);
  for (const auto& payload :
       {std::string("other 1"), std::string(), old->payload, present->payload + "0",
        "other" + present->payload.substr(5), std::string("nonce 2 "), std::string("nonce 2 x"),
        std::string("nonce")}) {
    EXPECT_TRUE(canary_.arrived(now_, "canary/me", payload)) << payload;
    EXPECT_FALSE(canary_.flowing()) << payload;
  }
  EXPECT_TRUE(canary_.arrived(now_, "canary/me", present->payload));
  EXPECT_TRUE(canary_.flowing());
  now_ += 1s;
  canary_.arrived(now_, "canary/me", present->payload);
  EXPECT_EQ(canary_.flowed(), now_ - 1s) << "a repeat is not another";
}

TEST_F(CanaryTest, ALateReturnCountsAndMakesUpForThoseBefore) {
  begin();
  const auto first = canary_.next(now_);
  canary_.accepted(now_);
  now_ += 5s;
  const auto second = canary_.next(now_);
  canary_.accepted(now_);
  ASSERT_TRUE(second);
  now_ += 1s;
  canary_.arrived(now_, "canary/me", second->payload);
  EXPECT_EQ(canary_.round_trip(), 1s);
  EXPECT_EQ(live(3s, true, false), Finding::fine);
}

TEST_F(CanaryTest, AStandstillOfTheProcessIsNoFaultOfTheLink) {
  begin();
  there_and_back();
  now_ = canary_.due();
  canary_.next(now_);
  now_ += 1min;
  EXPECT_EQ(canary_.check(now_), Finding::fine);
  EXPECT_EQ(live(60s, false, false), Finding::silent) << "but only for as long as it takes to look";
}

TEST_F(CanaryTest, WithoutATopicThereIsNone) {
  Canary none("", "nonce");
  EXPECT_FALSE(none.ask(now_));
  none.begin(now_, {.keep_alive = 10s});
  EXPECT_FALSE(none.next(now_));
  EXPECT_FALSE(none.arrived(now_, "", ""));
  EXPECT_EQ(none.due(), MonotonicTime::max());
  EXPECT_EQ(none.fault(), "");
}

}  // namespace
}  // namespace jobs_bridge::mqtt
