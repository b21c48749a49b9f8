#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint {
namespace {

using std::chrono::seconds;
using testing::Answer;
using testing::Driver;

std::vector<std::string> ids(const Json& jobs) {
  std::vector<std::string> found;
  for (const Json& job : jobs) found.push_back(job["jobId"]);
  return found;
}

using Ids = std::vector<std::string>;

TEST(EndpointListJobsTest, JobsAreInOrderOfCreation) {
  Driver driver;
  EXPECT_EQ(driver.call("GET", "/jobs").text, R"({"jobs":[]})");
  for (const char* job : {"c", "a", "b"}) driver.create(job, "t");
  const auto answer = driver.call("GET", "/jobs");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(ids(answer.body["jobs"]), (Ids{"c", "a", "b"}));
  EXPECT_FALSE(answer.body.contains("nextToken"));
  const Json& job = answer.body["jobs"][0];
  EXPECT_EQ(job["jobArn"], "arn:aws:iot:eu-west-1:123456789012:job/c");
  EXPECT_EQ(job["status"], "IN_PROGRESS");
  EXPECT_EQ(job["targetSelection"], "SNAPSHOT");
  EXPECT_EQ(job["createdAt"], 1767225600.25);
}

TEST(EndpointListJobsTest, StatusAndTargetSelectionChoose) {
  Driver driver;
  driver.create("done", "t");
  driver.update("t", "done", R"({"status":"SUCCEEDED"})");
  driver.create("open", "t");
  driver.create("lasting", "t", {{"targetSelection", "CONTINUOUS"}});
  EXPECT_EQ(ids(driver.call("GET", "/jobs?status=COMPLETED").body["jobs"]), (Ids{"done"}));
  EXPECT_EQ(ids(driver.call("GET", "/jobs?status=IN_PROGRESS").body["jobs"]),
            (Ids{"open", "lasting"}));
  EXPECT_EQ(ids(driver.call("GET", "/jobs?targetSelection=CONTINUOUS").body["jobs"]),
            (Ids{"lasting"}));
}

TEST(EndpointListJobsTest, PagesHoldEveryJobOnceWhateverIsDeletedMeanwhile) {
  Driver driver;
  for (const char* job : {"a", "b", "c", "d"}) driver.create(job, "t");
  const auto first = driver.call("GET", "/jobs?maxResults=2");
  EXPECT_EQ(ids(first.body["jobs"]), (Ids{"a", "b"}));
  driver.call("DELETE", "/jobs/a?force=true");
  const std::string token = first.body["nextToken"];
  const auto second = driver.call("GET", "/jobs?maxResults=2&nextToken=" + token);
  EXPECT_EQ(ids(second.body["jobs"]), (Ids{"c", "d"}));
  EXPECT_FALSE(second.body.contains("nextToken"));
}

TEST(EndpointListJobsTest, WrongParametersAreRefusedByName) {
  Driver driver;
  driver.create("j", "t");
  for (const char* query :
       {"maxResults=0", "maxResults=251", "maxResults=x", "nextToken=x", "nextToken=-1",
        "status=QUEUED", "targetSelection=x", "thingGroupName=g", "namespaceId=n"}) {
    const auto answer = driver.call("GET", std::string("/jobs?") + query);
    EXPECT_EQ(answer.error_type, "InvalidRequestException") << query;
    const std::string name(query, std::string(query).find('='));
    EXPECT_NE(answer.text.find(name), std::string::npos) << answer.text;
  }
  EXPECT_EQ(driver.call("GET", "/jobs/j/things?status=x").error_type, "InvalidRequestException");
}

TEST(EndpointListExecutionsTest, ShowsTheLatestExecutionOfEachThing) {
  Driver driver;
  driver.create_for("j", {"t:1", "t2"},
                    {{"jobExecutionsRetryConfig",
                      {{"criteriaList", {{{"failureType", "FAILED"}, {"numberOfRetries", 1}}}}}}});
  driver.now += seconds(5);
  driver.start_next("t:1");
  driver.update("t:1", "j", R"({"status":"FAILED"})");
  driver.start_next("t2");
  const auto answer = driver.call("GET", "/jobs/j/things");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["executionSummaries"],
            (Json{{{"thingArn", "arn:aws:iot:eu-west-1:123456789012:thing/t2"},
                   {"jobExecutionSummary",
                    {{"status", "IN_PROGRESS"},
                     {"queuedAt", 1767225600.25},
                     {"startedAt", 1767225605.25},
                     {"lastUpdatedAt", 1767225605.25},
                     {"executionNumber", 1},
                     {"retryAttempt", 0}}}},
                  {{"thingArn", "arn:aws:iot:eu-west-1:123456789012:thing/t:1"},
                   {"jobExecutionSummary",
                    {{"status", "QUEUED"},
                     {"queuedAt", 1767225605.25},
                     {"lastUpdatedAt", 1767225605.25},
                     {"executionNumber", 2},
                     {"retryAttempt", 1}}}}}));
  EXPECT_EQ(driver.call("GET", "/jobs/j/things?status=QUEUED").body["executionSummaries"].size(),
            1U);
  EXPECT_EQ(driver.call("GET", "/jobs/none/things").error_type, "ResourceNotFoundException");
}

TEST(EndpointJobDocumentTest, IsWhatCreateJobWasGiven) {
  Driver driver;
  driver.create("j", "t", {{"document", R"({ "a" : 1.50 })"}});
  EXPECT_EQ(driver.call("GET", "/jobs/j/job-document").body,
            (Json{{"document", R"({ "a" : 1.50 })"}}));
  EXPECT_EQ(driver.call("GET", "/jobs/none/job-document").error_type, "ResourceNotFoundException");
}

}  // namespace
}  // namespace jobs_endpoint
