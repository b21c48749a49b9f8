#include <gtest/gtest.h>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Driver;
using testing::start_second;

TEST(EndpointStartNextTest, QueuedJobIsPutInProgress) {
  Driver driver;
  driver.create("j", "t");
  driver.now += seconds(5);
  const auto answer = driver.start_next("t", R"({"statusDetails":{"step":"one"}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, (Json{{"execution",
                                {{"jobId", "j"},
                                 {"thingName", "t"},
                                 {"status", "IN_PROGRESS"},
                                 {"statusDetails", {{"step", "one"}}},
                                 {"queuedAt", start_second},
                                 {"startedAt", start_second + 5},
                                 {"lastUpdatedAt", start_second + 5},
                                 {"versionNumber", 2},
                                 {"executionNumber", 1},
                                 {"jobDocument", "{}"}}}}));
}

TEST(EndpointStartNextTest, NothingPendingIsAnEmptyObject) {
  Driver driver;
  const auto answer = driver.start_next("t");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text, "{}");
}

TEST(EndpointStartNextTest, JobInProgressIsHandedOutAgainUnchanged) {
  Driver driver;
  driver.create("j", "t");
  const auto first = driver.start_next("t", R"({"statusDetails":{"step":"one"}})");
  driver.now += seconds(5);
  const auto second =
      driver.start_next("t", R"({"statusDetails":{"step":"two"},"stepTimeoutInMinutes":1})");
  EXPECT_EQ(second.body, first.body);
}

TEST(EndpointStartNextTest, EmptyBodyCountsAsAnEmptyObject) {
  Driver driver;
  driver.create("j", "t");
  EXPECT_EQ(driver.start_next("t", "").body["execution"]["status"], "IN_PROGRESS");
}

TEST(EndpointStartNextTest, DocumentIsReturnedByteForByte) {
  Driver driver;
  const std::string document =
      "{ \"b\": 12345678901234567890123, \"a\":1.50,\n\t\"t\":\"\\u00e4\\/\xC3\xA4\", \"a\" : 1e2 "
      "}";
  driver.create("j", "t", {{"document", document}});
  EXPECT_EQ(driver.start_next("t").body["execution"]["jobDocument"], document);
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["jobDocument"], document);
}

TEST(EndpointStartNextTest, FirstQueuedComesFirstWithinAMicrosecondToo) {
  Driver driver;
  for (const char* job : {"c", "a", "b"}) driver.create(job, "t");
  for (const char* job : {"c", "a", "b"}) {
    EXPECT_EQ(driver.start_next("t").body["execution"]["jobId"], job);
    driver.update("t", job, R"({"status":"SUCCEEDED"})");
  }
}

TEST(EndpointPendingTest, ListsInProgressAndQueuedWithoutStatusAndDocument) {
  Driver driver;
  driver.create("a", "t");
  driver.create("b", "t");
  driver.start_next("t");
  const auto answer = driver.pending("t");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, (Json{{"inProgressJobs",
                                {{{"jobId", "a"},
                                  {"queuedAt", start_second},
                                  {"startedAt", start_second},
                                  {"lastUpdatedAt", start_second},
                                  {"versionNumber", 2},
                                  {"executionNumber", 1}}}},
                               {"queuedJobs",
                                {{{"jobId", "b"},
                                  {"queuedAt", start_second},
                                  {"lastUpdatedAt", start_second},
                                  {"versionNumber", 1},
                                  {"executionNumber", 1}}}}}));
}

TEST(EndpointPendingTest, OfSeveralInProgressTheEarliestQueuedIsNextWhicheverStartedFirst) {
  Driver driver;
  for (const char* job : {"a", "b", "c", "d"}) driver.create(job, "t");
  driver.now += seconds(1);
  driver.update("t", "d", R"({"status":"IN_PROGRESS"})");
  EXPECT_EQ(driver.describe("t", "$next").body["execution"]["jobId"], "d");
  driver.update("t", "c", R"({"status":"IN_PROGRESS"})");
  EXPECT_EQ(driver.describe("t", "$next").body["execution"]["jobId"], "c");
  EXPECT_EQ(driver.start_next("t").body["execution"]["jobId"], "c");

  const Json lists = driver.pending("t").body;
  EXPECT_EQ(lists["inProgressJobs"][0]["jobId"], "c");
  EXPECT_EQ(lists["inProgressJobs"][1]["jobId"], "d");
  EXPECT_EQ(lists["queuedJobs"][0]["jobId"], "a");
  EXPECT_EQ(lists["queuedJobs"][1]["jobId"], "b");
  driver.update("t", "c", R"({"status":"SUCCEEDED"})");
  driver.update("t", "d", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(driver.describe("t", "$next").body["execution"]["jobId"], "a");
}

TEST(EndpointPendingTest, BothListsArePresentWhenEmpty) {
  Driver driver;
  EXPECT_EQ(driver.pending("t").text, R"({"inProgressJobs":[],"queuedJobs":[]})");
}

TEST(EndpointPendingTest, AtMostTenAreListed) {
  Driver driver;
  for (int job = 0; job < 12; ++job) driver.create("j" + std::to_string(job), "t");
  driver.start_next("t");
  const Json body = driver.pending("t").body;
  EXPECT_EQ(body["inProgressJobs"].size(), 1U);
  EXPECT_EQ(body["queuedJobs"].size(), 9U);
  EXPECT_EQ(body["queuedJobs"][0]["jobId"], "j1");
}

TEST(EndpointPendingTest, OneThingNeverSeesAnothersJobs) {
  Driver driver;
  driver.create("j", "t");
  EXPECT_EQ(driver.start_next("u").text, "{}");
  EXPECT_EQ(driver.describe("u", "j").status, 404);
}

TEST(EndpointDescribeTest, NextIsTheFirstPendingAndDoesNotStart) {
  Driver driver;
  driver.create("a", "t");
  driver.create("b", "t");
  EXPECT_EQ(driver.describe("t", "$next").body["execution"]["jobId"], "a");
  EXPECT_EQ(driver.describe("t", "%24next").body["execution"]["status"], "QUEUED");
  driver.update("t", "b", R"({"status":"IN_PROGRESS"})");
  EXPECT_EQ(driver.describe("t", "$next").body["execution"]["jobId"], "b");
}

TEST(EndpointDescribeTest, NextWithNothingPendingIsAnEmptyObject) {
  Driver driver;
  const auto answer = driver.describe("t", "$next");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text, "{}");
}

TEST(EndpointDescribeTest, DocumentCanBeLeftOut) {
  Driver driver;
  driver.create("j", "t");
  const Json with = driver.describe("t", "j", "?includeJobDocument=true").body["execution"];
  Json without = driver.describe("t", "j", "?includeJobDocument=false").body["execution"];
  EXPECT_FALSE(without.contains("jobDocument"));
  without["jobDocument"] = "{}";
  EXPECT_EQ(without, with);
}

TEST(EndpointDescribeTest, UnknownExecutionIsNotFound) {
  Driver driver;
  driver.create("j", "t");
  for (const char* job : {"none", "j?executionNumber=2"}) {
    const auto answer = driver.describe("t", job);
    EXPECT_EQ(answer.status, 404) << job;
    EXPECT_EQ(answer.error_type, "ResourceNotFoundException");
  }
}

TEST(EndpointDescribeTest, FinishedExecutionIsStillThere) {
  Driver driver;
  driver.create("j", "t");
  driver.update("t", "j", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "SUCCEEDED");
}

TEST(EndpointDescribeTest, FinishedExecutionIsGoneWhenAskedFor) {
  Driver driver({.operations = {.reject_terminal_describe = true}});
  driver.create("j", "t");
  EXPECT_EQ(driver.describe("t", "j").status, 200);
  driver.update("t", "j", R"({"status":"SUCCEEDED"})");
  const auto answer = driver.describe("t", "j");
  EXPECT_EQ(answer.status, 410);
  EXPECT_EQ(answer.error_type, "TerminalStateException");
}

TEST(EndpointDescribeTest, NumberOfTheExecutionIsNothingToNext) {
  Driver driver;
  driver.create("j", "t");
  EXPECT_EQ(driver.describe("t", "$next", "?executionNumber=7").body["execution"]["jobId"], "j");
}

TEST(EndpointUpdateTest, AnswerHoldsOnlyWhatWasAskedFor) {
  Driver driver;
  driver.create("j", "t", {{"document", R"({"a":1})"}});
  EXPECT_EQ(driver.update("t", "j", R"({"status":"IN_PROGRESS"})").text, "{}");
  EXPECT_EQ(
      driver.update("t", "j", R"({"status":"IN_PROGRESS","includeJobExecutionState":true})").body,
      (Json{{"executionState", {{"status", "IN_PROGRESS"}, {"versionNumber", 3}}}}));
  EXPECT_EQ(driver.update("t", "j", R"({"status":"SUCCEEDED","includeJobDocument":true})").body,
            (Json{{"jobDocument", R"({"a":1})"}}));
}

TEST(EndpointUpdateTest, EveryUpdateRaisesTheVersion) {
  Driver driver;
  driver.create("j", "t");
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["versionNumber"], 1);
  driver.start_next("t");
  for (int version = 3; version < 6; ++version) {
    driver.update("t", "j", R"({"status":"IN_PROGRESS"})");
    EXPECT_EQ(driver.describe("t", "j").body["execution"]["versionNumber"], version);
  }
}

TEST(EndpointUpdateTest, DetailsReplaceTheWholeMapOrStay) {
  Driver driver;
  driver.create("j", "t");
  driver.start_next("t", R"({"statusDetails":{"a":"1","b":"2"}})");
  driver.update("t", "j", R"({"status":"IN_PROGRESS"})");
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["statusDetails"],
            (Json{{"a", "1"}, {"b", "2"}}));
  driver.update("t", "j", R"({"status":"IN_PROGRESS","statusDetails":{"c":"3"}})");
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["statusDetails"], (Json{{"c", "3"}}));
}

TEST(EndpointUpdateTest, DeviceMaySetItsFourStatesFromBothPendingOnes) {
  for (const char* status : {"IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"}) {
    for (const bool started : {false, true}) {
      Driver driver;
      driver.create("j", "t");
      if (started) driver.start_next("t");
      const auto answer = driver.update("t", "j", std::string(R"({"status":")") + status + R"("})");
      EXPECT_EQ(answer.status, 200) << status << " " << started;
      EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], status);
    }
  }
}

TEST(EndpointUpdateTest, StatesOfTheServiceAreRefused) {
  Driver driver;
  driver.create("j", "t");
  for (const char* status : {"CANCELED", "TIMED_OUT", "REMOVED"}) {
    const auto answer = driver.update("t", "j", std::string(R"({"status":")") + status + R"("})");
    EXPECT_EQ(answer.status, 400) << status;
    EXPECT_EQ(answer.error_type, "InvalidRequestException");
  }
  const auto back = driver.update("t", "j", R"({"status":"QUEUED"})");
  EXPECT_EQ(back.status, 409);
  EXPECT_EQ(back.error_type, "InvalidStateTransitionException");
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["versionNumber"], 1);
}

TEST(EndpointUpdateTest, NothingLeadsOutOfATerminalState) {
  for (const char* last : {"SUCCEEDED", "FAILED", "REJECTED"}) {
    Driver driver;
    driver.create("j", "t");
    driver.update("t", "j", std::string(R"({"status":")") + last + R"("})");
    for (const char* status : {"IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"}) {
      const auto answer = driver.update("t", "j", std::string(R"({"status":")") + status + R"("})");
      EXPECT_EQ(answer.status, 409) << last << " " << status;
      EXPECT_EQ(answer.error_type, "InvalidStateTransitionException");
    }
    EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], last);
  }
}

TEST(EndpointUpdateTest, OtherVersionThanExpectedIsAConflict) {
  Driver driver;
  driver.create("j", "t");
  const auto answer = driver.update("t", "j", R"({"status":"SUCCEEDED","expectedVersion":99})");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.error_type, "InvalidStateTransitionException");
  EXPECT_EQ(answer.body["message"], "Expected version 99 but found version 1");
  EXPECT_EQ(driver.update("t", "j", R"({"status":"SUCCEEDED","expectedVersion":1})").status, 200);
}

TEST(EndpointUpdateTest, VersionIsCheckedBeforeTheState) {
  Driver driver;
  driver.create("j", "t");
  driver.update("t", "j", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(
      driver.update("t", "j", R"({"status":"IN_PROGRESS","expectedVersion":1})").body["message"],
      "Expected version 1 but found version 2");
}

TEST(EndpointUpdateTest, ExecutionOfAnotherNumberIsNotFound) {
  Driver driver;
  driver.create("j", "t");
  EXPECT_EQ(driver.update("t", "j", R"({"status":"FAILED","executionNumber":2})").status, 404);
  EXPECT_EQ(driver.update("t", "j", R"({"status":"FAILED","executionNumber":1})").status, 200);
}

TEST(EndpointUpdateTest, NextCannotBeUpdated) {
  Driver driver;
  driver.create("j", "t");
  const auto answer = driver.update("t", "$next", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.text.find("jobId"), std::string::npos);
}

TEST(EndpointStrictThingsTest, ThingWithoutAnyJobIsNotFound) {
  Driver driver({.operations = {.strict_things = true}});
  driver.create("j", "t");
  for (const auto& answer :
       {driver.start_next("u"), driver.pending("u"), driver.describe("u", "$next")}) {
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.error_type, "ResourceNotFoundException");
  }
  EXPECT_EQ(driver.pending("t").status, 200);
}

TEST(EndpointStrictThingsTest, ThingIsKnownAfterItsJobWasDeleted) {
  Driver driver({.operations = {.strict_things = true}});
  driver.create("j", "t");
  driver.call("DELETE", "/jobs/j?force=true");
  EXPECT_EQ(driver.start_next("t").text, "{}");
}

}  // namespace
}  // namespace jobs_endpoint
