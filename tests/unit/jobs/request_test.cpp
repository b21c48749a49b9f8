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

TEST(RequestTest, AnEmptyPayloadCountsAsAnEmptyObject) {
  for (const auto operation :
       {Operation::start_next, Operation::get_pending, Operation::describe}) {
    const auto request = accepted(operation, "");
    EXPECT_EQ(request.operation, operation);
    EXPECT_EQ(request.thing.text(), "T");
    EXPECT_FALSE(request.status_details || request.step_timeout_in_minutes ||
                 request.execution_number || request.expected_version || request.status ||
                 request.include_job_document || request.include_job_execution_state);
  }
  expect_rejected({Operation::update, "", ErrorCode::invalid_request, "status is required"});
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
  EXPECT_FALSE(request.status_details || request.expected_version || request.execution_number ||
               request.include_job_document || request.include_job_execution_state ||
               request.step_timeout_in_minutes);
  expect_rejected(
      {Operation::update, R"({"status":null})", ErrorCode::invalid_request, "status is required"});
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

TEST(RequestTest, TheFourStatusesOfADeviceAreTakenAndNoOther) {
  for (const std::string status : {"IN_PROGRESS", "FAILED", "SUCCEEDED", "REJECTED"}) {
    EXPECT_EQ(accepted(Operation::update, R"({"status":")" + status + "\"}").status, status);
  }
  EXPECT_EQ(accepted(Operation::update, R"({"status":"FAIL\u0045D"})").status, "FAILED");
  for (const auto* status : {R"("QUEUED")", R"("TIMED_OUT")", R"("REMOVED")", R"("CANCELED")",
                             R"("SUCCESS")", R"("failed")", R"("")", R"(" FAILED")", "1", "true",
                             R"({"a":1})", R"(["FAILED"])", R"("\ud800")", R"("FAILED\u0000")"}) {
    expect_rejected({Operation::update, std::string(R"({"status":)") + status + "}",
                     ErrorCode::invalid_request,
                     "status must be IN_PROGRESS, FAILED, SUCCEEDED or REJECTED"});
  }
}

TEST(RequestTest, StepTimeoutIs1To10080) {
  for (const auto operation : {Operation::start_next, Operation::update}) {
    const auto with = [](std::string_view value) {
      return R"({"status":"FAILED","stepTimeoutInMinutes":)" + std::string(value) + "}";
    };
    EXPECT_EQ(accepted(operation, with("1")).step_timeout_in_minutes, 1);
    EXPECT_EQ(accepted(operation, with("10080")).step_timeout_in_minutes, 10080);
    for (const auto* value : {"0", "10081", "-2", "1.5", "1e3", "\"5\"", "true", "[]",
                              "99999999999999999999", "-99999999999999999999"}) {
      expect_rejected({operation, with(value), ErrorCode::invalid_request,
                       "stepTimeoutInMinutes must be an integer from 1 to 10080"});
    }
  }
}

TEST(RequestTest, OnlyAnUpdateCancelsTheStepTimer) {
  EXPECT_EQ(
      accepted(Operation::update, update(R"("stepTimeoutInMinutes":-1)")).step_timeout_in_minutes,
      -1);
  expect_rejected({Operation::start_next, R"({"stepTimeoutInMinutes":-1})",
                   ErrorCode::invalid_request, "from 1 to 10080"});
  expect_rejected(
      {Operation::update, update(R"("stepTimeoutInMinutes":0)"), ErrorCode::invalid_request, "-1"});
}

TEST(RequestTest, ExpectedVersionMayBeANumberOrAString) {
  const auto version = [](std::string_view value) {
    return accepted(Operation::update, update(R"("expectedVersion":)" + std::string(value)))
        .expected_version;
  };
  EXPECT_EQ(version("0"), 0);
  EXPECT_EQ(version("2"), 2);
  EXPECT_EQ(version(R"("2")"), 2);
  EXPECT_EQ(version("9223372036854775807"), 9223372036854775807);
  EXPECT_EQ(version(R"("9223372036854775807")"), 9223372036854775807);
  for (const auto* value :
       {"-1", R"("-1")", R"("")", R"("two")", R"("2 ")", R"(" 2")", R"("+2")", R"("2.0")", "2.5",
        "true", "{}", "9223372036854775808", R"("9223372036854775808")"}) {
    expect_rejected({Operation::update, update(R"("expectedVersion":)" + std::string(value)),
                     ErrorCode::invalid_request,
                     "expectedVersion must be an integer from 0 to 9223372036854775807"});
  }
}

TEST(RequestTest, ExecutionNumberIsAnInteger) {
  for (const auto operation : {Operation::describe, Operation::update}) {
    const auto with = [](std::string_view value) {
      return R"({"status":"FAILED","executionNumber":)" + std::string(value) + "}";
    };
    EXPECT_EQ(accepted(operation, with("1")).execution_number, 1);
    EXPECT_EQ(accepted(operation, with("9223372036854775807")).execution_number,
              9223372036854775807);
    for (const auto* value : {"-1", "1.5", "\"1\"", "9223372036854775808", "true", "[]"}) {
      expect_rejected({operation, with(value), ErrorCode::invalid_request,
                       "executionNumber must be an integer from 0 to 9223372036854775807"});
    }
  }
}

TEST(RequestTest, FlagsAreTrueOrFalse) {
  for (const std::string flag : {"includeJobDocument", "includeJobExecutionState"}) {
    for (const std::string value : {"1", "0", "\"true\"", "\"\"", "{}", "[]"}) {
      expect_rejected({Operation::update, update("\"" + flag + "\":" + value),
                       ErrorCode::invalid_request, flag + " must be true or false"});
    }
  }
  expect_rejected({Operation::describe, R"({"includeJobDocument":"false"})",
                   ErrorCode::invalid_request, "includeJobDocument must be true or false"});
}

TEST(RequestTest, StatusDetailsAreCheckedWhereTheyCount) {
  for (const auto operation : {Operation::start_next, Operation::update}) {
    expect_rejected({operation, R"({"status":"FAILED","statusDetails":{"a":1}})",
                     ErrorCode::invalid_request, "statusDetails.a must be a string"});
  }
}

TEST(RequestTest, OfARepeatedMemberTheLastCounts) {
  EXPECT_EQ(accepted(Operation::update, R"({"status":"QUEUED","status":"FAILED"})").status,
            "FAILED");
  EXPECT_EQ(accepted(Operation::update, R"({"status":"FAILED","stat\u0075s":"SUCCEEDED"})").status,
            "SUCCEEDED");
  expect_rejected({Operation::update, R"({"status":"FAILED","status":"QUEUED"})",
                   ErrorCode::invalid_request, "status must be"});
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

TEST(ClientTokenTest, MustBeAString) {
  for (const auto operation : every_operation) {
    for (const std::string value : {"1", "true", "{}", "[\"a\"]"}) {
      const auto payload = R"({"status":"FAILED","clientToken":)" + value + "}";
      expect_rejected(
          {operation, payload, ErrorCode::invalid_request, "clientToken must be a string"});
      EXPECT_EQ(decode(operation, payload).client_token, "");
    }
  }
}

TEST(ClientTokenTest, MayHave256BytesHoweverTheyAreWritten) {
  const auto with = [](const std::string& token) { return R"({"clientToken":")" + token + "\"}"; };
  std::string e_acute;
  std::string escaped;
  for (int i = 0; i < 128; ++i) {
    e_acute += "\xC3\xA9";
    escaped += "\\u00e9";
  }
  for (const auto& longest : {std::string(256, 't'), e_acute, escaped}) {
    accepted(Operation::get_pending, with(longest));
    expect_rejected({Operation::get_pending, with(longest + "t"), ErrorCode::invalid_request,
                     "clientToken has 257 bytes; the limit is 256"});
  }
}

TEST(ClientTokenTest, OneThatIsTooLongStillTellsItsDeviceWhoIsMeant) {
  const auto token = "\"" + std::string(257, 't') + "\"";
  EXPECT_EQ(decode(Operation::start_next, R"({"clientToken":)" + token + "}").client_token, token);
}

TEST(ClientTokenTest, RejectedRequestsHaveTheirTokenToo) {
  EXPECT_EQ(decode(Operation::update, R"({"status":"x","clientToken":"t"})").client_token,
            R"("t")");
}

TEST(ClientTokenTest, IsFoundWithoutReadingTheRest) {
  EXPECT_EQ(find_client_token(R"({"clientToken":"a\n","status":1})"), R"("a\n")");
  EXPECT_EQ(find_client_token(R"({"clientToken":5})"), "");
  EXPECT_EQ(find_client_token(R"({"clientToken":"a")"), "");
  EXPECT_EQ(find_client_token(""), "");
}

}  // namespace
}  // namespace jobs_bridge
