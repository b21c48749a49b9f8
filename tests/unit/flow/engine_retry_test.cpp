#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/flow/engine_driver.h"

/// What is tried again, when, and how often.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const HttpOutcome timed_out =
    HttpFailure{.kind = HttpFailure::Kind::timeout, .maybe_sent = true, .detail = "timeout"};

TEST(EngineRetryTest, AReadOrStartNextThatFailedIsTriedAgainAfterAPause) {
  for (const auto* below : {"get", "start-next", "j/get"}) {
    for (const auto& failure : {unreachable, timed_out, answer_of(503, "<html>"),
                                answer_of(200, "garbage"), answer_of(429, "{}")}) {
      EngineDriver driver;
      driver.send("T", below);
      const auto first = driver.next_call().value();
      driver.answer(first.id, failure);
      EXPECT_TRUE(driver.effects.publications.empty());
      EXPECT_FALSE(driver.has_call()) << "not at once";
      const auto next = driver.engine.next_tick(driver.now.monotonic);
      EXPECT_GE(next, driver.now.monotonic + 100ms);
      driver.now.monotonic = next;
      driver.tick();
      const auto second = driver.wait_for_call();
      EXPECT_EQ(second.request.target, first.request.target);
      driver.answer(second.id);
      EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted"));
    }
  }
}

HttpOutcome error_of(int status, const std::string& name) {
  HttpResponse response;
  response.status = status;
  response.body = R"({"message":"m"})";
  response.error_type = name;
  return response;
}

TEST(EngineRetryTest, WhatTheEndpointRefusesIsNotTriedAgain) {
  for (const auto& refusal :
       {error_of(400, "InvalidRequestException"), error_of(403, "AccessDeniedException"),
        error_of(404, "ResourceNotFoundException"), error_of(410, "TerminalStateException"),
        error_of(404, "UnknownOperationException"), answer_of(400, "{}"), answer_of(422, "{}"),
        answer_of(413, "<html>")}) {
    for (const auto* below : {"get", "start-next", "j/get", "j/update"}) {
      EngineDriver driver;
      driver.send("T", below, R"({"status":"FAILED"})");
      EXPECT_EQ(driver.answer_all_until_a_reply(refusal), 1)
          << std::get<HttpResponse>(refusal).status;
    }
  }
}

/// Each of them would have been the end of an update's way.
TEST(EngineRetryTest, WhatIsNotTheJobsApisWordOrPassesIsTriedAgainAndHoldsAnUpdate) {
  for (const auto& away :
       {answer_of(404, "<html>"), answer_of(409, "{}"), answer_of(410, ""), answer_of(405, "{}"),
        answer_of(408, "{}"), answer_of(421, "{}"), answer_of(425, "{}"), answer_of(429, "{}"),
        answer_of(400, "<html>"), error_of(400, "ThrottledException"),
        error_of(403, "RequestThrottledException"), error_of(400, "RequestLimitExceeded"),
        error_of(410, "LimitExceededException"), error_of(400, "RequestTimeoutException"),
        error_of(400, "TransactionInProgressException")}) {
    const auto status = std::get<HttpResponse>(away).status;
    const auto name = std::get<HttpResponse>(away).error_type;
    EngineDriver driver;
    driver.send_update("T", "t");
    const auto began = driver.now.monotonic;
    while (driver.now.monotonic < began + 10min) driver.answer(driver.wait_for_call().id, away);
    EXPECT_TRUE(driver.take_publications().empty()) << status << name;
    EXPECT_EQ(driver.engine.counts().held, 1U) << status << name;
    for (int calls = 0; driver.effects.publications.empty(); ++calls) {
      ASSERT_LT(calls, 5) << status << name;
      const auto call = driver.wait_for_call();
      driver.answer(call.id, call.request.method == "GET"
                                 ? answer_of(200, R"({"execution":{"status":"IN_PROGRESS"}})")
                                 : answer_of(200, "{}"));
    }
    EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted")) << status << name;

    for (const auto* below : {"get", "start-next", "j/get"}) {
      EngineDriver other;
      other.send("T", below);
      EXPECT_EQ(other.answer_all_until_a_reply(away), 4) << status << name;
      EXPECT_THAT(other.take_one().payload,
                  testing::AnyOf(HasSubstr("InternalError"), HasSubstr("RequestThrottled")));
    }
  }
}

TEST(EngineRetryTest, ARefusalWithoutAReasonEndsARequestAtOnceAndHoldsAnUpdate) {
  for (const int status : {401, 403}) {
    for (const auto* below : {"get", "start-next", "j/get"}) {
      EngineDriver driver;
      driver.send("T", below);
      EXPECT_EQ(driver.answer_all_until_a_reply(answer_of(status, "{}")), 1) << below;
    }
    EngineDriver driver;
    driver.send_update("T", "t");
    for (int i = 0; i < 10; ++i) driver.answer(driver.wait_for_call().id, answer_of(status, ""));
    EXPECT_TRUE(driver.take_publications().empty()) << status;
    driver.answer(driver.wait_for_call().id);
    EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted")) << status;
  }
}

TEST(EngineRetryTest, RefusedCredentialsEndARequestAtOnceAndHoldAnUpdate) {
  HttpResponse refusal;
  refusal.status = 403;
  refusal.error_type = "ExpiredTokenException";
  for (const auto* below : {"get", "start-next", "j/get"}) {
    EngineDriver driver;
    driver.send("T", below);
    EXPECT_EQ(driver.answer_all_until_a_reply(refusal), 1) << below;
  }
  EngineDriver driver;
  driver.send("T", "j/update", R"({"status":"FAILED"})");
  for (int i = 0; i < 10; ++i) driver.answer(driver.wait_for_call().id, refusal);
  EXPECT_TRUE(driver.take_publications().empty());
  EXPECT_FALSE(driver.engine.counts().endpoint_reachable);
  while (driver.effects.publications.empty()) driver.answer(driver.wait_for_call().id);
  EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted"));
}

TEST(EngineRetryTest, AnEndpointThatFailsIsAskedFourTimesAndItsLastWordPassedOn) {
  EngineDriver driver;
  driver.send("T", "get");
  EXPECT_EQ(driver.answer_all_until_a_reply(answer_of(500, "{}")), 4);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("the endpoint failed: HTTP 500"));
}

TEST(EngineRetryTest, AnEndpointThatCannotBeReachedIsTriedUntilTheDeadline) {
  EngineDriver driver;
  driver.send("T", "start-next");
  const auto asked = driver.now.monotonic;
  EXPECT_GT(driver.answer_all_until_a_reply(unreachable), 4);
  EXPECT_GT(driver.now.monotonic, asked + 5s);
  EXPECT_LE(driver.now.monotonic, asked + 8s);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("the endpoint cannot be reached"));
}

TEST(EngineRetryTest, PausesDifferFromThingToThing) {
  EngineDriver driver;
  for (int i = 0; i < 50; ++i) driver.send("T" + std::to_string(i), "get");
  std::vector<RequestId> calls;
  while (const auto call = driver.next_call()) calls.push_back(call->id);
  for (const auto id : calls) driver.answer(id, answer_of(429, "{}"));
  std::set<MonotonicTime> resumed;
  const auto last = driver.now.monotonic + 4s;
  while (driver.now.monotonic < last) {
    driver.now.monotonic = driver.engine.next_tick(driver.now.monotonic);
    driver.tick();
    if (driver.next_call()) resumed.insert(driver.now.monotonic);
  }
  EXPECT_GT(resumed.size(), 40U);
}

TEST(EngineRetryTest, TheThingsNextRequestWaitsForTheRetry) {
  EngineDriver driver;
  driver.send("T", "get");
  driver.send("T", "start-next");
  driver.answer(driver.next_call().value().id, timed_out);
  EXPECT_FALSE(driver.next_call());
  driver.advance(1s);
  EXPECT_EQ(driver.next_call().value().request.target, "/things/T/jobs");
  EXPECT_FALSE(driver.next_call());
}

TEST(EngineRetryTest, AnUpdateThatWasNotSentIsSentAgain) {
  EngineDriver driver;
  driver.send("T", "j/update", R"({"status":"SUCCEEDED","expectedVersion":2})");
  driver.answer(driver.next_call().value().id, unreachable);
  driver.advance(1s);
  const auto call = driver.next_call().value();
  EXPECT_EQ(call.request.method, "POST");
  driver.answer(call.id);
  EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted"));
}

TEST(EngineRetryTest, AnUpdateThatMayHaveBeenSentIsDescribedBeforeItIsSentAgain) {
  EngineDriver driver;
  driver.send("T", "j/update", R"({"status":"SUCCEEDED","expectedVersion":2})");
  driver.answer(driver.next_call().value().id, timed_out);
  const auto describe = driver.next_call().value();
  EXPECT_EQ(describe.request.method, "GET");
  driver.answer(describe.id, answer_of(200, R"({"execution":{"jobId":"j","status":"IN_PROGRESS",)"
                                            R"("versionNumber":2}})"));
  driver.advance(1s);
  const auto update = driver.next_call().value();
  EXPECT_EQ(update.request.method, "POST");
  // The first call arrived after all, just now.
  driver.answer(update.id, answer_of(409, R"({"__type":"InvalidStateTransitionException",)"
                                          R"("message":"Expected version 2"})"));
  driver.answer(driver.next_call().value().id,
                answer_of(200, R"({"execution":{"jobId":"j","status":"SUCCEEDED",)"
                               R"("versionNumber":3}})"));
  EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted"));
}

TEST(EngineRetryTest, ADescribeThatFailsIsRepeatedBeforeTheUpdateIs) {
  EngineDriver driver;
  driver.send("T", "j/update", R"({"status":"SUCCEEDED"})");
  driver.answer(driver.next_call().value().id, timed_out);
  for (int i = 0; i < 5; ++i) {
    const auto describe = driver.next_call().value();
    EXPECT_EQ(describe.request.method, "GET");
    driver.answer(describe.id, unreachable);
    driver.advance(20s);
  }
}

TEST(EngineCircuitTest, AnEndpointThatIsDownIsProbedByOneCallAtATime) {
  EngineDriver driver({.queue = 1000});
  for (int i = 0; i < 100; ++i) {
    driver.send("T" + std::to_string(i), "j/update", R"({"status":"FAILED"})");
  }
  for (int i = 0; i < 5; ++i) driver.answer(driver.next_call().value().id, unreachable);
  EXPECT_FALSE(driver.engine.counts().endpoint_reachable);
  ASSERT_EQ(driver.effects.endpoint_changes.size(), 1U);
  EXPECT_EQ(driver.effects.endpoint_changes[0].cause, "the endpoint cannot be reached");
  EXPECT_FALSE(driver.has_call());
  int probes = 0;
  const auto end = driver.now.monotonic + 60s;
  while (driver.now.monotonic < end) {
    if (const auto probe = driver.next_call()) {
      EXPECT_FALSE(driver.next_call()) << "one at a time";
      ++probes;
      driver.answer(probe->id, unreachable);
    }
    driver.now.monotonic = driver.engine.next_tick(driver.now.monotonic);
    driver.tick();
  }
  EXPECT_GE(probes, 12);
  EXPECT_LE(probes, 50);
}

TEST(EngineCircuitTest, ASecondOutageIsProbedAsSoonAsTheFirst) {
  EngineDriver driver({.queue = 1000});
  for (int i = 0; i < 100; ++i) {
    driver.send("T" + std::to_string(i), "j/update", R"({"status":"FAILED"})");
  }
  const auto first_probe_after_an_outage_begins = [&] {
    for (int i = 0; i < 5; ++i) driver.answer(driver.wait_for_call().id, unreachable);
    EXPECT_FALSE(driver.engine.counts().endpoint_reachable);
    const auto began = driver.now.monotonic;
    driver.answer(driver.wait_for_call().id, unreachable);
    return driver.now.monotonic - began;
  };
  EXPECT_LE(first_probe_after_an_outage_begins(), 500ms);
  for (int i = 0; i < 10; ++i) driver.answer(driver.wait_for_call().id, unreachable);
  for (int i = 0; i < 10; ++i) driver.answer(driver.wait_for_call().id);
  EXPECT_TRUE(driver.engine.counts().endpoint_reachable);
  driver.advance(2s);
  EXPECT_LE(first_probe_after_an_outage_begins(), 500ms);
}

TEST(EngineCircuitTest, AfterAnOutageTheCallsInFlightGrowWithEachSuccess) {
  EngineDriver driver({.queue = 1000});
  for (int i = 0; i < 200; ++i) {
    driver.send("T" + std::to_string(i), "j/update", R"({"status":"FAILED"})");
  }
  for (int i = 0; i < 5; ++i) driver.answer(driver.next_call().value().id, unreachable);
  driver.advance(10s);
  driver.tick();
  driver.effects.clear();
  std::vector<std::size_t> rounds;
  for (int round = 0; round < 5; ++round) {
    std::vector<RequestId> calls;
    while (const auto call = driver.next_call()) calls.push_back(call->id);
    rounds.push_back(calls.size());
    for (const auto id : calls) driver.answer(id);
  }
  EXPECT_EQ(rounds, (std::vector<std::size_t>{1, 2, 4, 8, 16}));
  ASSERT_EQ(driver.effects.endpoint_changes.size(), 1U);
  EXPECT_TRUE(driver.effects.endpoint_changes[0].reachable);
  EXPECT_GE(driver.effects.endpoint_changes[0].outage, 9s);
  EXPECT_EQ(driver.effects.endpoint_changes[0].held, 200U);
}

TEST(EngineCircuitTest, ACallThatWaitsForTheQuotaIsDueAlthoughAFailingThingsCallHangs) {
  EngineDriver driver({.failing_alone_calls_in_flight = 1});
  driver.send("broken", "start-next");
  driver.answer(driver.next_call().value().id, answer_of(500, ""));
  driver.send("lamp", "start-next");
  driver.answer(driver.next_call().value().id);
  // Its next try, which is in flight from here on.
  EXPECT_THAT(driver.wait_for_call().request.target, HasSubstr("broken"));
  driver.engine.change_limits(driver.now, {.writes_per_second = 1});
  driver.send("lamp", "start-next");
  ASSERT_FALSE(driver.next_call()) << "a new limit gives no burst";
  driver.now.monotonic += 1100ms;
  ASSERT_TRUE(driver.has_call());
  EXPECT_THAT(driver.next_call().value().request.target, HasSubstr("lamp"));
}

TEST(EngineCircuitTest, AProbeIsForAThingThatFailedAloneBeforeOnlyIfNoOtherWaits) {
  EngineDriver driver;
  const auto ask_in_vain = [&](const std::string& thing) {
    driver.send_update(thing, "t", "IN_PROGRESS");
    driver.answer(driver.wait_for_call().id, unreachable);
  };
  ask_in_vain("broken");
  driver.send("lamp", "get");
  driver.answer(driver.next_call().value().id);
  driver.advance(2s);
  ask_in_vain("lamp");
  while (driver.engine.counts().endpoint_reachable) {
    driver.answer(driver.wait_for_call().id, unreachable);
  }
  for (int i = 0; i < 12; ++i) {
    const auto probe = driver.wait_for_call();
    EXPECT_THAT(probe.request.target, HasSubstr("lamp"));
    driver.answer(probe.id, unreachable);
  }
}

/// One call at a time for things that fail alone, which are polled too. `lamp` is well.
class OneCallForTheFailingTest : public testing::Test {
 protected:
  void serve_lamp() {
    driver_.send("lamp", "get");
    while (true) {
      const auto call = driver_.next_call().value();
      const bool is_lamps = call.request.target.find("lamp") != std::string::npos;
      driver_.answer(call.id, is_lamps ? answer_of(200, "{}") : answer_of(500, ""));
      if (is_lamps && !call.poll) return;
    }
  }
  Call wait_for_poll() {
    while (true) {
      auto call = driver_.wait_for_call();
      if (call.poll && call.request.target.find("broken") != std::string::npos) return call;
      driver_.answer(call.id);
    }
  }
  /// Its poll fails, and its next one hangs.
  Call let_broken_hang() {
    driver_.engine.always_watch(driver_.now, *ThingName::parse("broken"));
    driver_.answer(wait_for_poll().id, answer_of(500, ""));
    serve_lamp();
    return wait_for_poll();
  }

  EngineDriver driver_{
      {.failing_alone_calls_in_flight = 1, .notifier = {.enabled = true, .interval = 1s}}};
};

TEST_F(OneCallForTheFailingTest, APollThatIsTriedAgainIsThatCall) {
  const auto poll = let_broken_hang();
  driver_.send("broken", "get");
  EXPECT_FALSE(driver_.next_call());
  driver_.answer(poll.id, answer_of(500, ""));
  EXPECT_THAT(driver_.next_call().value().request.target, HasSubstr("broken"));
}

TEST_F(OneCallForTheFailingTest, AnUpdateWhoseThingBeganToFailDuringItsCallIsDescribedByThatCall) {
  driver_.send_update("broken", "t");
  const auto update = driver_.next_call().value();
  const auto poll = let_broken_hang();
  driver_.answer(update.id, timed_out);
  EXPECT_FALSE(driver_.next_call());
  driver_.answer(poll.id, answer_of(500, ""));
  const auto describe = driver_.next_call().value();
  EXPECT_FALSE(describe.poll);
  EXPECT_EQ(describe.request.method, "GET");
}

TEST(EngineCircuitTest, ADeviceThatWaitsInVainHearsThatTheEndpointIsDown) {
  EngineDriver driver;
  for (int i = 0; i < 5; ++i)
    driver.send("T" + std::to_string(i), "j/update", R"({"status":"FAILED"})");
  for (int i = 0; i < 5; ++i) driver.answer(driver.next_call().value().id, timed_out);
  driver.send("U", "start-next");
  driver.advance(8s);
  driver.tick();
  const auto reply = driver.take_one();
  EXPECT_THAT(reply.payload, HasSubstr("InternalError"));
  EXPECT_THAT(reply.payload, HasSubstr("the endpoint did not answer in time"));
}

TEST(EngineQuotaTest, NoSecondHasMoreCallsThanTheQuotaAndABurst) {
  EngineDriver driver({.queue = 10000, .reads_per_second = 200, .writes_per_second = 50});
  for (int i = 0; i < 3000; ++i) {
    driver.send("T" + std::to_string(i), i % 2 == 0 ? "get" : "start-next");
  }
  std::vector<MonotonicTime> reads;
  std::vector<MonotonicTime> writes;
  const auto start = driver.now.monotonic;
  while (driver.now.monotonic < start + 5s) {
    while (const auto call = driver.next_call()) {
      (call->request.method == "GET" ? reads : writes).push_back(driver.now.monotonic);
      driver.answer(call->id);
    }
    EXPECT_FALSE(driver.has_call());
    driver.now.monotonic = driver.engine.next_tick(driver.now.monotonic);
    driver.tick();
  }
  EXPECT_GE(reads.size(), 1000U);
  EXPECT_LE(reads.size(), 1011U);
  EXPECT_GE(writes.size(), 250U);
  EXPECT_LE(writes.size(), 253U);
  for (std::size_t i = 210; i < reads.size(); ++i) EXPECT_GE(reads[i] - reads[i - 210], 1s);
  for (std::size_t i = 53; i < writes.size(); ++i) EXPECT_GE(writes[i] - writes[i - 53], 1s);
}

TEST(EngineQuotaTest, ANewLimitGivesNoSecondBurst) {
  EngineDriver driver({.queue = 1000, .reads_per_second = 200});
  for (int i = 0; i < 100; ++i) driver.send("T" + std::to_string(i), "get");
  int calls = 0;
  for (double limit : {200, 201, 202, 203}) {
    driver.engine.change_limits(driver.now, {.queue = 1000, .reads_per_second = limit});
    while (driver.next_call()) ++calls;
  }
  EXPECT_EQ(calls, 10);
}

TEST(EngineQuotaTest, RetryAfterIsHonoured) {
  EngineDriver driver;
  driver.send("T", "get");
  HttpResponse throttled;
  throttled.status = 429;
  throttled.body = "{}";
  throttled.retry_after = "3";
  const auto asked = driver.now.monotonic;
  driver.answer(driver.next_call().value().id, throttled);
  ASSERT_EQ(driver.effects.slowed_down.size(), 1U);
  driver.send("U", "start-next");
  EXPECT_TRUE(driver.next_call()) << "another quota";
  driver.send("U", "get");
  driver.send("V", "get");
  driver.advance(3s - Duration(1));
  EXPECT_FALSE(driver.next_call());
  const auto call = driver.wait_for_call();
  EXPECT_EQ(call.request.method, "GET");
  EXPECT_LE(driver.now.monotonic, asked + 5s);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
