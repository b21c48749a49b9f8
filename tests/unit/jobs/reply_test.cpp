#include "bridge/jobs/reply.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bridge/jobs/answer.h"
#include "bridge/jobs/json_text.h"
#include "tests/unit/jobs/fixtures.h"

namespace jobs_bridge {
namespace {

using nlohmann::json;

TEST(AcceptedPayloadTest, HoldsTokenTimestampAndMembersInThatOrder) {
  EXPECT_EQ(accepted_payload(R"("execution":{"jobId":"j"})", R"("t-1")", 1700000000),
            R"({"clientToken":"t-1","timestamp":1700000000,"execution":{"jobId":"j"}})");
}

/// As a FreeRTOS device printed it (OTA demo, describe of $next), but for the names and the
/// document.
TEST(AcceptedPayloadTest, AReplyIsByteForByteWhatAwsSendsForTheSameExecution) {
  const auto answer = testing_support::answer_to(
      testing_support::request_of(Operation::describe, {}, "T", "$next"),
      testing_support::response(
          200, R"({"execution":{"jobId":"OTA_19","thingName":"T","status":"QUEUED",)"
               R"("queuedAt":1739165736,"lastUpdatedAt":1739165736,"versionNumber":1,)"
               R"("executionNumber":1,"jobDocument":"{\"afr_ota\":{\"fileid\":0}}"}})"));
  EXPECT_EQ(accepted_payload(std::get<Accepted>(answer).members, R"("1:T")", 1739165753),
            R"({"clientToken":"1:T","timestamp":1739165753,"execution":{"jobId":"OTA_19",)"
            R"("status":"QUEUED","queuedAt":1739165736,"lastUpdatedAt":1739165736,)"
            R"("versionNumber":1,"executionNumber":1,"jobDocument":{"afr_ota":{"fileid":0}}}})");
}

TEST(AcceptedPayloadTest, WithoutMembersOrTokenOnlyTheTimestampIsLeft) {
  EXPECT_EQ(accepted_payload("", "", 1700000000), R"({"timestamp":1700000000})");
  EXPECT_EQ(accepted_payload("", R"("")", 5), R"({"clientToken":"","timestamp":5})");
  EXPECT_EQ(accepted_payload(R"("a":1)", "", 5), R"({"timestamp":5,"a":1})");
}

TEST(AcceptedPayloadTest, MembersAndTokenAreCopiedByteForByte) {
  const std::string members =
      R"("jobDocument":{"n":123456789012345678901234567890.10, "z":1,"a":"\u00e9"})";
  const std::string token = R"("\u0041\/\ud800")";
  const auto payload = accepted_payload(members, token, 1);
  EXPECT_NE(payload.find(members), std::string::npos);
  EXPECT_NE(payload.find("\"clientToken\":" + token + ","), std::string::npos);
  EXPECT_TRUE(json_text::members_of(payload));
}

TEST(RejectedPayloadTest, IsAnErrorResponse) {
  const auto payload =
      rejected_payload({ErrorCode::invalid_request, "status is required"}, R"("t")", 1700000000);
  EXPECT_EQ(payload, R"({"code":"InvalidRequest","message":"status is required",)"
                     R"("clientToken":"t","timestamp":1700000000})");
}

TEST(RejectedPayloadTest, TokenAndStateAreLeftOutWhenThereAreNone) {
  const auto parsed = json::parse(rejected_payload({ErrorCode::internal_error, "m"}, "", 7));
  EXPECT_EQ(parsed, json({{"code", "InternalError"}, {"message", "m"}, {"timestamp", 7}}));
}

TEST(RejectedPayloadTest, ExecutionStateIsSplicedIn) {
  const auto parsed = json::parse(rejected_payload(
      {ErrorCode::version_mismatch, "m", "", R"({"status":"QUEUED","versionNumber":1})"}, R"("t")",
      7));
  EXPECT_EQ(parsed["executionState"], json({{"status", "QUEUED"}, {"versionNumber", 1}}));
  EXPECT_EQ(parsed["clientToken"], "t");
  EXPECT_EQ(parsed["timestamp"], 7);
}

TEST(RejectedPayloadTest, NoMessageBreaksTheJson) {
  for (const auto& message :
       {std::string("\"},\"code\":\"x"), std::string("a\nb\\\x01"), std::string("\xFF\xC3"),
        std::string("\0", 1), std::string("\xF0\x9F\x98\x80")}) {
    const auto payload = rejected_payload({ErrorCode::internal_error, message}, R"("t")", 7);
    const auto parsed = json::parse(payload);
    EXPECT_EQ(parsed.size(), 4U);
    EXPECT_EQ(parsed["code"], "InternalError");
  }
}

TEST(RejectedPayloadTest, TheDetailForTheOperatorStaysHere) {
  const auto payload =
      rejected_payload({ErrorCode::internal_error, "m", "arn:aws:iam::123456789012:role/x"}, "", 7);
  EXPECT_EQ(payload.find("arn:"), std::string::npos);
}

TEST(ErrorCodeTest, TheNineCodesHaveTheirDocumentedNames) {
  EXPECT_EQ(to_string(ErrorCode::invalid_topic), "InvalidTopic");
  EXPECT_EQ(to_string(ErrorCode::invalid_json), "InvalidJson");
  EXPECT_EQ(to_string(ErrorCode::invalid_request), "InvalidRequest");
  EXPECT_EQ(to_string(ErrorCode::invalid_state_transition), "InvalidStateTransition");
  EXPECT_EQ(to_string(ErrorCode::resource_not_found), "ResourceNotFound");
  EXPECT_EQ(to_string(ErrorCode::version_mismatch), "VersionMismatch");
  EXPECT_EQ(to_string(ErrorCode::internal_error), "InternalError");
  EXPECT_EQ(to_string(ErrorCode::request_throttled), "RequestThrottled");
  EXPECT_EQ(to_string(ErrorCode::terminal_state_reached), "TerminalStateReached");
}

}  // namespace
}  // namespace jobs_bridge
