#include "tests/endpoint/route.h"

#include <gtest/gtest.h>

namespace jobs_endpoint {
namespace {

TEST(EndpointRouteTest, EachMethodAndPathIsItsOperation) {
  EXPECT_EQ(route_of("GET", "/things/t/jobs").operation, Operation::get_pending);
  EXPECT_EQ(route_of("PUT", "/things/t/jobs/$next").operation, Operation::start_next);
  EXPECT_EQ(route_of("GET", "/things/t/jobs/j").operation, Operation::describe_execution);
  EXPECT_EQ(route_of("POST", "/things/t/jobs/j").operation, Operation::update_execution);
  EXPECT_EQ(route_of("PUT", "/jobs/j").operation, Operation::create_job);
  EXPECT_EQ(route_of("GET", "/jobs/j").operation, Operation::describe_job);
  EXPECT_EQ(route_of("PUT", "/jobs/j/cancel").operation, Operation::cancel_job);
  EXPECT_EQ(route_of("DELETE", "/jobs/j").operation, Operation::delete_job);
  EXPECT_EQ(route_of("GET", "/jobs/j/job-document").operation, Operation::get_job_document);
  EXPECT_EQ(route_of("GET", "/jobs/j/things").operation, Operation::list_job_executions);
  EXPECT_EQ(route_of("GET", "/jobs?maxResults=1").operation, Operation::list_jobs);
}

TEST(EndpointRouteTest, BothWireFormsOfNextAndOfAColonMeanTheSame) {
  for (const char* target :
       {"/things/my:t/jobs/$next", "/things/my%3At/jobs/%24next", "/things/my%3at/jobs/$next"}) {
    const Route route = route_of("PUT", target);
    EXPECT_EQ(route.operation, Operation::start_next) << target;
    EXPECT_EQ(route.thing, "my:t");
    EXPECT_EQ(route.job, "$next");
  }
}

TEST(EndpointRouteTest, OtherMethodsAndPathsAreUnknown) {
  const std::pair<const char*, const char*> requests[] = {{"PUT", "/things/t/jobs/j"},
                                                          {"POST", "/things/t/jobs"},
                                                          {"GET", "/things/t/jobs/j/x"},
                                                          {"GET", "/things/t"},
                                                          {"GET", "/"},
                                                          {"GET", ""},
                                                          {"PATCH", "/jobs/j"},
                                                          {"PUT", "/jobs"},
                                                          {"GET", "/jobs/j/cancel"},
                                                          {"PUT", "/jobs/j/things"},
                                                          {"GET", "/jobs/j/things/t"},
                                                          {"POST", "/jobs/j/cancel"},
                                                          {"PUT", "/jobs/j/cancle"},
                                                          {"GET", "*"},
                                                          {"GET", "/thing/t/jobs"},
                                                          {"GET", "things/t/jobs"},
                                                          {"GET", "//things/t/jobs"},
                                                          {"PUT", "/things/t/job/$next"}};
  for (const auto& [method, target] : requests) {
    EXPECT_EQ(route_of(method, target).operation, Operation::unknown) << method << " " << target;
  }
}

TEST(EndpointRouteTest, EscapedSlashStaysInsideItsSegment) {
  const Route route = route_of("GET", "/things/a%2Fb/jobs");
  EXPECT_EQ(route.operation, Operation::get_pending);
  EXPECT_EQ(route.thing, "a/b");
}

TEST(EndpointRouteTest, BrokenEscapeStaysAsItIs) {
  EXPECT_EQ(route_of("GET", "/things/a%zz/jobs").thing, "a%zz");
  EXPECT_EQ(route_of("GET", "/things/t/jobs/a%2").job, "a%2");
}

TEST(EndpointRouteTest, QueryParametersAreDecoded) {
  const Route route =
      route_of("GET", "/things/t/jobs/j?executionNumber=2&include%4aobDocument=false&flag&&x=");
  EXPECT_EQ(route.parameter("executionNumber"), "2");
  EXPECT_EQ(route.parameter("includeJobDocument"), "false");
  EXPECT_EQ(route.parameter("flag"), "");
  EXPECT_EQ(route.parameter("x"), "");
  EXPECT_EQ(route.parameter("absent"), std::nullopt);
}

TEST(EndpointRouteTest, AbsoluteFormMeansThePathInIt) {
  EXPECT_EQ(route_of("GET", "http://host:80/things/t/jobs").operation, Operation::get_pending);
  EXPECT_TRUE(is_emulator_control("https://host/_calls"));
  EXPECT_EQ(route_of("GET", "http://host").operation, Operation::unknown);
}

TEST(EndpointRouteTest, OperationsAreFoundByName) {
  EXPECT_EQ(operation_named("StartNextPendingJobExecution"), Operation::start_next);
  EXPECT_EQ(operation_named("Nonsense"), std::nullopt);
}

}  // namespace
}  // namespace jobs_endpoint
