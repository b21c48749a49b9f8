#include "tests/endpoint/fault.h"

#include <gtest/gtest.h>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint {
namespace {

using std::chrono::milliseconds;
using testing::Driver;

TEST(EndpointFaultTest, StatusNamesTheErrorThatAwsHasForIt) {
  const std::pair<int, const char*> errors[] = {
      {400, "InvalidRequestException"},   {403, "AccessDeniedException"},
      {404, "ResourceNotFoundException"}, {409, "InvalidStateTransitionException"},
      {410, "TerminalStateException"},    {429, "ThrottlingException"},
      {500, "InternalServerException"},   {503, "ServiceUnavailableException"},
  };
  Driver driver;
  for (const auto& [status, type] : errors) {
    driver.call("PUT", "/_faults", Json{{"kind", "status"}, {"status", status}}.dump());
    const auto answer = driver.start_next("t");
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.error_type, type);
    EXPECT_TRUE(answer.body["message"].is_string());
  }
}

TEST(EndpointFaultTest, TypeMessageHeadersAndBodyAreTheTests) {
  Driver driver;
  driver.call("PUT", "/_faults", R"({"kind":"status","status":400,
      "error_type":"CertificateValidationException:http://internal/","message":"no",
      "headers":{"Retry-After":"7","content-type":"text/html"}})");
  auto answer = driver.start_next("t");
  EXPECT_EQ(answer.error_type, "CertificateValidationException:http://internal/");
  EXPECT_EQ(answer.body, (Json{{"message", "no"}}));
  EXPECT_EQ(find_header(driver.last().answer.headers, "retry-after"), "7");
  EXPECT_EQ(find_header(driver.last().answer.headers, "Content-Type"), "text/html");

  driver.call("PUT", "/_faults", R"({"kind":"status","status":502,"body":"<html>"})");
  answer = driver.start_next("t");
  EXPECT_EQ(answer.text, "<html>");
  EXPECT_EQ(answer.error_type, "");

  driver.call("PUT", "/_faults",
              R"({"kind":"status","status":200,"body":{"Output":{"__type":"x#Y"}}})");
  answer = driver.start_next("t");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text, R"({"Output":{"__type":"x#Y"}})");
}

TEST(EndpointFaultTest, StatusDoesNotCarryTheCallOutUnlessAsked) {
  Driver driver;
  driver.create("j", "t");
  driver.call("PUT", "/_faults", R"({"kind":"status","count":1})");
  EXPECT_EQ(driver.start_next("t").status, 503);
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "QUEUED");
  driver.call("PUT", "/_faults", R"({"kind":"status","count":1,"carried_out":true})");
  EXPECT_EQ(driver.start_next("t").status, 503);
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "IN_PROGRESS");
}

TEST(EndpointFaultTest, SpoiltAnswersAreCarriedOutUnlessAskedNotTo) {
  for (const char* kind : {"truncate", "trickle", "close_idle", "extra_bytes", "none"}) {
    Driver driver;
    driver.create("j", "t");
    driver.call("PUT", "/_faults", Json{{"kind", kind}, {"count", 1}}.dump());
    driver.start_next("t");
    EXPECT_EQ(name_of(driver.last().manner), kind);
    EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "IN_PROGRESS") << kind;
  }
  for (const char* kind : {"hang", "reset", "garbage"}) {
    Driver driver;
    driver.create("j", "t");
    driver.call("PUT", "/_faults", Json{{"kind", kind}, {"count", 1}}.dump());
    driver.start_next("t");
    EXPECT_EQ(name_of(driver.last().manner), kind);
    EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "QUEUED") << kind;
  }
}

TEST(EndpointFaultTest, StrikesOnlyTheThingAndTheOperationItNames) {
  Driver driver;
  driver.call("PUT", "/_faults",
              R"({"kind":"status","thing":"t","operation":"GetPendingJobExecutions"})");
  EXPECT_EQ(driver.pending("t").status, 503);
  EXPECT_EQ(driver.pending("u").status, 200);
  EXPECT_EQ(driver.start_next("t").status, 200);
}

TEST(EndpointFaultTest, StrikesOnlySoManyRequests) {
  Driver driver;
  driver.call("PUT", "/_faults", R"({"kind":"status","count":2})");
  EXPECT_EQ(driver.pending("t").status, 503);
  EXPECT_EQ(driver.call("GET", "/_faults").body["faults"][0]["count"], 1);
  EXPECT_EQ(driver.pending("u").status, 503);
  EXPECT_EQ(driver.pending("t").status, 200);
}

TEST(EndpointFaultTest, FirstOfSeveralThatFitsStrikes) {
  Driver driver;
  driver.call("PUT", "/_faults",
              R"([{"kind":"status","status":404,"thing":"a"},{"kind":"status","status":429}])");
  EXPECT_EQ(driver.pending("a").status, 404);
  EXPECT_EQ(driver.pending("b").status, 429);
}

TEST(EndpointFaultTest, WhatIsShownCanBePutAgain) {
  Driver driver;
  driver.call("PUT", "/_faults", R"([{"kind":"status","thing":"t"},{"kind":"none"}])");
  const auto shown = driver.call("GET", "/_faults").body;
  driver.call("DELETE", "/_faults");
  EXPECT_EQ(driver.call("PUT", "/_faults", shown.dump()).status, 200);
  EXPECT_EQ(driver.call("GET", "/_faults").body, shown);
  EXPECT_EQ(driver.pending("t").status, 503);
}

TEST(EndpointFaultTest, ControlPlaneAndControlAreSpared) {
  Driver driver;
  driver.call("PUT", "/_faults", R"({"kind":"status"})");
  EXPECT_EQ(driver.create("j", "t").status, 200);
  EXPECT_EQ(driver.call("GET", "/_calls").status, 200);
  EXPECT_EQ(driver.call("GET", "/nowhere").status, 503);
  driver.call("PUT", "/_faults", R"({"kind":"status","operation":"CreateJob"})");
  EXPECT_EQ(driver.create("k", "t").status, 503);
}

TEST(EndpointFaultTest, DeleteEndsThem) {
  Driver driver;
  driver.call("PUT", "/_faults", R"({"kind":"status"})");
  EXPECT_EQ(driver.call("DELETE", "/_faults").body, (Json{{"faults", Json::array()}}));
  EXPECT_EQ(driver.pending("t").status, 200);
}

TEST(EndpointFaultTest, DelayAndJitterAreWithinTheirBounds) {
  Driver driver;
  driver.call("PUT", "/_faults", R"({"delay_ms":100,"jitter_ms":20})");
  bool varies = false;
  for (int call = 0; call < 50; ++call) {
    EXPECT_EQ(driver.pending("t").status, 200);
    EXPECT_GE(driver.last().delay, milliseconds(100));
    EXPECT_LE(driver.last().delay, milliseconds(120));
    varies = varies || driver.last().delay != milliseconds(100);
  }
  EXPECT_TRUE(varies);
}

TEST(EndpointFaultTest, ProbabilityStrikesItsShareAndTheSameOnesEachTime) {
  const auto struck = [] {
    Driver driver;
    driver.call("PUT", "/_faults", R"({"kind":"status","probability":0.25})");
    std::vector<int> statuses;
    for (int call = 0; call < 1000; ++call) statuses.push_back(driver.pending("t").status);
    return statuses;
  };
  const auto first = struck();
  const auto hits = std::count(first.begin(), first.end(), 503);
  EXPECT_GT(hits, 200);
  EXPECT_LT(hits, 300);
  EXPECT_EQ(struck(), first);
}

TEST(EndpointFaultTest, WrongFaultIsRefusedAndTheOldOnesStay) {
  Driver driver;
  driver.call("PUT", "/_faults", R"({"kind":"status"})");
  const std::pair<const char*, const char*> requests[] = {
      {R"({"kind":"explode"})", "kind"},
      {R"({"kind":"status","status":99})", "status"},
      {R"({"probability":1.5})", "probability"},
      {R"({"delay_ms":-1})", "delay_ms"},
      {R"({"count":"one"})", "count"},
      {R"({"operation":"Start"})", "operation"},
      {R"({"headers":{"A":"b\r\nc"}})", "headers.A"},
      {R"({"error_type":"a\nb"})", "error_type"},
      {R"({"delay":5})", "delay"},
      {R"([{"kind":"hang"},{"kind":"?"}])", "kind"},
      {"nonsense", "JSON"},
      {"5", ""},
  };
  for (const auto& [body, member] : requests) {
    const auto answer = driver.call("PUT", "/_faults", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.text.find(member), std::string::npos) << body << answer.text;
  }
  EXPECT_EQ(driver.pending("t").status, 503);
}

TEST(EndpointFaultTest, EnvelopedErrorsWearTheEnvelope) {
  Driver driver({.envelope = true});
  driver.call("PUT", "/_faults", R"({"kind":"status","status":429})");
  EXPECT_EQ(driver.pending("t").body,
            (Json{{"success", false},
                  {"error", {{"code", "THROTTLING"}, {"message", "Rate exceeded"}}}}));
}

}  // namespace
}  // namespace jobs_endpoint
