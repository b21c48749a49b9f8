#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/unit/flow/engine_driver.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const HttpOutcome lost = HttpFailure{.kind = HttpFailure::Kind::broken, .detail = "reset"};
const HttpOutcome applied =
    answer_of(200, R"({"execution":{"jobId":"j","status":"SUCCEEDED","versionNumber":3}})");

TEST(EngineReconciliationTest, TheReplyToALostUpdateWaitsForTheDescribe) {
  EngineDriver driver;
  driver.send("T", "j/update", R"({"status":"SUCCEEDED","clientToken":"t"})");
  driver.answer(driver.next_call().value().id, lost);
  EXPECT_TRUE(driver.take_publications().empty());
  EXPECT_TRUE(driver.has_call());
  const auto describe = driver.next_call().value();
  EXPECT_EQ(describe.request.method, "GET");
  driver.answer(describe.id, applied);
  const auto reply = driver.take_one();
  EXPECT_TRUE(reply.topic.ends_with("/j/update/accepted"));
  EXPECT_EQ(json::parse(reply.payload), json({{"timestamp", 1700000000}, {"clientToken", "t"}}));
  EXPECT_EQ(driver.engine.counts().in_flight, 0U);
}

TEST(EngineReconciliationTest, TheThingsNextRequestWaitsUntilTheUpdatesFateIsKnown) {
  EngineDriver driver;
  driver.send("T", "j/update", R"({"status":"SUCCEEDED"})");
  driver.send("T", "start-next");
  driver.answer(driver.next_call().value().id, lost);
  const auto describe = driver.next_call().value();
  EXPECT_EQ(describe.request.method, "GET");
  EXPECT_FALSE(driver.next_call());
  driver.answer(describe.id, applied);
  EXPECT_EQ(driver.next_call().value().request.method, "PUT");
}

TEST(EngineReconciliationTest, AVersionMismatchCarriesTheExecutionState) {
  EngineDriver driver;
  driver.send("T", "j/update", R"({"status":"SUCCEEDED","expectedVersion":9})");
  driver.answer(driver.next_call().value().id,
                answer_of(409, R"({"__type":"InvalidStateTransitionException","message":"no"})"));
  driver.answer(driver.next_call().value().id, answer_of(200, R"({"execution":{"jobId":"j",)"
                                                              R"("status":"IN_PROGRESS",)"
                                                              R"("versionNumber":2}})"));
  const auto reply = json::parse(driver.take_one().payload);
  EXPECT_EQ(reply.at("code"), "VersionMismatch");
  EXPECT_EQ(reply.at("executionState"), json({{"status", "IN_PROGRESS"}, {"versionNumber", 2}}));
}

TEST(EngineReconciliationTest, AnUpdateLeavesTimeForItsReconciliation) {
  EngineDriver driver;
  driver.send("T", "j/update", R"({"status":"SUCCEEDED"})");
  const auto update = driver.next_call().value();
  EXPECT_EQ(update.deadline, driver.now.monotonic + 6s);
  driver.advance(6s);
  driver.answer(update.id, lost);
  EXPECT_GT(driver.next_call().value().deadline, driver.now.monotonic + 1900ms);
}

/// An endpoint with one job that is retried, whose clock shows whole seconds.
class RetriedJobTest : public testing::Test {
 protected:
  static constexpr const char* failed = R"({"status":"FAILED"})";

  HttpOutcome dated(const std::string& body) const {
    auto answer = std::get<HttpResponse>(answer_of(200, body));
    const auto now =
        std::chrono::floor<std::chrono::seconds>(driver_.now.monotonic.time_since_epoch());
    answer.date = "Thu, 01 Jan 1970 0" + std::to_string(now / 1h) + ":" + two(now % 1h / 1min) +
                  ":" + two(now % 1min / 1s) + " GMT";
    return answer;
  }
  static std::string two(std::int64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  }
  std::int64_t second() const { return driver_.now.monotonic.time_since_epoch() / 1s; }
  void fail() {
    executions_.back() = R"("status":"FAILED","versionNumber":2,"lastUpdatedAt":)" +
                         std::to_string(second()) + R"(,"executionNumber":)" +
                         std::to_string(executions_.size());
    queue();
  }
  void queue() {
    executions_.push_back(R"("status":"QUEUED","versionNumber":1,"queuedAt":)" +
                          std::to_string(second()) + R"(,"executionNumber":)" +
                          std::to_string(executions_.size() + 1));
  }
  /// Carries out what is asked until a device hears something; the topic of that. Updates that it
  /// carries out are counted.
  std::string play() {
    while (driver_.effects.publications.empty()) {
      const auto call = driver_.wait_for_call();
      if (call.request.method == "POST") {
        ++sent_;
        fail();
        driver_.answer(call.id, dated("{}"));
        continue;
      }
      const auto at = call.request.target.find("executionNumber=");
      const auto number = at == std::string::npos ? executions_.size()
                                                  : std::stoul(call.request.target.substr(at + 16));
      driver_.answer(call.id,
                     dated(R"({"execution":{"jobId":"j",)" + executions_.at(number - 1) + "}}"));
    }
    return driver_.take_one().topic;
  }
  void expect_accepted() { EXPECT_TRUE(play().ends_with("/accepted")); }

  EngineDriver driver_;
  std::vector<std::string> executions_;
  int sent_ = 0;
};

TEST_F(RetriedJobTest, AFailureThatDidNotArriveIsSentAgainRightAfterTheOneBefore) {
  queue();
  driver_.send("T", "j/update", failed);
  expect_accepted();
  driver_.send("T", "j/update", failed);
  driver_.answer(driver_.next_call().value().id, lost);
  expect_accepted();
  EXPECT_EQ(sent_, 2) << "the second has reached the endpoint";
  EXPECT_EQ(executions_.size(), 3U);
}

TEST_F(RetriedJobTest, AFailureThatArrivedIsNotSentAgainRightAfterTheOneBefore) {
  queue();
  driver_.send("T", "j/update", failed);
  expect_accepted();
  driver_.send("T", "j/update", failed);
  const auto call = driver_.next_call().value();
  fail();
  driver_.answer(call.id, lost);
  expect_accepted();
  EXPECT_EQ(sent_, 1);
  EXPECT_EQ(executions_.size(), 3U) << "no execution failed that no device has begun";
}

TEST_F(RetriedJobTest, AnAnswerThatWasLostIsNotSentAgain) {
  queue();
  driver_.send("T", "j/update", failed);
  const auto call = driver_.next_call().value();
  fail();
  driver_.answer(call.id, lost);
  expect_accepted();
  EXPECT_EQ(sent_, 0);
  EXPECT_EQ(executions_.size(), 2U);
}

TEST_F(RetriedJobTest, AFailureOfOthersBeforeTheUpdateIsNotThisOnes) {
  queue();
  fail();
  driver_.advance(3s);
  driver_.send("T", "j/update", failed);
  driver_.answer(driver_.next_call().value().id, lost);
  expect_accepted();
  EXPECT_EQ(sent_, 1);
}

TEST_F(RetriedJobTest, AFailureThatNamesItsExecutionTellsWhichOneTheNextIsFor) {
  queue();
  fail();
  driver_.send("T", "j/update", R"({"status":"FAILED","executionNumber":2})");
  expect_accepted();
  driver_.send("T", "j/update", failed);
  driver_.answer(driver_.next_call().value().id, lost);
  expect_accepted();
  EXPECT_EQ(sent_, 2) << "the first execution failed as lately, and is not this update's";
}

TEST_F(RetriedJobTest, EachFurtherTryKnowsWhichExecutionItIsFor) {
  queue();
  fail();
  driver_.advance(3s);
  driver_.send("T", "j/update", failed);
  driver_.answer(driver_.next_call().value().id, lost);
  const auto describe = driver_.next_call().value();
  driver_.answer(describe.id, dated(R"({"execution":{"jobId":"j",)" + executions_.back() + "}}"));
  const auto again = driver_.wait_for_call();
  ASSERT_EQ(again.request.method, "POST");
  fail();
  driver_.answer(again.id, lost);
  expect_accepted();
  EXPECT_EQ(sent_, 0) << "it was carried out, and the answer lost";
  EXPECT_EQ(executions_.size(), 3U);
}

TEST_F(RetriedJobTest, AfterAKillTheTimeOfReceiptTells) {
  const auto restore = [&](std::int64_t age) {
    JournalEntry entry{.number = 7,
                       .received = driver_.now.unix_seconds - age,
                       .message = {.topic = "$aws/things/T/jobs/j/update", .payload = failed}};
    ASSERT_TRUE(driver_.engine.restore(driver_.now, entry));
  };
  queue();
  fail();
  driver_.advance(60s);
  restore(50);
  expect_accepted();
  EXPECT_EQ(sent_, 1) << "it failed ten seconds before the update came";
}

TEST_F(RetriedJobTest, AfterAKillAFailureSinceTheReceiptIsThisOnes) {
  queue();
  fail();
  driver_.advance(60s);
  JournalEntry entry{.number = 7,
                     .received = driver_.now.unix_seconds - 61,
                     .message = {.topic = "$aws/things/T/jobs/j/update", .payload = failed}};
  ASSERT_TRUE(driver_.engine.restore(driver_.now, entry));
  expect_accepted();
  EXPECT_EQ(sent_, 0);
}

TEST_F(RetriedJobTest, AfterAKillAFailureThatMayBeFromTheSecondOfTheReceiptIsThisOnes) {
  // The time of receipt is kept in whole seconds: 59 may be all but 60.
  queue();
  fail();
  driver_.advance(60s);
  for (const std::int64_t age : {58, 59}) {
    JournalEntry entry{.number = static_cast<std::uint64_t>(age),
                       .received = driver_.now.unix_seconds - age,
                       .message = {.topic = "$aws/things/T/jobs/j/update", .payload = failed}};
    EngineDriver restarted;
    restarted.now = driver_.now;
    ASSERT_TRUE(restarted.engine.restore(restarted.now, entry));
    const auto latest = restarted.next_call().value();
    restarted.answer(latest.id, dated(R"({"execution":{"jobId":"j",)" + executions_.back() + "}}"));
    const auto next = restarted.wait_for_call();
    EXPECT_EQ(next.request.method, age == 59 ? "GET" : "POST")
        << "of what failed, or of what is queued";
  }
}

TEST(EngineExpiryTest, ARequestWhoseMessageExpiredInTheQueueIsNotCarriedOut) {
  EngineDriver driver;
  driver.receive({.topic = "$aws/things/T/jobs/start-next",
                  .payload = R"({"clientToken":"t"})",
                  .expires_after = 2s});
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic), driver.now.monotonic + 2s);
  driver.advance(2s);
  EXPECT_FALSE(driver.next_call());
  const auto reply = json::parse(driver.take_one().payload);
  EXPECT_EQ(reply.at("code"), "RequestThrottled");
  EXPECT_THAT(reply.at("message").get<std::string>(), testing::HasSubstr("expired"));
  EXPECT_EQ(reply.at("clientToken"), "t");
}

TEST(EngineExpiryTest, OnceBegunARequestHasItsWholeDeadline) {
  EngineDriver driver;
  driver.receive({.topic = "$aws/things/T/jobs/start-next", .payload = "{}", .expires_after = 1s});
  const auto call = driver.next_call().value();
  driver.advance(5s);
  driver.tick();
  EXPECT_TRUE(driver.take_publications().empty());
  driver.answer(call.id);
  EXPECT_TRUE(driver.take_one().topic.ends_with("/accepted"));
}

TEST(EngineExpiryTest, AnExpiryBeyondTheDeadlineChangesNothing) {
  EngineDriver driver;
  driver.receive(
      {.topic = "$aws/things/T/jobs/start-next", .payload = "{}", .expires_after = 100h});
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic), driver.now.monotonic + 7500ms);
}

TEST(EngineExpiryTest, AnUpdateWhoseMessageExpiresWithItsDeadlineIsHeldAsAnyOther) {
  EngineDriver driver({.deadline = 8s});
  driver.receive({.topic = "$aws/things/T/jobs/j/update",
                  .payload = R"({"status":"SUCCEEDED"})",
                  .expires_after = 8s});
  driver.advance(8s);
  driver.tick();
  EXPECT_TRUE(driver.take_publications().empty());
  EXPECT_EQ(driver.engine.counts().held, 1U);
}

json from_cbor(const std::string& payload) {
  return json::from_cbor(payload);
}
std::string to_cbor(const json& value) {
  const auto bytes = json::to_cbor(value);
  return {bytes.begin(), bytes.end()};
}

TEST(EngineCborTest, ACborRequestGetsACborReply) {
  EngineDriver driver;
  driver.receive({.topic = "$aws/things/T/jobs/j/update",
                  .payload = to_cbor({{"status", "SUCCEEDED"}, {"clientToken", "t"}}),
                  .content_type = "Application/CBOR; x=y"});
  const auto call = driver.next_call().value();
  EXPECT_EQ(call.request.body, R"({"status":"SUCCEEDED"})") << "the endpoint speaks JSON";
  driver.answer(call.id);
  const auto reply = driver.take_one();
  EXPECT_EQ(reply.content_type, "application/cbor");
  EXPECT_EQ(from_cbor(reply.payload), json({{"timestamp", 1700000000}, {"clientToken", "t"}}));
}

TEST(EngineCborTest, WhatIsNotCborIsInvalidJsonInCbor) {
  EngineDriver driver;
  for (const std::string payload : {"{}", "\xff", "\xa1\x61", "\x01"}) {
    driver.receive({.topic = "$aws/things/T/jobs/start-next",
                    .payload = payload,
                    .content_type = "application/cbor"});
    const auto reply = driver.take_one();
    EXPECT_EQ(reply.content_type, "application/cbor");
    EXPECT_EQ(from_cbor(reply.payload).at("code"), "InvalidJson");
  }
}

TEST(EngineCborTest, AnAnswerWithoutACborFormIsAnInternalErrorInCbor) {
  EngineDriver driver;
  driver.receive({.topic = "$aws/things/T/jobs/start-next",
                  .payload = {},
                  .content_type = "application/cbor"});
  driver.answer(driver.next_call().value().id,
                answer_of(200, R"({"execution":{"jobId":"j","jobDocument":"{\"a\":1e999}"}})"));
  const auto reply = driver.take_one();
  EXPECT_TRUE(reply.topic.ends_with("/rejected"));
  EXPECT_EQ(from_cbor(reply.payload).at("code"), "InternalError");
}

TEST(EngineCborTest, AnyOtherContentTypeIsJson) {
  EngineDriver driver;
  for (const auto& [given, replied] :
       {std::pair("", ""), std::pair("text/plain", "application/json"),
        std::pair("application/json", "application/json")}) {
    driver.receive(
        {.topic = "$aws/things/T/jobs/start-next", .payload = "{}", .content_type = given});
    driver.answer(driver.next_call().value().id);
    EXPECT_EQ(driver.take_one().content_type, replied);
  }
}

TEST(EngineReplyTest, APayloadThatIsTooLongIsRejectedWithItsToken) {
  EngineDriver driver({.max_payload = 64});
  driver.send("T", "get", R"({"clientToken":"t","x":")" + std::string(64, 'x') + "\"}");
  EXPECT_EQ(json::parse(driver.take_one().payload).at("clientToken"), "t");
}

}  // namespace
}  // namespace jobs_bridge::testing_support
