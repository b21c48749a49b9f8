#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/flow/engine_driver.h"

/// Whom a Retry-After concerns, and for how long.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

HttpOutcome asking(int status, const std::string& retry_after, const std::string& name = {},
                   const std::string& body = R"({"message":"m"})") {
  HttpResponse response;
  response.status = status;
  response.body = body;
  response.error_type = name;
  response.retry_after = retry_after;
  return response;
}

const HttpOutcome throttled_for_a_minute = asking(429, "60", "ThrottlingException");

/// The calls made in that time, each answered with `outcome`, as seconds after the beginning.
std::vector<double> calls_within(EngineDriver& driver, Duration time, const HttpOutcome& outcome) {
  std::vector<double> calls;
  const auto began = driver.now.monotonic;
  while (driver.now.monotonic < began + time) {
    while (const auto call = driver.next_call()) {
      calls.push_back(in_seconds(driver.now.monotonic - began));
      driver.answer(call->id, outcome);
    }
    driver.now.monotonic = std::min(began + time, driver.engine.next_tick(driver.now.monotonic));
    driver.tick();
  }
  return calls;
}

TEST(EnginePauseTest, ARetryAfterConcernsNoOtherThingUnlessTheAccountIsThrottled) {
  for (const auto& answer :
       {asking(200, "300", {}, "{}"), asking(404, "300", "ResourceNotFoundException"),
        asking(400, "300", "InvalidRequestException"), asking(503, "300"),
        asking(503, "300", "ServiceUnavailableException"), asking(404, "300", {}, "<html>"),
        asking(409, "300", "TransactionInProgressException"),
        asking(403, "300", "AccessDeniedException")}) {
    for (const auto* below : {"get", "start-next", "j/update"}) {
      EngineDriver driver;
      driver.send("T", below, R"({"status":"IN_PROGRESS"})");
      driver.answer(driver.next_call().value().id, answer);
      driver.take_publications();
      for (int i = 0; i < 40; ++i) {
        const auto thing = "U" + std::to_string(i);
        driver.send(thing, below, R"({"status":"IN_PROGRESS"})");
        const auto call = driver.next_call();
        ASSERT_TRUE(call) << thing << std::get<HttpResponse>(answer).status << below;
        driver.answer(call->id);
        EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted"));
      }
      EXPECT_TRUE(driver.effects.paused.empty());
    }
  }
}

TEST(EnginePauseTest, AThingsOwnNextTryWaitsAsLongAsItIsAsked) {
  for (const auto* below : {"get", "start-next", "j/get", "j/update"}) {
    EngineDriver driver;
    driver.send("T", below, R"({"status":"IN_PROGRESS"})");
    const auto began = driver.now.monotonic;
    driver.answer(driver.next_call().value().id, asking(503, "3"));
    driver.send("T", "k/get");
    const auto again = driver.wait_for_call();
    EXPECT_EQ(driver.now.monotonic, began + 3s) << below;
    EXPECT_FALSE(driver.next_call()) << "its next request waits behind it";
    driver.answer(again.id,
                  answer_of(200, std::string(below) == "j/update"
                                     ? R"({"execution":{"jobId":"j","status":"IN_PROGRESS"}})"
                                     : "{}"));
    EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted"));
  }
}

TEST(EnginePauseTest, APauseThatADeviceDoesNotOutlastEndsWithOneMoreTry) {
  EngineDriver driver;
  driver.send("T", "start-next");
  const auto began = driver.now.monotonic;
  driver.answer(driver.next_call().value().id, asking(503, "300"));
  const auto again = driver.wait_for_call();
  EXPECT_EQ(driver.now.monotonic, began + 7s);
  driver.answer(again.id, asking(503, "300"));
  EXPECT_THAT(driver.take_one().payload, HasSubstr("HTTP 503"));
}

TEST(EnginePauseTest, AHeldUpdateIsTriedEveryQuarterOfAMinuteWhateverIsAskedWhileOthersAreServed) {
  EngineDriver driver;
  driver.send("U", "get");
  driver.answer(driver.next_call().value().id);
  driver.send_update("T", "t");
  const auto calls = calls_within(driver, 5min, asking(503, "300"));
  EXPECT_GE(calls.size(), 19U);
  EXPECT_LE(calls.size(), 22U);
}

TEST(EnginePauseTest, AHeldUpdateIsTheProbeWhereNobodyElseIsServed) {
  EngineDriver driver;
  driver.send_update("T", "t");
  const auto calls = calls_within(driver, 5min, asking(503, "300"));
  EXPECT_GE(calls.size(), 50U);
  EXPECT_LE(calls.size(), 62U);
}

TEST(EnginePauseTest, ThrottlingOfTheAccountPausesItsQuotaButForATrialEveryFiveSeconds) {
  EngineDriver driver({.deadline = 5min, .queue = 1000});
  for (int i = 0; i < 20; ++i) driver.send("T" + std::to_string(i), "start-next");
  driver.answer(driver.next_call().value().id, throttled_for_a_minute);
  ASSERT_EQ(driver.effects.paused.size(), 1U);
  EXPECT_EQ(driver.effects.paused[0].kind, QuotaKind::writes);
  EXPECT_FALSE(driver.effects.paused[0].over);
  EXPECT_EQ(driver.effects.paused[0].length, Duration(60s));
  EXPECT_EQ(driver.engine.quota(QuotaKind::writes).paused_until(), driver.now.monotonic + 60s);
  const auto trials = calls_within(driver, 19s, asking(429, "60", "ThrottlingException"));
  EXPECT_EQ(trials, (std::vector<double>{5, 10, 15}));
  EXPECT_EQ(driver.effects.paused.size(), 1U) << "it is one pause";
  driver.send("U", "get");
  EXPECT_TRUE(driver.next_call()) << "another quota";
}

TEST(EnginePauseTest, ATrialThatSucceedsEndsThePauseForAll) {
  EngineDriver driver({.deadline = 5min, .queue = 1000});
  for (int i = 0; i < 20; ++i) driver.send("T" + std::to_string(i), "start-next");
  driver.answer(driver.next_call().value().id, throttled_for_a_minute);
  const auto began = driver.now.monotonic;
  const auto trial = driver.wait_for_call();
  EXPECT_EQ(driver.now.monotonic, began + 5s);
  driver.advance(100ms);
  EXPECT_FALSE(driver.next_call()) << "one at a time";
  driver.answer(trial.id);
  ASSERT_EQ(driver.effects.paused.size(), 2U);
  EXPECT_TRUE(driver.effects.paused[1].over);
  EXPECT_EQ(driver.effects.paused[1].length, Duration(5100ms));
  EXPECT_FALSE(driver.engine.quota(QuotaKind::writes).paused_until());
  EXPECT_GT(calls_within(driver, 10s, answer_of(200, "{}")).size(), 5U);
  driver.tick();
  EXPECT_EQ(driver.effects.paused.size(), 2U) << "it is over once";
}

TEST(EnginePauseTest, CallsFromBeforeThePauseDoNotEndIt) {
  EngineDriver driver({.queue = 1000});
  for (int i = 0; i < 3; ++i) driver.send("T" + std::to_string(i), "get");
  const auto first = driver.next_call().value();
  const auto second = driver.next_call().value();
  const auto third = driver.next_call().value();
  driver.answer(first.id, throttled_for_a_minute);
  driver.answer(second.id);
  EXPECT_TRUE(driver.engine.quota(QuotaKind::reads).paused_until());
  driver.answer(third.id, asking(429, "2"));
  EXPECT_EQ(driver.engine.quota(QuotaKind::reads).paused_until(), driver.now.monotonic + 60s)
      << "nor cut it short";
}

TEST(EnginePauseTest, WhatATrialIsToldCountsFromNowOn) {
  EngineDriver driver({.deadline = 5min, .queue = 1000});
  for (int i = 0; i < 5; ++i) driver.send("T" + std::to_string(i), "get");
  driver.answer(driver.next_call().value().id, asking(429, "300"));
  driver.answer(driver.wait_for_call().id, asking(429, "2"));
  EXPECT_EQ(driver.engine.quota(QuotaKind::reads).paused_until(), driver.now.monotonic + 2s);
  driver.advance(2s);
  driver.tick();
  ASSERT_EQ(driver.effects.paused.size(), 2U);
  EXPECT_TRUE(driver.effects.paused[1].over);
  EXPECT_EQ(driver.effects.paused[1].length, Duration(7s));
}

TEST(EnginePauseTest, ATrialThatTellsNothingIsFollowedByAnother) {
  const HttpOutcome lost = HttpFailure{.kind = HttpFailure::Kind::timeout, .detail = "timeout"};
  EngineDriver driver({.deadline = 5min, .queue = 1000});
  for (int i = 0; i < 5; ++i) driver.send("T" + std::to_string(i), "get");
  driver.answer(driver.next_call().value().id, throttled_for_a_minute);
  EXPECT_EQ(calls_within(driver, 12s, lost), (std::vector<double>{5, 10}));
  EXPECT_TRUE(driver.engine.quota(QuotaKind::reads).paused_until());
}

TEST(EnginePauseTest, AShortPauseIsHonouredToTheLetterAndItsEndIsReportedInTime) {
  EngineDriver driver({.queue = 1000});
  for (int i = 0; i < 5; ++i) driver.send("T" + std::to_string(i), "get");
  driver.answer(driver.next_call().value().id, asking(429, "4"));
  EXPECT_TRUE(calls_within(driver, 4s - Duration(1), answer_of(200, "{}")).empty());
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic), driver.now.monotonic + Duration(1));
  driver.advance(Duration(1));
  driver.tick();
  ASSERT_EQ(driver.effects.paused.size(), 2U);
  EXPECT_TRUE(driver.effects.paused[1].over);
  EXPECT_EQ(driver.effects.paused[1].length, Duration(4s));
}

TEST(EnginePauseTest, NoMoreThanFiveMinutesAreBelieved) {
  EngineDriver driver;
  driver.send("T", "get");
  driver.answer(driver.next_call().value().id, asking(429, "2147483647"));
  EXPECT_EQ(driver.engine.quota(QuotaKind::reads).paused_until(), driver.now.monotonic + 5min);
}

TEST(EnginePauseTest, ARequestThatHadNoTurnForAPauseHearsSo) {
  EngineDriver driver;
  driver.send("T", "get");
  driver.answer(driver.next_call().value().id, throttled_for_a_minute);
  const auto trial = driver.wait_for_call();
  driver.send("U", "get");
  driver.advance(8s);
  driver.tick();
  driver.answer(trial.id, throttled_for_a_minute);
  const auto replies = driver.take_publications();
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_THAT(replies[1].payload, HasSubstr("RequestThrottled"));
  EXPECT_THAT(replies[1].payload, HasSubstr("throttles the gateway"));
}

TEST(EnginePauseTest, AnEndpointThatAsksEveryThingForAPauseIsProbedSeldom) {
  EngineDriver driver({.queue = 1000});
  for (int i = 0; i < 20; ++i) driver.send_update("T" + std::to_string(i), "t");
  for (int i = 0; i < 5; ++i) driver.answer(driver.next_call().value().id, asking(503, "60"));
  EXPECT_FALSE(driver.engine.counts().endpoint_reachable) << "the circuit is open";
  const auto probes = calls_within(driver, 29s, asking(503, "60"));
  EXPECT_EQ(probes, (std::vector<double>{5, 10, 15, 20, 25}));
  EXPECT_TRUE(driver.effects.paused.empty());
}

}  // namespace
}  // namespace jobs_bridge::testing_support
