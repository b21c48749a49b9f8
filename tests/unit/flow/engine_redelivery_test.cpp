#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/flow/engine_driver.h"

/// Updates that the broker hands over once more, since it has not had our acknowledgement.
namespace jobs_bridge::testing_support {
namespace {

Message update(const std::string& token, bool redelivered = false,
               const std::string& status = "IN_PROGRESS") {
  return {.topic = "$aws/things/T/jobs/j/update",
          .payload = R"({"status":")" + status + R"(","expectedVersion":2)" +
                     (token.empty() ? "" : R"(,"clientToken":")" + token + "\"") + "}",
          .redelivered = redelivered};
}

TEST(EngineRedeliveryTest, AnUpdateThatWasAnsweredGetsTheSameAnswerAndNoCall) {
  EngineDriver driver;
  driver.receive(update("t"));
  driver.answer(driver.next_call().value().id);
  const auto first = driver.take_one();
  driver.advance(std::chrono::hours(1));
  driver.receive(update("t", true));
  EXPECT_FALSE(driver.next_call());
  const auto second = driver.take_one();
  EXPECT_EQ(second.topic, first.topic);
  EXPECT_EQ(second.payload, first.payload);
  EXPECT_TRUE(second.topic.ends_with("/accepted"));
}

TEST(EngineRedeliveryTest, AnUpdateThatIsUnderWayHasOneReplyToTheOneToken) {
  EngineDriver driver;
  driver.receive(update("t"));
  const auto call = driver.next_call().value();
  driver.receive(update("t", true));
  driver.answer(call.id);
  driver.take_one();
  EXPECT_FALSE(driver.next_call());
}

TEST(EngineRedeliveryTest, WhatADeviceSendsAgainIsCarriedOutAgain) {
  EngineDriver driver;
  driver.receive(update("t"));
  driver.answer(driver.next_call().value().id);
  driver.take_one();
  driver.receive(update("t"));
  EXPECT_TRUE(driver.next_call());
}

TEST(EngineRedeliveryTest, AnUpdateThatDiffersOrCannotBeToldFromAnotherIsCarriedOut) {
  EngineDriver driver;
  driver.receive(update("t"));
  driver.answer(driver.next_call().value().id);
  driver.receive(update("u", true));
  driver.answer(driver.next_call().value().id);
  driver.receive(update("t", true, "FAILED"));
  driver.answer(driver.next_call().value().id);
  EXPECT_EQ(driver.take_publications().size(), 3U);
  for (const bool redelivered : {false, true}) {
    driver.receive(update("", redelivered));
    driver.answer(driver.next_call().value().id);
  }
}

TEST(EngineRedeliveryTest, AnUpdateFromBeforeARestartIsKnownToo) {
  EngineDriver before({.holding = {.durable = true}});
  before.receive(update("t"));
  EngineDriver driver({.holding = {.durable = true}});
  ASSERT_TRUE(driver.engine.restore(driver.now, before.effects.recorded.at(0)));
  driver.receive(update("t", true));
  EXPECT_TRUE(driver.effects.recorded.empty());
  EXPECT_EQ(driver.engine.counts().updates, 1U);
}

TEST(EngineRedeliveryTest, RepliesAreForgottenByNumberAndBySize) {
  RecentReplies replies;
  const Publication small{.topic = "t", .payload = "p", .thing = 7};
  for (std::uint32_t i = 1; i <= 1001; ++i) replies.add(i, small);
  EXPECT_EQ(replies.find(1, 7), nullptr);
  EXPECT_EQ(replies.find(3, 8), nullptr) << "another thing's";
  ASSERT_NE(replies.find(2, 7), nullptr);
  replies.add(5000, {.topic = "t", .payload = std::string((1U << 20U) - 2, 'x'), .thing = 7});
  EXPECT_EQ(replies.find(1001, 7), nullptr);
  EXPECT_NE(replies.find(5000, 7), nullptr);
  replies.add(5001, {.topic = "t", .payload = std::string(2U << 20U, 'x'), .thing = 7});
  EXPECT_EQ(replies.find(5000, 7), nullptr);
  EXPECT_EQ(replies.find(5001, 7), nullptr) << "larger than all may be together";
}

TEST(EngineRedeliveryTest, ARetainedRequestIsIgnoredAndNamed) {
  EngineDriver driver;
  auto retained = update("t");
  retained.retained = true;
  driver.receive(retained);
  EXPECT_FALSE(driver.next_call());
  EXPECT_EQ(driver.effects.retained, std::vector<std::string>{"$aws/things/T/jobs/j/update"});
}

}  // namespace
}  // namespace jobs_bridge::testing_support
