#include "bridge/jobs/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobs/fixtures.h"

namespace jobs_bridge {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing_support::request_of;

TEST(CallTest, GetPendingReadsTheThingsJobs) {
  const auto call = build_call(request_of(Operation::get_pending, R"({"clientToken":"t"})"));
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.target, "/things/T/jobs");
  EXPECT_EQ(call.body, "");
  EXPECT_TRUE(call.repeatable);
}

TEST(CallTest, StartNextPutsToNext) {
  const auto call = build_call(request_of(Operation::start_next));
  EXPECT_EQ(call.method, "PUT");
  EXPECT_EQ(call.target, "/things/T/jobs/$next");
  EXPECT_EQ(call.body, "{}");
  EXPECT_TRUE(call.repeatable) << "an execution in progress is handed out again";
}

TEST(CallTest, StartNextCarriesItsMembersAndNoToken) {
  const auto call = build_call(request_of(
      Operation::start_next,
      R"({"clientToken":"t","thingName":"x","stepTimeoutInMinutes":5,"statusDetails":{"a" : "\u00e9"}})"));
  EXPECT_EQ(call.body, R"({"statusDetails":{"a" : "\u00e9"},"stepTimeoutInMinutes":5})");
}

TEST(CallTest, DescribeSaysWhetherTheDocumentIsWanted) {
  EXPECT_EQ(build_call(request_of(Operation::describe)).target,
            "/things/T/jobs/job-1?includeJobDocument=true");
  EXPECT_EQ(build_call(request_of(Operation::describe, R"({"includeJobDocument":false})")).target,
            "/things/T/jobs/job-1?includeJobDocument=false");
  EXPECT_EQ(build_call(request_of(Operation::describe, R"({"includeJobDocument":true})")).target,
            "/things/T/jobs/job-1?includeJobDocument=true");
}

TEST(CallTest, QueryIsInTheOrderThatIsSigned) {
  const auto call = build_call(
      request_of(Operation::describe, R"({"includeJobDocument":false,"executionNumber":12})"));
  EXPECT_EQ(call.target, "/things/T/jobs/job-1?executionNumber=12&includeJobDocument=false");
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.body, "");
  EXPECT_TRUE(call.repeatable);
}

TEST(CallTest, NextAsAJobIdIsEscapedAsTheSdksDo) {
  EXPECT_EQ(build_call(request_of(Operation::describe, {}, "T", "$next")).target,
            "/things/T/jobs/%24next?includeJobDocument=true");
}

TEST(CallTest, UpdatePostsToTheJob) {
  const auto call = build_call(request_of(Operation::update, R"({"status":"FAILED"})"));
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/things/T/jobs/job-1");
  EXPECT_EQ(call.body, R"({"status":"FAILED"})");
  EXPECT_FALSE(call.repeatable);
}

TEST(CallTest, UpdateCarriesAllMembersInTheirHttpTypes) {
  const auto call = build_call(
      request_of(Operation::update,
                 R"({"clientToken":"t","jobId":"x","status":"SUCCEEDED","statusDetails":{"k":"v"},)"
                 R"("expectedVersion":"2","executionNumber":3,"includeJobExecutionState":true,)"
                 R"("includeJobDocument":false,"stepTimeoutInMinutes":-1})"));
  EXPECT_EQ(call.body,
            R"({"status":"SUCCEEDED","statusDetails":{"k":"v"},"stepTimeoutInMinutes":-1,)"
            R"("expectedVersion":2,"includeJobExecutionState":true,"includeJobDocument":false,)"
            R"("executionNumber":3})");
}

TEST(CallTest, ColonsInThingNamesAreEscaped) {
  for (const auto operation : every_operation) {
    const auto call = build_call(request_of(operation, {}, ":my:thing_1:", "j_-9"));
    EXPECT_TRUE(call.target.starts_with("/things/%3Amy%3Athing_1%3A/jobs")) << call.target;
  }
}

TEST(CallTest, EveryCallSaysWhatItSendsAndWhatItTakes) {
  for (const auto operation : every_operation) {
    EXPECT_THAT(
        build_call(request_of(operation)).headers,
        ElementsAre(Pair("Content-Type", "application/json"), Pair("Accept", "application/json")));
  }
}

TEST(CallTest, ValuesGoInTheTypesOfTheApi) {
  EXPECT_EQ(
      build_call(request_of(Operation::update,
                            R"({"status":true,"statusDetails":{"up":12.5,"ok":false,"no":null},)"
                            R"("expectedVersion":"2","executionNumber":"3",)"
                            R"("includeJobExecutionState":"true","includeJobDocument":"false",)"
                            R"("stepTimeoutInMinutes":"5"})"))
          .body,
      R"({"status":"true","statusDetails":{"up":"12.5","ok":"false"},"stepTimeoutInMinutes":5,)"
      R"("expectedVersion":2,"includeJobExecutionState":true,"includeJobDocument":false,)"
      R"("executionNumber":3})");
  EXPECT_EQ(build_call(request_of(Operation::describe,
                                  R"({"executionNumber":"12","includeJobDocument":"false"})"))
                .target,
            "/things/T/jobs/job-1?executionNumber=12&includeJobDocument=false");
}

TEST(CallTest, WhatCannotBeConvertedGoesAsItCame) {
  EXPECT_EQ(
      build_call(request_of(Operation::update, R"({"status":["FAILED"],"statusDetails":"done",)"
                                               R"("expectedVersion":1.50,"includeJobDocument":1})"))
          .body,
      R"({"status":["FAILED"],"statusDetails":"done","expectedVersion":1.50,)"
      R"("includeJobDocument":1})");
  EXPECT_EQ(
      build_call(request_of(Operation::start_next, R"({"stepTimeoutInMinutes":"soon"})")).body,
      R"({"stepTimeoutInMinutes":"soon"})");
  EXPECT_EQ(build_call(request_of(Operation::update, R"({"expectedVersion":1})")).body,
            R"({"expectedVersion":1})")
      << "that the status is missing is the endpoint's to say";
}

TEST(CallTest, AStatusIsAStringWhateverItHolds) {
  EXPECT_EQ(build_call(request_of(Operation::update, R"({"status":"\"},\u000a\u00e9"})")).body,
            "{\"status\":\"\\\"},\\n\xC3\xA9\"}");
}

TEST(CallTest, WhatCannotBeConvertedIsEscapedInTheQuery) {
  EXPECT_EQ(
      build_call(request_of(Operation::describe,
                            R"({"executionNumber":[1],"includeJobDocument":"yes&x=\u00e9 #"})"))
          .target,
      "/things/T/jobs/job-1?executionNumber=%5B1%5D&includeJobDocument=yes%26x%3D%C3%A9%20%23");
}

TEST(CallTest, JobIdsAreEscaped) {
  const std::string id = "fw-1.2_~ a:b?c=d&e%2f\\\xC3\xA4\xFF";
  const std::string escaped = "fw-1.2_~%20a%3Ab%3Fc%3Dd%26e%252f%5C%C3%A4%FF";
  EXPECT_EQ(build_call(request_of(Operation::update, {}, "T", id)).target,
            "/things/T/jobs/" + escaped);
  EXPECT_EQ(build_call(request_of(Operation::describe, {}, "T", id)).target,
            "/things/T/jobs/" + escaped + "?includeJobDocument=true");
}

}  // namespace
}  // namespace jobs_bridge
