#include "tests/endpoint/call_log.h"

#include <gtest/gtest.h>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint {
namespace {

using testing::Driver;

TEST(EndpointCallsTest, CountsPerOperationAndPerThing) {
  Driver driver;
  driver.create("j", "a");
  driver.start_next("a");
  driver.start_next("b");
  driver.update("a", "j", R"({"status":"SUCCEEDED"})");
  const Json calls = driver.calls();
  EXPECT_EQ(calls["total"], 4);
  EXPECT_EQ(
      calls["operations"],
      (Json{{"StartNextPendingJobExecution", 2}, {"UpdateJobExecution", 1}, {"CreateJob", 1}}));
  EXPECT_EQ(calls["things"],
            (Json{{"a", {{"StartNextPendingJobExecution", 1}, {"UpdateJobExecution", 1}}},
                  {"b", {{"StartNextPendingJobExecution", 1}}}}));
}

TEST(EndpointCallsTest, ListHoldsTheCallAsItCame) {
  Driver driver;
  driver.update("my%3At", "j", R"({ "status":"SUCCEEDED"})");
  const Json call = driver.calls()["calls"][0];
  EXPECT_EQ(call["sequence"], 1);
  EXPECT_EQ(call["operation"], "UpdateJobExecution");
  EXPECT_EQ(call["thing"], "my:t");
  EXPECT_EQ(call["jobId"], "j");
  EXPECT_EQ(call["status"], 404);
  EXPECT_EQ(call["method"], "POST");
  EXPECT_EQ(call["target"], "/things/my%3At/jobs/j");
  EXPECT_EQ(call["contentType"], "application/json");
  EXPECT_EQ(call["body"], R"({ "status":"SUCCEEDED"})");
  EXPECT_FALSE(call.contains("fault"));
}

TEST(EndpointCallsTest, OwnControlIsNotLogged) {
  Driver driver;
  driver.call("GET", "/_faults");
  driver.calls();
  EXPECT_EQ(driver.calls()["total"], 0);
}

TEST(EndpointCallsTest, AnswerThatNeverCameHasNoStatus) {
  Driver driver;
  driver.call("PUT", "/_faults", R"({"kind":"hang"})");
  driver.delivers = false;
  driver.pending("t");
  const Json call = driver.calls()["calls"][0];
  EXPECT_TRUE(call["status"].is_null());
  EXPECT_TRUE(call["answeredAt"].is_null());
  EXPECT_EQ(call["fault"], "hang");
}

TEST(EndpointCallsTest, LimitAndThingChooseTheLatestInOrder) {
  Driver driver;
  for (const char* thing : {"a", "b", "a", "b", "a"}) driver.pending(thing);
  EXPECT_EQ(driver.calls("?limit=2")["calls"].size(), 2U);
  EXPECT_EQ(driver.calls("?limit=2")["calls"][0]["sequence"], 4);
  const Json chosen = driver.calls("?limit=2&thing=a");
  EXPECT_EQ(chosen["calls"][0]["sequence"], 3);
  EXPECT_EQ(chosen["calls"][1]["sequence"], 5);
  EXPECT_EQ(chosen["things"].size(), 1U);
  EXPECT_EQ(driver.call("GET", "/_calls?limit=x").status, 400);
  EXPECT_EQ(driver.call("GET", "/_calls?limit=-1").status, 400);
}

TEST(EndpointCallsTest, DeleteStartsAnew) {
  Driver driver;
  driver.pending("t");
  EXPECT_EQ(driver.call("DELETE", "/_calls").body["total"], 0);
  driver.pending("t");
  EXPECT_EQ(driver.calls()["total"], 1);
}

TEST(EndpointCallsTest, BodyThatIsNoTextIsShownWithReplacements) {
  Driver driver;
  driver.start_next("t", "\xFF");
  EXPECT_EQ(driver.calls()["calls"][0]["body"], "\xEF\xBF\xBD");
}

TEST(EndpointCallsTest, ListForgetsTheOldestWhereCountsDoNot) {
  CallLog log(2, 1000);
  for (int call = 0; call < 3; ++call)
    log.arrived({.operation = Operation::get_pending, .thing = "t"});
  log.answered(1, 200, testing::start);
  log.answered(3, 200, testing::start);
  log.answered(4, 200, testing::start);
  const Json shape = log.shape(10, "");
  EXPECT_EQ(shape["total"], 3);
  ASSERT_EQ(shape["calls"].size(), 2U);
  EXPECT_EQ(shape["calls"][0]["sequence"], 2);
  EXPECT_EQ(shape["calls"][1]["status"], 200);
}

TEST(EndpointCallsTest, BodiesAreBoundedTogether) {
  CallLog log(10, 100);
  for (int call = 0; call < 5; ++call) log.arrived({.body = std::string(40, 'x')});
  EXPECT_EQ(log.shape(10, "")["calls"].size(), 2U);
}

TEST(EndpointCallsTest, UnknownControlPathSaysWhatThereIs) {
  Driver driver;
  const auto answer = driver.call("POST", "/_calls");
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.text.find("/_faults"), std::string::npos);
}

}  // namespace
}  // namespace jobs_endpoint
