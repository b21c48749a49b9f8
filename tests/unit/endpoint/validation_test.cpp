// What the data plane refuses, and in which words.

#include <gtest/gtest.h>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint {
namespace {

using testing::Answer;
using testing::Driver;

void expect_invalid(const Answer& answer, const std::string& member, const std::string& request) {
  EXPECT_EQ(answer.status, 400) << request;
  EXPECT_EQ(answer.error_type, "InvalidRequestException") << request;
  EXPECT_NE(answer.text.find("at '" + member + "'"), std::string::npos) << request << answer.text;
}

TEST(EndpointValidationTest, BodyThatIsNoJsonObjectIsASerializationError) {
  Driver driver;
  for (const char* body :
       {"{", "nonsense", "[]", "1", "null", "{\"a\":\"\xFF\"}", R"({"a":1}x)", " "}) {
    const auto answer = driver.start_next("t", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.error_type, "SerializationException") << body;
  }
}

TEST(EndpointValidationTest, DeepNestingIsRefusedNotRecursedInto) {
  Driver driver;
  const std::string deep(1'000'000, '[');
  EXPECT_EQ(driver.update("t", "j", R"({"status":)" + deep).error_type, "SerializationException");
}

TEST(EndpointValidationTest, ErrorNamesTheMemberOfAnUpdate) {
  Driver driver;
  driver.create("j", "t");
  const std::pair<const char*, const char*> requests[] = {
      {"{}", "status"},
      {R"({"status":null})", "status"},
      {R"({"status":5})", "status"},
      {R"({"status":"DONE"})", "status"},
      {R"({"status":"succeeded"})", "status"},
      {R"({"status":"FAILED","expectedVersion":"2"})", "expectedVersion"},
      {R"({"status":"FAILED","expectedVersion":1.5})", "expectedVersion"},
      {R"({"status":"FAILED","expectedVersion":99999999999999999999})", "expectedVersion"},
      {R"({"status":"FAILED","executionNumber":[1]})", "executionNumber"},
      {R"({"status":"FAILED","includeJobDocument":"yes"})", "includeJobDocument"},
      {R"({"status":"FAILED","includeJobExecutionState":1})", "includeJobExecutionState"},
      {R"({"status":"FAILED","stepTimeoutInMinutes":0})", "stepTimeoutInMinutes"},
      {R"({"status":"FAILED","stepTimeoutInMinutes":-2})", "stepTimeoutInMinutes"},
      {R"({"status":"FAILED","stepTimeoutInMinutes":10081})", "stepTimeoutInMinutes"},
      {R"({"status":"FAILED","statusDetails":[]})", "statusDetails"},
      {R"({"status":"FAILED","statusDetails":{"a b":"x"}})", "statusDetails"},
      {R"({"status":"FAILED","statusDetails":{"":"x"}})", "statusDetails"},
      {R"({"status":"FAILED","statusDetails":{"a":""}})", "statusDetails.a"},
      {R"({"status":"FAILED","statusDetails":{"a":1}})", "statusDetails.a"},
      {R"({"status":"FAILED","statusDetails":{"a":null}})", "statusDetails.a"},
      {R"({"status":"FAILED","statusDetails":{"a":{}}})", "statusDetails.a"},
      {R"({"status":"FAILED","statusDetails":"a"})", "statusDetails"},
  };
  for (const auto& [body, member] : requests) {
    expect_invalid(driver.update("t", "j", body), member, body);
  }
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["versionNumber"], 1);
}

TEST(EndpointValidationTest, ErrorNamesTheMemberOfAStartNext) {
  Driver driver;
  driver.create("j", "t");
  for (const char* minutes : {"0", "-1", "10081", "\"5\"", "1.0"}) {
    expect_invalid(
        driver.start_next("t", std::string(R"({"stepTimeoutInMinutes":)") + minutes + "}"),
        "stepTimeoutInMinutes", minutes);
  }
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "QUEUED");
}

TEST(EndpointValidationTest, LimitsThemselvesAreAllowed) {
  Driver driver;
  driver.create("j", "t");
  Json details = Json::object();
  for (int pair = 0; pair < 9; ++pair) details["k" + std::to_string(pair)] = "v";
  std::string longest;
  for (int count = 0; count < 1024; ++count) longest += "\xC3\xA4";
  details[std::string(128, 'k')] = longest;
  const auto answer = driver.update(
      "t", "j",
      Json{{"status", "IN_PROGRESS"}, {"statusDetails", details}, {"stepTimeoutInMinutes", 10080}}
          .dump());
  EXPECT_EQ(answer.status, 200) << answer.text;
}

/// AWS IoT Device Client reports what a job's handler wrote, and its README shows it as AWS stored
/// it.
TEST(EndpointValidationTest, StatusDetailsHoldAnyCharacters) {
  Driver driver;
  driver.create("j", "t");
  const Json details = {{"format", "\xE2\x80\x8B\xEE\x80\x80"},
                        {"stderr", "mv: cannot stat 'x'\n\tno such file\x1B[0m\x7F"},
                        {"zero", std::string("\0", 1)}};
  const auto answer =
      driver.update("t", "j", Json{{"status", "IN_PROGRESS"}, {"statusDetails", details}}.dump());
  EXPECT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["statusDetails"], details);
}

TEST(EndpointValidationTest, PastTheLimitsOfStatusDetailsIsRefused) {
  Driver driver;
  driver.create("j", "t");
  Json eleven = Json::object();
  for (int pair = 0; pair < 11; ++pair) eleven["k" + std::to_string(pair)] = "v";
  for (const Json& details : {eleven, Json{{std::string(129, 'k'), "v"}}}) {
    expect_invalid(driver.start_next("t", Json{{"statusDetails", details}}.dump()), "statusDetails",
                   details.dump());
  }
  expect_invalid(
      driver.start_next("t", Json{{"statusDetails", {{"a", std::string(1025, 'v')}}}}.dump()),
      "statusDetails.a", "1025 characters");
}

TEST(EndpointValidationTest, NullMembersCountAsAbsentAndUnknownOnesAreIgnored) {
  Driver driver;
  driver.create("j", "t");
  EXPECT_EQ(driver
                .update("t", "j",
                        R"({"status":"IN_PROGRESS","expectedVersion":null,"statusDetails":null,
                            "clientToken":"x","thingName":5})")
                .status,
            200);
}

TEST(EndpointValidationTest, WrongNamesAndParametersAreRefused) {
  Driver driver;
  expect_invalid(driver.pending("a%20b"), "thingName", "space");
  expect_invalid(driver.pending(std::string(129, 'a')), "thingName", "129");
  expect_invalid(driver.pending(""), "thingName", "empty");
  expect_invalid(driver.pending("%FF"), "thingName", "no UTF-8");
  expect_invalid(driver.describe("t", "a:b"), "jobId", "colon");
  expect_invalid(driver.describe("t", std::string(65, 'a')), "jobId", "65");
  expect_invalid(driver.describe("t", "j", "?includeJobDocument=yes"), "includeJobDocument", "yes");
  expect_invalid(driver.describe("t", "j", "?executionNumber=x"), "executionNumber", "x");
  expect_invalid(driver.describe("t", "j", "?executionNumber="), "executionNumber", "empty");
}

TEST(EndpointValidationTest, LongValueIsQuotedInPart) {
  Driver driver;
  const auto answer = driver.update(
      "t", "j", Json{{"status", "FAILED"}, {"expectedVersion", std::string(5000, 'x')}}.dump());
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.text.find("xxx...' at 'expectedVersion'"), std::string::npos) << answer.text;
  EXPECT_LT(answer.text.size(), 300U);
}

TEST(EndpointValidationTest, UnknownOperationIsAnsweredAsAwsDoes) {
  Driver driver;
  const auto answer = driver.call("PATCH", "/things/t/jobs");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.error_type, "UnknownOperationException");
}

}  // namespace
}  // namespace jobs_endpoint
