#include "tests/endpoint/answer.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint {
namespace {

using std::chrono::seconds;
using testing::Answer;
using testing::Driver;

TEST(EndpointAnswerTest, EveryAnswerHasARequestIdOfItsOwn) {
  Driver driver;
  driver.pending("t");
  const std::string first(find_header(driver.last().answer.headers, "x-amzn-RequestId"));
  driver.pending("a%20b");
  const std::string second(find_header(driver.last().answer.headers, "x-amzn-RequestId"));
  EXPECT_EQ(first.size(), 36U);
  EXPECT_NE(first, second);
}

TEST(EndpointAnswerTest, EveryErrorOfItsOwnHasStatusTypeMessageAndRequestId) {
  Driver driver({.operations = {.strict_things = true, .reject_terminal_describe = true},
                 .reads_per_second = 1});
  driver.create("j", "t");
  driver.update("t", "j", R"({"status":"SUCCEEDED"})");
  struct Case {
    const char* type;
    int status;
    Answer answer;
    std::string request_id;
  };
  std::vector<Case> cases;
  const auto add = [&](const char* type, int status, Answer answer) {
    cases.push_back({type, status, std::move(answer),
                     std::string(find_header(driver.last().answer.headers, "x-amzn-RequestId"))});
    EXPECT_EQ(find_header(driver.last().answer.headers, "Content-Type"), "application/json");
  };
  add("TerminalStateException", 410, driver.describe("t", "j"));
  add("ThrottlingException", 429, driver.describe("t", "j"));
  add("InvalidRequestException", 400, driver.update("t", "j", "{}"));
  add("SerializationException", 400, driver.update("t", "j", "{"));
  add("ResourceNotFoundException", 404, driver.update("t", "k", R"({"status":"FAILED"})"));
  add("ResourceNotFoundException", 404, driver.start_next("u"));
  add("InvalidStateTransitionException", 409, driver.update("t", "j", R"({"status":"FAILED"})"));
  add("ResourceAlreadyExistsException", 409, driver.create("j", "t"));
  add("UnknownOperationException", 404, driver.call("POST", "/things/t/jobs"));
  std::set<std::string> request_ids;
  for (const auto& [type, status, answer, request_id] : cases) {
    EXPECT_EQ(answer.error_type, type);
    EXPECT_EQ(answer.status, status) << type;
    EXPECT_TRUE(answer.body.is_object() && answer.body["message"].is_string()) << answer.text;
    EXPECT_NE(answer.body["message"], "") << type;
    EXPECT_TRUE(request_ids.insert(request_id).second) << type << " " << request_id;
  }
}

TEST(EndpointAnswerTest, EnvelopeHoldsDataOrError) {
  Driver driver({.envelope = true});
  driver.create("j", "t");
  EXPECT_EQ(driver.start_next("u").text, R"({"success":true,"data":{}})");
  const Json answer = driver.start_next("t").body;
  EXPECT_EQ(answer["success"], true);
  EXPECT_EQ(answer["data"]["execution"]["jobDocument"], "{}");

  const auto invalid = driver.update("t", "j", "{}");
  EXPECT_EQ(invalid.status, 400);
  EXPECT_EQ(invalid.error_type, "");
  EXPECT_EQ(invalid.body["success"], false);
  EXPECT_EQ(invalid.body["error"]["code"], "VALIDATION_ERROR");
  EXPECT_NE(invalid.body["error"]["message"].get<std::string>().find("status"), std::string::npos);
  EXPECT_EQ(driver.describe("t", "none").body["error"]["code"], "RESOURCE_NOT_FOUND");
  EXPECT_EQ(driver.call("PATCH", "/things/t/jobs").body["error"]["code"], "UNKNOWN_OPERATION");
}

TEST(EndpointAnswerTest, ControlPlaneWearsNoEnvelope) {
  Driver driver({.envelope = true});
  EXPECT_EQ(driver.create("j", "t").body["jobId"], "j");
  EXPECT_EQ(driver.create("j", "t").error_type, "ResourceAlreadyExistsException");
}

TEST(EndpointAnswerTest, CodesOfTheEnvelope) {
  EXPECT_EQ(envelope_code("InvalidRequestException"), "VALIDATION_ERROR");
  EXPECT_EQ(envelope_code("InvalidStateTransitionException"), "INVALID_STATE_TRANSITION");
  EXPECT_EQ(envelope_code("InternalFailure"), "INTERNAL");
  EXPECT_EQ(envelope_code("RATE_LIMITED"), "RATE_LIMITED");
  EXPECT_EQ(envelope_code(""), "INTERNAL_ERROR");
}

TEST(EndpointThrottleTest, CallsPastTheRateAreRefusedUntilTimePasses) {
  Driver driver({.reads_per_second = 2});
  EXPECT_EQ(driver.pending("a").status, 200);
  EXPECT_EQ(driver.describe("b", "$next").status, 200);
  const auto answer = driver.pending("c");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.error_type, "ThrottlingException");
  EXPECT_EQ(driver.start_next("a").status, 200);
  driver.now += std::chrono::milliseconds(500);
  EXPECT_EQ(driver.pending("c").status, 200);
  EXPECT_EQ(driver.pending("c").status, 429);
}

TEST(EndpointThrottleTest, StartNextAndUpdateShareTheWritesRate) {
  Driver driver({.writes_per_second = 1});
  driver.create("j", "t");
  EXPECT_EQ(driver.start_next("t").status, 200);
  EXPECT_EQ(driver.update("t", "j", R"({"status":"SUCCEEDED"})").status, 429);
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "IN_PROGRESS");
  driver.now += seconds(1);
  EXPECT_EQ(driver.update("t", "j", R"({"status":"SUCCEEDED"})").status, 200);
}

TEST(EndpointThrottleTest, LongRestEarnsNoMoreThanASecondsWorth) {
  RateLimit limit(3);
  Instant now = testing::start;
  EXPECT_TRUE(limit.admit(now));
  now += std::chrono::hours(1);
  for (int call = 0; call < 3; ++call) EXPECT_TRUE(limit.admit(now));
  EXPECT_FALSE(limit.admit(now));
}

TEST(EndpointAnswerTest, WireHoldsEverythingOnce) {
  const HttpAnswer answer = {
      429, {{"date", "Thu, 01 Jan 1970 00:00:00 GMT"}, {"x-amzn-ErrorType", "T"}}, "{}"};
  EXPECT_EQ(to_wire(answer, "now", true),
            "HTTP/1.1 429 Too Many Requests\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "x-amzn-ErrorType: T\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}");
}

TEST(EndpointAnswerTest, StatusesWithoutABodyHaveNoLength) {
  EXPECT_EQ(to_wire({204, {}, "{}"}, "now", false),
            "HTTP/1.1 204 No Content\r\nDate: now\r\nConnection: close\r\n\r\n");
}

}  // namespace
}  // namespace jobs_endpoint
