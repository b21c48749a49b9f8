#include "bridge/jobs/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobs/fixtures.h"

namespace jobs_bridge {
namespace {

using testing::HasSubstr;
using testing_support::topic_request;

DecodedRequest decode(Operation operation, std::string_view payload) {
  return decode_request(topic_request(operation), payload);
}

Request accepted(Operation operation, std::string_view payload) {
  auto decoded = decode(operation, payload);
  if (const auto* rejection = std::get_if<Rejection>(&decoded.content)) {
    ADD_FAILURE() << payload << " -> " << rejection->message;
    return testing_support::request_of(operation);
  }
  return std::get<Request>(decoded.content);
}

struct Case {
  Operation operation;
  std::string payload;
  ErrorCode code;
  std::string message;  ///< a part of it
};

void expect_rejected(const Case& expected) {
  const auto decoded = decode(expected.operation, expected.payload);
  const auto shown = expected.payload.substr(0, 100);
  const auto* rejection = std::get_if<Rejection>(&decoded.content);
  ASSERT_NE(rejection, nullptr) << shown;
  EXPECT_EQ(to_string(rejection->code), to_string(expected.code)) << shown;
  EXPECT_THAT(rejection->message, HasSubstr(expected.message)) << shown;
}

std::string update(const std::string& members) {
  return R"({"status":"IN_PROGRESS",)" + members + "}";
}

/// A member that is passed on as it came, for the endpoint to judge.
void expect_unconverted(Operation operation, const std::string& name, const std::string& value) {
  const auto request = accepted(operation, "{\"" + name + "\":" + value + "}");
  ASSERT_EQ(request.unconverted.size(), 1U) << name << " " << value;
  EXPECT_EQ(request.unconverted.front().name, name);
  EXPECT_EQ(request.unconverted.front().value, value);
}

TEST(RequestTest, AnEmptyPayloadCountsAsAnEmptyObject) {
  for (const auto operation :
       {Operation::start_next, Operation::get_pending, Operation::describe, Operation::update}) {
    const auto request = accepted(operation, "");
    EXPECT_EQ(request.operation, operation);
    EXPECT_EQ(request.thing.text(), "T");
    EXPECT_FALSE(request.status_details || request.step_timeout_in_minutes ||
                 request.execution_number || request.expected_version || request.status ||
                 request.include_job_document || request.include_job_execution_state);
    EXPECT_TRUE(request.unconverted.empty());
  }
}

TEST(RequestTest, WhatIsNoJsonObjectIsInvalidJson) {
  for (const auto operation : every_operation) {
    for (const auto& payload :
         {std::string("{"), std::string("[]"), std::string("null"), std::string("\"a\""),
          std::string(" "), std::string("{}x"), std::string("{'a':1}"), std::string("{\"a\":1,}"),
          std::string("\xEF\xBB\xBF{}"), std::string("{}\0", 3), std::string("\0", 1),
          std::string("{\"a\":\"\xFF\"}"), std::string("{\"clientToken\":\"\xED\xA0\x80\"}"),
          std::string("{\"a\":\"\0\"}", 9), std::string(128 * 1024, '[')}) {
      expect_rejected(
          {operation, payload, ErrorCode::invalid_json, "payload is not a JSON object"});
    }
  }
}

TEST(RequestTest, InvalidJsonSaysWhere) {
  expect_rejected({Operation::get_pending, R"({"a":nul})", ErrorCode::invalid_json, "at byte 5"});
}

TEST(RequestTest, DeepNestingInAnIgnoredMemberIsTaken) {
  const std::string nested(64 * 1024, '[');
  accepted(Operation::start_next, "{\"x\":" + nested + std::string(64 * 1024, ']') + "}");
}

TEST(RequestTest, UnknownMembersAreIgnored) {
  const auto request = accepted(
      Operation::start_next,
      R"({"thingName":"other","jobId":"j","status":5,"executionNumber":"x","includeJobDocument":1,"":{}})");
  EXPECT_EQ(request.thing.text(), "T");
  EXPECT_FALSE(request.job);
  EXPECT_FALSE(request.status);
  EXPECT_FALSE(request.execution_number);
  accepted(Operation::get_pending, R"({"statusDetails":1,"stepTimeoutInMinutes":"x","status":{}})");
  const auto describe =
      accepted(Operation::describe, R"({"statusDetails":1,"status":2,"jobId":"k"})");
  EXPECT_EQ(describe.job->text(), "job-1");
}

TEST(RequestTest, NullCountsAsAbsent) {
  const auto request =
      accepted(Operation::update,
               update(R"("statusDetails":null,"expectedVersion":null,"executionNumber":null,)"
                      R"("includeJobDocument":null,"includeJobExecutionState":null,)"
                      R"("stepTimeoutInMinutes":null,"clientToken":null)"));
  EXPECT_TRUE(request.unconverted.empty());
  EXPECT_FALSE(request.status_details || request.expected_version || request.execution_number ||
               request.include_job_document || request.include_job_execution_state ||
               request.step_timeout_in_minutes);
  EXPECT_FALSE(accepted(Operation::update, R"({"status":null})").status);
}

TEST(RequestTest, AllMembersOfAnUpdateAreRead) {
  const auto request = accepted(
      Operation::update,
      R"({"status":"SUCCEEDED","statusDetails":{"a" : "b"},"expectedVersion":2,"executionNumber":3,)"
      R"("includeJobExecutionState":true,"includeJobDocument":false,"stepTimeoutInMinutes":4})");
  EXPECT_EQ(request.job->text(), "job-1");
  EXPECT_EQ(request.status, "SUCCEEDED");
  EXPECT_EQ(request.status_details, R"({"a" : "b"})");
  EXPECT_EQ(request.expected_version, 2);
  EXPECT_EQ(request.execution_number, 3);
  EXPECT_EQ(request.include_job_execution_state, true);
  EXPECT_EQ(request.include_job_document, false);
  EXPECT_EQ(request.step_timeout_in_minutes, 4);
}

TEST(RequestTest, AllMembersOfStartNextAndDescribeAreRead) {
  const auto start = accepted(Operation::start_next,
                              R"({"statusDetails":{"a":"b"},"stepTimeoutInMinutes":10080})");
  EXPECT_EQ(start.status_details, R"({"a":"b"})");
  EXPECT_EQ(start.step_timeout_in_minutes, 10080);
  const auto describe =
      accepted(Operation::describe, R"({"executionNumber":7,"includeJobDocument":false})");
  EXPECT_EQ(describe.execution_number, 7);
  EXPECT_EQ(describe.include_job_document, false);
}

/// AWS IoT Device SDK for Python 1 sends executionNumber so with every update, that for C++ 1 the
/// flags too; AWS's embedded C code and its documentation have expectedVersion so.
TEST(RequestTest, NumbersAndFlagsThatAreWrittenAsStringsAreNumbersAndFlags) {
  const auto request = accepted(Operation::update,
                                R"({"status":"FAILED","expectedVersion":"2","executionNumber":"3",)"
                                R"("includeJobExecutionState":"true","includeJobDocument":"false",)"
                                R"("stepTimeoutInMinutes":"-1"})");
  EXPECT_EQ(request.expected_version, 2);
  EXPECT_EQ(request.execution_number, 3);
  EXPECT_EQ(request.include_job_execution_state, true);
  EXPECT_EQ(request.include_job_document, false);
  EXPECT_EQ(request.step_timeout_in_minutes, -1);
  EXPECT_TRUE(request.unconverted.empty());
  EXPECT_EQ(accepted(Operation::start_next, R"({"stepTimeoutInMinutes":"\u0035"})")
                .step_timeout_in_minutes,
            5);
  const auto describe =
      accepted(Operation::describe, R"({"executionNumber":"7","includeJobDocument":"true"})");
  EXPECT_EQ(describe.execution_number, 7);
  EXPECT_EQ(describe.include_job_document, true);
}

TEST(RequestTest, HoweverAValueIsWrittenTheRequestIsTheSame) {
  EXPECT_EQ(accepted(Operation::update, update(R"("expectedVersion":"2","includeJobDocument":true,)"
                                               R"("statusDetails":{"up":12.5,"ok":true})")),
            accepted(Operation::update, update(R"("expectedVersion":2,"includeJobDocument":"true",)"
                                               R"("statusDetails":{"up":"12.5","ok":"true"})")));
}

TEST(RequestTest, WhatANumberMayBeIsTheEndpointsToJudge) {
  for (const auto operation : {Operation::start_next, Operation::update}) {
    for (const std::int64_t minutes : {0, -2, 1, 10080, 10081}) {
      EXPECT_EQ(accepted(operation, R"({"stepTimeoutInMinutes":)" + std::to_string(minutes) + "}")
                    .step_timeout_in_minutes,
                minutes);
    }
  }
  const auto version = [](std::string_view value) {
    return accepted(Operation::update, update(R"("expectedVersion":)" + std::string(value)))
        .expected_version;
  };
  EXPECT_EQ(version("0"), 0);
  EXPECT_EQ(version("-1"), -1);
  EXPECT_EQ(version("9223372036854775807"), 9223372036854775807);
  EXPECT_EQ(version(R"("9223372036854775807")"), 9223372036854775807);
}

TEST(RequestTest, WhatIsNoNumberGoesToTheEndpointAsItCame) {
  for (const auto* value :
       {"1.5", "1e3", "2.0", "true", "[]", "{}", R"("")", R"("two")", R"("2 ")", R"(" 2")",
        R"("+2")", R"("2.0")", R"("\ud800")", "9223372036854775808", R"("9223372036854775808")"}) {
    expect_unconverted(Operation::update, "expectedVersion", value);
    expect_unconverted(Operation::update, "executionNumber", value);
    expect_unconverted(Operation::update, "stepTimeoutInMinutes", value);
    expect_unconverted(Operation::start_next, "stepTimeoutInMinutes", value);
    expect_unconverted(Operation::describe, "executionNumber", value);
  }
}

TEST(RequestTest, WhatIsNoFlagGoesToTheEndpointAsItCame) {
  for (const auto* value : {"1", "0", R"("True")", R"("")", "{}", "[]"}) {
    expect_unconverted(Operation::update, "includeJobDocument", value);
    expect_unconverted(Operation::update, "includeJobExecutionState", value);
    expect_unconverted(Operation::describe, "includeJobDocument", value);
  }
}

TEST(RequestTest, WhatAStatusMayBeIsTheEndpointsToJudge) {
  for (const std::string status : {"IN_PROGRESS", "FAILED", "SUCCEEDED", "REJECTED", "QUEUED",
                                   "SUCCESS", "failed", "", " FAILED"}) {
    EXPECT_EQ(accepted(Operation::update, R"({"status":")" + status + "\"}").status, status);
  }
  EXPECT_EQ(accepted(Operation::update, R"({"status":"FAIL\u0045D"})").status, "FAILED");
  EXPECT_EQ(accepted(Operation::update, R"({"status":5})").status, "5");
  EXPECT_EQ(accepted(Operation::update, R"({"status":true})").status, "true");
  for (const auto* value : {R"({"a":1})", R"(["FAILED"])", R"("\ud800")"}) {
    expect_unconverted(Operation::update, "status", value);
  }
}

TEST(RequestTest, StatusDetailsThatAreNoObjectGoToTheEndpointAsTheyCame) {
  for (const auto* value : {"[]", R"("a")", "1", "true", R"([{"a":"b"}])"}) {
    expect_unconverted(Operation::update, "statusDetails", value);
    expect_unconverted(Operation::start_next, "statusDetails", value);
  }
}

TEST(RequestTest, AMemberThatNoUrlCanHoldIsRejected) {
  const auto with = [](std::size_t length) {
    return R"({"clientToken":"t","executionNumber":")" + std::string(length, 'x') + "\"}";
  };
  accepted(Operation::describe, with(254));
  expect_rejected({Operation::describe, with(255), ErrorCode::invalid_request,
                   "executionNumber has 257 bytes; the limit is 256"});
  EXPECT_EQ(decode(Operation::describe, with(255)).client_token, R"("t")");
  accepted(Operation::update, with(255));
}

TEST(RequestTest, OfARepeatedMemberTheLastCounts) {
  EXPECT_EQ(accepted(Operation::update, R"({"status":"QUEUED","status":"FAILED"})").status,
            "FAILED");
  EXPECT_EQ(accepted(Operation::update, R"({"status":"FAILED","stat\u0075s":"SUCCEEDED"})").status,
            "SUCCEEDED");
}

TEST(ClientTokenTest, IsGivenBackAsItWasWritten) {
  const auto token = [](std::string_view payload) {
    return decode(Operation::get_pending, payload).client_token;
  };
  EXPECT_EQ(token(""), "");
  EXPECT_EQ(token("{}"), "");
  EXPECT_EQ(token(R"({"clientToken":null})"), "");
  EXPECT_EQ(token(R"({"clientToken":""})"), R"("")");
  EXPECT_EQ(token(R"({"clientToken":"abc-1"})"), R"("abc-1")");
  EXPECT_EQ(token(R"({"clientToken" : "a\"\\\/\n\u00E9\u00e9" })"), R"("a\"\\\/\n\u00E9\u00e9")");
  EXPECT_EQ(token("{\"clientToken\":\"\xC3\xA9\xF0\x9F\x98\x80\"}"),
            "\"\xC3\xA9\xF0\x9F\x98\x80\"");
  EXPECT_EQ(token(R"({"clientToken":"\ud800"})"), R"("\ud800")");
  EXPECT_EQ(token(R"({"clientToken":"\u0000"})"), R"("\u0000")");
  EXPECT_EQ(token(R"({"\u0063lientToken":"x"})"), R"("x")");
  EXPECT_EQ(token(R"({"clientToken":"first","clientToken":"last"})"), R"("last")");
  EXPECT_EQ(token(R"({"clienttoken":"x","x":{"clientToken":"y"}})"), "");
}

TEST(ClientTokenTest, OfANumberOrABooleanItIsTheText) {
  EXPECT_EQ(decode(Operation::update, R"({"clientToken":1.50})").client_token, R"("1.50")");
  EXPECT_EQ(decode(Operation::get_pending, R"({"clientToken":true})").client_token, R"("true")");
}

TEST(ClientTokenTest, OneWithoutATextIsRejectedSinceTheEndpointNeverSeesIt) {
  for (const auto operation : every_operation) {
    for (const std::string value : {"{}", "[\"a\"]"}) {
      const auto payload = R"({"status":"FAILED","clientToken":)" + value + "}";
      expect_rejected(
          {operation, payload, ErrorCode::invalid_request, "clientToken must be a string"});
      EXPECT_EQ(decode(operation, payload).client_token, "");
    }
  }
}

TEST(ClientTokenTest, MayBeAsLongAsItsPayload) {
  const auto token = "\"" + std::string(100'000, 't') + "\"";
  const auto payload = R"({"clientToken":)" + token + "}";
  accepted(Operation::start_next, payload);
  EXPECT_EQ(decode(Operation::start_next, payload).client_token, token);
}

TEST(ClientTokenTest, RejectedRequestsHaveTheirTokenToo) {
  const auto decoded = decode(Operation::describe, R"({"clientToken":"t","executionNumber":")" +
                                                       std::string(300, 'x') + "\"}");
  EXPECT_TRUE(std::holds_alternative<Rejection>(decoded.content));
  EXPECT_EQ(decoded.client_token, R"("t")");
}

TEST(ClientTokenTest, IsFoundWithoutReadingTheRest) {
  EXPECT_EQ(find_client_token(R"({"clientToken":"a\n","status":1})"), R"("a\n")");
  EXPECT_EQ(find_client_token(R"({"clientToken":5})"), R"("5")");
  EXPECT_EQ(find_client_token(R"({"clientToken":[5]})"), "");
  EXPECT_EQ(find_client_token(R"({"clientToken":"a")"), "");
  EXPECT_EQ(find_client_token(""), "");
}

}  // namespace
}  // namespace jobs_bridge
