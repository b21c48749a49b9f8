#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/interop/aws_environment.h"
#include "tests/support/certificates.h"
#include "tests/support/jobs_endpoint.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

/// A call of boto3_calls.py.
json data(const char* method, json arguments) {
  return json::array({"iot-jobs-data", method, std::move(arguments)});
}
json control(const char* method, json arguments) {
  return json::array({"iot", method, std::move(arguments)});
}
json update(const char* job, const char* status, json more = json::object()) {
  json arguments = {{"thingName", "lamp"}, {"jobId", job}, {"status", status}};
  arguments.update(more);
  return data("update_job_execution", std::move(arguments));
}

/// Makes the calls in their order with one boto3; returns what came of each.
std::vector<json> outcomes(const JobsEndpoint& endpoint, const json& calls,
                           const std::string& ca_file = {}) {
  std::vector<std::string> command = {PYTHON, INTEROP_SOURCES "/boto3_calls.py", endpoint.url(),
                                      calls.dump()};
  if (!ca_file.empty()) command.push_back(ca_file);
  Process process(with_aws_environment(command));
  EXPECT_EQ(process.wait(std::chrono::seconds(60)), 0) << process.output();
  std::vector<json> found;
  std::istringstream lines(process.output());
  for (std::string line; std::getline(lines, line);) {
    auto outcome = json::parse(line, nullptr, false);
    EXPECT_TRUE(outcome.is_object()) << line;
    found.push_back(outcome.is_object() ? std::move(outcome) : json());
  }
  EXPECT_EQ(found.size(), calls.size()) << process.output();
  found.resize(calls.size());
  return found;
}

void expect_exception(const json& outcome, const char* name, int status) {
  // boto3 makes a class of this name only for an error that the API model knows for this service.
  EXPECT_EQ(outcome.value("exception", ""), name) << outcome;
  EXPECT_EQ(outcome.value("code", ""), name) << outcome;
  EXPECT_EQ(outcome.value("status", 0), status) << outcome;
  EXPECT_NE(outcome.value("message", ""), "") << outcome;
  EXPECT_TRUE(outcome.contains("request") && outcome["request"].is_string()) << outcome;
}

TEST(Boto3Test, WholeJob) {
  JobsEndpoint endpoint;
  const json lamp = {{"thingName", "lamp"}};
  const auto seen = outcomes(
      endpoint,
      {control("create_job", {{"jobId", "job-1"},
                              {"targets", {"arn:aws:iot:eu-west-1:123456789012:thing/lamp"}},
                              {"document", R"({"operation":"blink"})"},
                              {"timeoutConfig", {{"inProgressTimeoutInMinutes", 10}}}}),
       data("get_pending_job_executions", lamp),
       data("describe_job_execution", {{"thingName", "lamp"}, {"jobId", "$next"}}),
       data("start_next_pending_job_execution",
            {{"thingName", "lamp"}, {"statusDetails", {{"step", "begun"}}}}),
       update("job-1", "IN_PROGRESS",
              {{"statusDetails", {{"step", "half"}}},
               {"expectedVersion", 2},
               {"includeJobExecutionState", true},
               {"includeJobDocument", true}}),
       data("describe_job_execution",
            {{"thingName", "lamp"}, {"jobId", "job-1"}, {"includeJobDocument", false}}),
       update("job-1", "SUCCEEDED"), data("get_pending_job_executions", lamp),
       data("start_next_pending_job_execution", lamp),
       control("describe_job", {{"jobId", "job-1"}}), control("delete_job", {{"jobId", "job-1"}})});

  EXPECT_EQ(seen[0],
            (json{{"jobArn", "arn:aws:iot:eu-west-1:123456789012:job/job-1"}, {"jobId", "job-1"}}));
  EXPECT_EQ(seen[1]["queuedJobs"][0]["jobId"], "job-1");
  EXPECT_EQ(seen[2]["execution"]["status"], "QUEUED");
  EXPECT_EQ(seen[3]["execution"]["status"], "IN_PROGRESS");
  EXPECT_EQ(seen[3]["execution"]["jobDocument"], R"({"operation":"blink"})");
  EXPECT_GE(seen[3]["execution"]["approximateSecondsBeforeTimedOut"], 590);
  EXPECT_EQ(seen[4]["executionState"], (json{{"status", "IN_PROGRESS"},
                                             {"statusDetails", {{"step", "half"}}},
                                             {"versionNumber", 3}}));
  EXPECT_EQ(seen[4]["jobDocument"], R"({"operation":"blink"})");
  EXPECT_EQ(seen[5]["execution"]["versionNumber"], 3);
  EXPECT_FALSE(seen[5]["execution"].contains("jobDocument"));
  EXPECT_EQ(seen[6], json::object());
  EXPECT_EQ(seen[7], (json{{"inProgressJobs", json::array()}, {"queuedJobs", json::array()}}));
  EXPECT_EQ(seen[8], json::object());
  EXPECT_EQ(seen[9]["job"]["status"], "COMPLETED");
  EXPECT_THAT(seen[9]["job"].value("completedAt", ""), testing::StartsWith("20"));
  EXPECT_EQ(seen[10], json::object());
}

TEST(Boto3Test, EveryModelledExceptionIsRaisedAsItself) {
  JobsEndpoint endpoint({.arguments = {"--reject-terminal-describe"}});
  endpoint.create_job("done", {"lamp"});
  endpoint.create_job("waiting", {"lamp"});
  // What the emulator has no cause of its own for.
  endpoint.set_fault({{{"kind", "status"}, {"thing", "away"}, {"status", 503}},
                      {{"kind", "status"},
                       {"thing", "stranger"},
                       {"status", 400},
                       {"error_type", "CertificateValidationException"}}});
  const auto pending = [](const char* thing) {
    return data("get_pending_job_executions", {{"thingName", thing}});
  };
  const auto seen = outcomes(
      endpoint,
      {update("done", "SUCCEEDED"), update("waiting", "TIMED_OUT"), update("none", "SUCCEEDED"),
       update("done", "IN_PROGRESS"), update("waiting", "IN_PROGRESS", {{"expectedVersion", 9}}),
       data("describe_job_execution", {{"thingName", "lamp"}, {"jobId", "done"}}), pending("away"),
       pending("stranger")});
  EXPECT_EQ(seen[0], json::object());
  expect_exception(seen[1], "InvalidRequestException", 400);
  expect_exception(seen[2], "ResourceNotFoundException", 404);
  expect_exception(seen[3], "InvalidStateTransitionException", 409);
  expect_exception(seen[4], "InvalidStateTransitionException", 409);
  EXPECT_EQ(seen[4]["message"], "Expected version 9 but found version 1");
  expect_exception(seen[5], "TerminalStateException", 410);
  expect_exception(seen[6], "ServiceUnavailableException", 503);
  expect_exception(seen[7], "CertificateValidationException", 400);
}

TEST(Boto3Test, ThrottledCallRaisesThrottlingException) {
  // One call, and the next in a thousand seconds.
  JobsEndpoint endpoint({.arguments = {"--reads-per-second", "0.001"}});
  const auto pending = data("get_pending_job_executions", {{"thingName", "lamp"}});
  const auto seen = outcomes(endpoint, {pending, pending});
  EXPECT_FALSE(seen[0].contains("exception")) << seen[0];
  expect_exception(seen[1], "ThrottlingException", 429);
}

TEST(Boto3Test, ExceptionsOfTheControlPlane) {
  JobsEndpoint endpoint;
  endpoint.create_job("job-1", {"lamp"});
  const json lamp = json::array({"arn:aws:iot:eu-west-1:123456789012:thing/lamp"});
  const auto seen = outcomes(
      endpoint,
      {control("create_job", {{"jobId", "job-1"}, {"targets", lamp}, {"document", "{}"}}),
       control("create_job", {{"jobId", "job-2"}, {"targets", lamp}, {"document", "{"}}),
       control("describe_job", {{"jobId", "job-2"}}), control("delete_job", {{"jobId", "job-1"}})});
  expect_exception(seen[0], "ResourceAlreadyExistsException", 409);
  EXPECT_EQ(seen[0]["members"],
            (json{{"resourceId", "job-1"},
                  {"resourceArn", "arn:aws:iot:eu-central-1:123456789012:job/job-1"}}));
  expect_exception(seen[1], "InvalidRequestException", 400);
  expect_exception(seen[2], "ResourceNotFoundException", 404);
  expect_exception(seen[3], "InvalidStateTransitionException", 409);
}

TEST(Boto3Test, WorksOverTls) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  JobsEndpoint endpoint({.tls = authority.issue("endpoint", {.dns_names = {"localhost"},
                                                             .addresses = {"127.0.0.1"}})});
  endpoint.create_job("job-1", {"lamp"});
  const auto seen = outcomes(
      endpoint, json::array({data("start_next_pending_job_execution", {{"thingName", "lamp"}})}),
      authority.certificate_file());
  EXPECT_EQ(seen[0]["execution"]["jobId"], "job-1");
}

}  // namespace
}  // namespace jobs_bridge::testing_support
