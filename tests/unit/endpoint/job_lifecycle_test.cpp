// CreateJob, DescribeJob, CancelJob, DeleteJob, and what becomes of jobs when executions end.

#include <gtest/gtest.h>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::Driver;
using testing::start_second;

Json retries(std::initializer_list<std::pair<const char*, int>> criteria) {
  Json list = Json::array();
  for (const auto& [type, count] : criteria) {
    list.push_back({{"failureType", type}, {"numberOfRetries", count}});
  }
  return {{"jobExecutionsRetryConfig", {{"criteriaList", list}}}};
}

Json abort_when(const char* type, double percent, int things) {
  return {{"abortConfig",
           {{"criteriaList",
             {{{"failureType", type},
               {"action", "CANCEL"},
               {"thresholdPercentage", percent},
               {"minNumberOfExecutedThings", things}}}}}}};
}

TEST(EndpointCreateJobTest, AnswersWithItsArnAndQueuesForEveryThingOnce) {
  Driver driver;
  const auto answer = driver.create_for("j", {"a", "b", "a"}, {{"description", "a job"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, (Json{{"jobArn", "arn:aws:iot:eu-west-1:123456789012:job/j"},
                               {"jobId", "j"},
                               {"description", "a job"}}));
  EXPECT_EQ(driver.pending("a").body["queuedJobs"].size(), 1U);
  EXPECT_EQ(driver.pending("b").body["queuedJobs"].size(), 1U);
}

TEST(EndpointCreateJobTest, TakenIdIsAConflictThatNamesTheJob) {
  Driver driver;
  driver.create("j", "a");
  const auto answer = driver.create("j", "b");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.error_type, "ResourceAlreadyExistsException");
  EXPECT_EQ(answer.body["resourceId"], "j");
  EXPECT_EQ(answer.body["resourceArn"], "arn:aws:iot:eu-west-1:123456789012:job/j");
  EXPECT_EQ(driver.pending("b").body["queuedJobs"].size(), 0U);
}

TEST(EndpointCreateJobTest, ErrorNamesTheMember) {
  Driver driver;
  const std::string target = R"("targets":["arn:aws:iot:eu-west-1:123456789012:thing/t"])";
  const std::string rest = R"(,"document":"{}",)" + target + "}";
  const std::pair<std::string, const char*> requests[] = {
      {R"({"document":"{}"})", "targets"},
      {R"({"document":"{}","targets":[]})", "targets"},
      {R"({"document":"{}","targets":["thing"]})", "targets"},
      {R"({"document":"{}","targets":[5]})", "targets"},
      {R"({"document":"{}","targets":["arn:aws:iot:eu-west-1:123456789012:thinggroup/g"]})",
       "targets"},
      {"{" + target + "}", "document"},
      {R"({"document":{},)" + target + "}", "document"},
      {R"({"document":"{\"a\":}",)" + target + "}", "document"},
      {R"({"document":")" + std::string(32769, ' ') + R"(",)" + target + "}", "document"},
      {R"({"targetSelection":"ALL")" + rest, "targetSelection"},
      {R"({"description":"a\nb")" + rest, "description"},
      {R"({"timeoutConfig":{"inProgressTimeoutInMinutes":0})" + rest,
       "timeoutConfig.inProgressTimeoutInMinutes"},
      {R"({"timeoutConfig":{"inProgressTimeoutInMinutes":10081})" + rest,
       "timeoutConfig.inProgressTimeoutInMinutes"},
      {R"({"timeoutConfig":5)" + rest, "timeoutConfig"},
      {R"({"jobExecutionsRetryConfig":{"criteriaList":[]})" + rest,
       "jobExecutionsRetryConfig.criteriaList"},
      {R"({"jobExecutionsRetryConfig":{"criteriaList":[{"failureType":"FAILED","numberOfRetries":11}]})" +
           rest,
       "jobExecutionsRetryConfig.criteriaList.numberOfRetries"},
      {R"({"jobExecutionsRetryConfig":{"criteriaList":[{"failureType":"NONE","numberOfRetries":1}]})" +
           rest,
       "jobExecutionsRetryConfig.criteriaList.failureType"},
      {R"({"jobExecutionsRetryConfig":{"criteriaList":[{"failureType":"ALL","numberOfRetries":1},{"failureType":"FAILED","numberOfRetries":1}]})" +
           rest,
       "jobExecutionsRetryConfig.criteriaList.failureType"},
      {R"({"jobExecutionsRetryConfig":{"criteriaList":[{"failureType":"FAILED","numberOfRetries":6},{"failureType":"TIMED_OUT","numberOfRetries":5}]})" +
           rest,
       "jobExecutionsRetryConfig.criteriaList"},
      {R"({"abortConfig":{"criteriaList":[{"failureType":"FAILED"}]})" + rest,
       "abortConfig.criteriaList.action"},
  };
  for (const auto& [body, member] : requests) {
    const auto answer = driver.call("PUT", "/jobs/j", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.error_type, "InvalidRequestException") << body;
    EXPECT_NE(answer.text.find(std::string("at '") + member + "'"), std::string::npos)
        << body << answer.text;
  }
  EXPECT_EQ(driver.call("GET", "/jobs/j").status, 404);
}

TEST(EndpointCreateJobTest, WhatIsNotPlayedIsRefusedByName) {
  Driver driver;
  for (const char* member :
       {"documentSource", "jobTemplateArn", "schedulingConfig", "namespaceId"}) {
    const auto answer = driver.create("j", "t", {{member, "x"}});
    EXPECT_EQ(answer.status, 400);
    EXPECT_NE(answer.text.find(member), std::string::npos);
  }
}

TEST(EndpointDescribeJobTest, ShowsConfigurationAndProgress) {
  Driver driver;
  Json config = retries({{"FAILED", 2}});
  config["timeoutConfig"] = {{"inProgressTimeoutInMinutes", 5}};
  config["description"] = "a job";
  driver.create_for("j", {"a", "b", "c"}, config);
  driver.start_next("a");
  driver.update("b", "j", R"({"status":"SUCCEEDED"})");
  const Json job = driver.job("j");
  EXPECT_EQ(job["status"], "IN_PROGRESS");
  EXPECT_EQ(job["targetSelection"], "SNAPSHOT");
  EXPECT_EQ(job["targets"].size(), 3U);
  EXPECT_EQ(job["description"], "a job");
  EXPECT_EQ(job["createdAt"], start_second + 0.25);
  EXPECT_EQ(job["timeoutConfig"], config["timeoutConfig"]);
  EXPECT_EQ(job["jobExecutionsRetryConfig"], config["jobExecutionsRetryConfig"]);
  EXPECT_EQ(job["jobProcessDetails"]["numberOfInProgressThings"], 1);
  EXPECT_EQ(job["jobProcessDetails"]["numberOfSucceededThings"], 1);
  EXPECT_EQ(job["jobProcessDetails"]["numberOfQueuedThings"], 1);
  EXPECT_FALSE(job.contains("completedAt"));
}

TEST(EndpointDescribeJobTest, JobCompletesWithItsLastThing) {
  Driver driver;
  driver.create_for("j", {"a", "b"});
  driver.update("a", "j", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(driver.job("j")["status"], "IN_PROGRESS");
  driver.now += seconds(3);
  driver.update("b", "j", R"({"status":"REJECTED"})");
  EXPECT_EQ(driver.job("j")["status"], "COMPLETED");
  EXPECT_EQ(driver.job("j")["completedAt"], start_second + 3.25);
}

TEST(EndpointDescribeJobTest, ContinuousJobGoesOn) {
  Driver driver;
  driver.create("j", "t", {{"targetSelection", "CONTINUOUS"}});
  driver.update("t", "j", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(driver.job("j")["status"], "IN_PROGRESS");
}

TEST(EndpointDescribeJobTest, UnknownJobIsNotFound) {
  Driver driver;
  EXPECT_EQ(driver.call("GET", "/jobs/none").error_type, "ResourceNotFoundException");
  EXPECT_EQ(driver.call("GET", "/jobs/a%20b").error_type, "InvalidRequestException");
}

TEST(EndpointCancelJobTest, QueuedAreCanceledAndInProgressGoOn) {
  Driver driver;
  driver.create_for("j", {"a", "b"});
  driver.start_next("a");
  const auto answer =
      driver.call("PUT", "/jobs/j/cancel", R"({"reasonCode":"WHY_1","comment":"no more"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["jobId"], "j");
  EXPECT_EQ(driver.describe("b", "j").body["execution"]["status"], "CANCELED");
  EXPECT_EQ(driver.describe("a", "j").body["execution"]["status"], "IN_PROGRESS");
  EXPECT_EQ(driver.update("a", "j", R"({"status":"SUCCEEDED"})").status, 200);
  const Json job = driver.job("j");
  EXPECT_EQ(job["status"], "CANCELED");
  EXPECT_EQ(job["reasonCode"], "WHY_1");
  EXPECT_EQ(job["comment"], "no more");
}

TEST(EndpointCancelJobTest, ForceCancelsWhatIsInProgress) {
  Driver driver;
  driver.create("j", "t", {{"timeoutConfig", {{"inProgressTimeoutInMinutes", 5}}}});
  driver.start_next("t");
  driver.call("PUT", "/jobs/j/cancel?force=true");
  EXPECT_EQ(driver.job("j")["forceCanceled"], true);
  EXPECT_EQ(driver.start_next("t").text, "{}");
  EXPECT_EQ(driver.update("t", "j", R"({"status":"SUCCEEDED"})").status, 409);
  driver.now += minutes(10);
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "CANCELED");
}

TEST(EndpointCancelJobTest, CanceledJobCanBeCanceledWithForceLater) {
  Driver driver;
  driver.create("j", "t");
  driver.start_next("t");
  driver.call("PUT", "/jobs/j/cancel");
  EXPECT_EQ(driver.call("PUT", "/jobs/j/cancel?force=true").status, 200);
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["status"], "CANCELED");
}

TEST(EndpointCancelJobTest, CompletedUnknownAndIllFormedAreRefused) {
  Driver driver;
  driver.create("j", "t");
  EXPECT_EQ(driver.call("PUT", "/jobs/j/cancel", R"({"reasonCode":"lower"})").status, 400);
  EXPECT_EQ(driver.call("PUT", "/jobs/j/cancel?force=1").status, 400);
  EXPECT_EQ(driver.call("PUT", "/jobs/none/cancel").status, 404);
  driver.update("t", "j", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(driver.call("PUT", "/jobs/j/cancel").error_type, "InvalidRequestException");
}

TEST(EndpointDeleteJobTest, JobInProgressNeedsForce) {
  Driver driver;
  driver.create("j", "t");
  driver.start_next("t");
  EXPECT_EQ(driver.call("DELETE", "/jobs/j").error_type, "InvalidStateTransitionException");
  const auto answer = driver.call("DELETE", "/jobs/j?force=true");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text, "");
  EXPECT_EQ(driver.describe("t", "j").status, 404);
  EXPECT_EQ(driver.start_next("t").text, "{}");
  EXPECT_EQ(driver.call("GET", "/jobs/j").status, 404);
}

TEST(EndpointDeleteJobTest, EndedJobIsDeletedAndItsIdFree) {
  Driver driver;
  driver.create("j", "t", retries({{"FAILED", 1}}));
  driver.update("t", "j", R"({"status":"FAILED"})");
  driver.update("t", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.call("DELETE", "/jobs/j").status, 200);
  EXPECT_EQ(driver.create("j", "t").status, 200);
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["executionNumber"], 1);
}

TEST(EndpointDeleteJobTest, TimersOfADeletedJobAreForgotten) {
  Driver driver;
  driver.create("j", "t", {{"timeoutConfig", {{"inProgressTimeoutInMinutes", 5}}}});
  driver.start_next("t");
  driver.call("DELETE", "/jobs/j?force=true");
  driver.create("k", "t");
  driver.now += minutes(6);
  EXPECT_EQ(driver.start_next("t").body["execution"]["jobId"], "k");
}

TEST(EndpointRetryTest, FailedIsTriedAgainBehindTheOthers) {
  Driver driver;
  driver.create("j", "t", retries({{"FAILED", 1}}));
  driver.create("k", "t");
  driver.start_next("t", R"({"statusDetails":{"a":"1"}})");
  driver.now += seconds(7);
  driver.update("t", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.start_next("t").body["execution"]["jobId"], "k");
  const Json retry = driver.describe("t", "j").body["execution"];
  EXPECT_EQ(retry["executionNumber"], 2);
  EXPECT_EQ(retry["versionNumber"], 1);
  EXPECT_EQ(retry["status"], "QUEUED");
  EXPECT_EQ(retry["queuedAt"], start_second + 7);
  EXPECT_FALSE(retry.contains("statusDetails"));
  EXPECT_EQ(driver.describe("t", "j", "?executionNumber=1").body["execution"]["status"], "FAILED");
  EXPECT_EQ(driver.job("j")["jobProcessDetails"]["numberOfFailedThings"], 0);
  // The first try has ended for good; the second is the one that is meant without a number.
  EXPECT_EQ(driver.update("t", "j", R"({"status":"IN_PROGRESS","executionNumber":1})").status, 409);
  EXPECT_EQ(driver.update("t", "j", R"({"status":"IN_PROGRESS","expectedVersion":1})").status, 200);
}

TEST(EndpointRetryTest, RetriesEndWithTheirNumberAndThenTheJobCompletes) {
  Driver driver;
  driver.create("j", "t", retries({{"FAILED", 2}}));
  for (int number = 1; number <= 3; ++number) {
    EXPECT_EQ(driver.start_next("t").body["execution"]["executionNumber"], number);
    EXPECT_EQ(driver.job("j")["status"], "IN_PROGRESS");
    driver.update("t", "j", R"({"status":"FAILED"})");
  }
  EXPECT_EQ(driver.start_next("t").text, "{}");
  EXPECT_EQ(driver.job("j")["status"], "COMPLETED");
  EXPECT_EQ(driver.job("j")["jobProcessDetails"]["numberOfFailedThings"], 1);
}

TEST(EndpointRetryTest, EachKindOfFailureHasItsOwnCount) {
  Driver driver;
  driver.create("j", "t", retries({{"TIMED_OUT", 1}}));
  driver.start_next("t", R"({"stepTimeoutInMinutes":1})");
  driver.now += minutes(2);
  EXPECT_EQ(driver.start_next("t").body["execution"]["executionNumber"], 2);
  EXPECT_EQ(driver.describe("t", "j").body["execution"]["queuedAt"], start_second + 60);
  driver.update("t", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.start_next("t").text, "{}");
}

TEST(EndpointRetryTest, OneKindsRetriesAreNotUsedUpByTheOther) {
  Driver driver;
  driver.create("j", "t", retries({{"FAILED", 1}, {"TIMED_OUT", 1}}));
  driver.start_next("t");
  driver.update("t", "j", R"({"status":"FAILED"})");
  driver.start_next("t", R"({"stepTimeoutInMinutes":1})");
  driver.now += minutes(1);
  EXPECT_EQ(driver.start_next("t").body["execution"]["executionNumber"], 3);
  driver.update("t", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.start_next("t").text, "{}");
}

TEST(EndpointRetryTest, AllCountsBothKindsTogether) {
  Driver driver;
  driver.create("j", "t", retries({{"ALL", 2}}));
  driver.start_next("t", R"({"stepTimeoutInMinutes":1})");
  driver.now += minutes(1);
  driver.start_next("t");
  driver.update("t", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.start_next("t").body["execution"]["executionNumber"], 3);
  driver.update("t", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.start_next("t").text, "{}");
}

TEST(EndpointRetryTest, RejectedSucceededAndCanceledAreNotRetried) {
  for (const char* status : {"REJECTED", "SUCCEEDED"}) {
    Driver driver;
    driver.create("j", "t", retries({{"ALL", 5}}));
    driver.update("t", "j", std::string(R"({"status":")") + status + R"("})");
    EXPECT_EQ(driver.start_next("t").text, "{}") << status;
  }
  Driver driver;
  driver.create("j", "t", retries({{"ALL", 5}}));
  driver.start_next("t");
  driver.call("PUT", "/jobs/j/cancel");
  driver.update("t", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.start_next("t").text, "{}");
}

TEST(EndpointAbortTest, JobIsCanceledWhenEnoughThingsFailed) {
  Driver driver;
  driver.create_for("j", {"a", "b", "c", "d"}, abort_when("FAILED", 50, 2));
  driver.start_next("c");
  driver.update("a", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.job("j")["status"], "IN_PROGRESS");
  driver.update("b", "j", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(driver.job("j")["status"], "CANCELED");
  EXPECT_EQ(driver.describe("d", "j").body["execution"]["status"], "CANCELED");
  EXPECT_EQ(driver.describe("c", "j").body["execution"]["status"], "IN_PROGRESS");
}

TEST(EndpointAbortTest, OtherFailuresDoNotCountUnlessAllDo) {
  Driver driver;
  driver.create_for("j", {"a", "b"}, abort_when("TIMED_OUT", 50, 1));
  driver.update("a", "j", R"({"status":"FAILED"})");
  EXPECT_EQ(driver.job("j")["status"], "IN_PROGRESS");
  driver.create_for("k", {"a", "b"}, abort_when("ALL", 50, 1));
  driver.update("a", "k", R"({"status":"REJECTED"})");
  EXPECT_EQ(driver.job("k")["status"], "CANCELED");
}

}  // namespace
}  // namespace jobs_endpoint
