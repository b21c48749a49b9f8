#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
