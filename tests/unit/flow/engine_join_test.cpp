#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tests/unit/flow/engine_driver.h"

/// Repeats of a request that waits: one call, a reply to each.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

TEST(EngineJoinTest, ARepeatOfARequestThatWaitsCostsNoCallAndIsAnsweredToo) {
  for (const bool in_flight : {false, true}) {
    for (const auto* below : {"get", "start-next", "j/get", "j/update"}) {
      if (in_flight && below != std::string_view("j/update")) continue;
      EngineDriver driver;
      std::optional<Call> call;
      for (const auto* token : {"a", "b", "c"}) {
        driver.send("T", below,
                    R"({"status":"FAILED","clientToken":")" + std::string(token) + "\"}");
        if (in_flight && !call) call = driver.next_call();
      }
      if (!call) call = driver.next_call();
      driver.answer(call.value().id);
      EXPECT_FALSE(driver.next_call());
      const auto replies = driver.take_publications();
      ASSERT_EQ(replies.size(), 3U);
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(json::parse(replies[i].payload).at("clientToken"), std::string(1, "abc"[i]));
      }
      EXPECT_EQ(driver.engine.counts().waiting, 0U);
    }
  }
}

/// The device may ask again because it has just heard of a job that the answer on its way, being
/// older, knows nothing of.
TEST(EngineJoinTest, ARepeatInMidCallIsCarriedOutAnewUnlessItIsAnUpdate) {
  for (const auto* below : {"get", "start-next", "j/get"}) {
    EngineDriver driver;
    driver.send("T", below, R"({"clientToken":"a"})");
    const auto first = driver.next_call();
    ASSERT_TRUE(first) << below;
    for (const auto* token : {"b", "c"}) {
      driver.send("T", below, R"({"clientToken":")" + std::string(token) + "\"}");
    }
    driver.answer(first->id);
    EXPECT_EQ(driver.take_publications().size(), 1U) << below;
    const auto second = driver.next_call();
    ASSERT_TRUE(second) << below;
    driver.answer(second->id);
    EXPECT_EQ(driver.take_publications().size(), 2U) << below << ": those two wait for one call";
    EXPECT_FALSE(driver.next_call());
  }
}

TEST(EngineJoinTest, NothingJoinsARequestThatAnotherFollows) {
  EngineDriver driver;
  driver.send("T", "get");
  driver.send_update("T", "t");
  driver.send("T", "get");
  int calls = 0;
  while (const auto call = driver.next_call()) {
    ++calls;
    driver.answer(call->id);
  }
  EXPECT_EQ(calls, 3);
}

TEST(EngineJoinTest, WhatDiffersInContentDoesNotJoin) {
  EngineDriver driver;
  driver.send_update("T", "t", "IN_PROGRESS");
  driver.send_update("T", "t", "SUCCEEDED");
  driver.send("T", "k/update", R"({"status":"SUCCEEDED"})");
  driver.send("U", "k/update", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(driver.engine.counts().waiting, 4U);
  EXPECT_EQ(driver.engine.counts().updates, 4U);
}

TEST(EngineJoinTest, EachRepeatHasItsOwnDeadline) {
  EngineDriver driver;
  driver.send("T", "get", R"({"clientToken":"a"})");
  driver.advance(5s);
  driver.send("T", "get", R"({"clientToken":"b"})");
  driver.advance(3s);
  driver.tick();
  EXPECT_THAT(driver.take_one().payload, HasSubstr(R"("clientToken":"a")"));
  const auto call = driver.next_call().value();
  driver.advance(1s);
  driver.answer(call.id);
  const auto reply = driver.take_one();
  EXPECT_TRUE(reply.topic.ends_with("/accepted"));
  EXPECT_THAT(reply.payload, HasSubstr(R"("clientToken":"b")"));
}

TEST(EngineJoinTest, RepeatsAreBounded) {
  EngineDriver driver({.queue = 100, .queue_per_thing = 4});
  for (int i = 0; i < 4; ++i) driver.send("T", "get");
  EXPECT_TRUE(driver.take_publications().empty());
  driver.send("T", "get");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("RequestThrottled"));
  driver.answer(driver.next_call().value().id);
  EXPECT_EQ(driver.take_publications().size(), 4U);
}

TEST(EngineJoinTest, RepeatsOfAHeldUpdateAreAnsweredWithItAndBounded) {
  EngineDriver driver({.queue_per_thing = 3});
  for (int i = 0; i < 4; ++i) {
    driver.send_update("T", std::to_string(i));
    driver.advance(10s);
    driver.tick();
  }
  EXPECT_TRUE(driver.take_publications().empty());
  EXPECT_EQ(driver.engine.counts().waiting, 0U);
  EXPECT_EQ(driver.engine.counts().held, 1U);
  driver.send_update("T", "4");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("RequestThrottled"));
  driver.send("T", "start-next");
  EXPECT_TRUE(driver.take_publications().empty()) << "other requests have room";
  driver.answer(driver.next_call().value().id);
  EXPECT_EQ(driver.take_publications().size(), 4U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
