#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/interop/aws_environment.h"
#include "tests/support/certificates.h"
#include "tests/support/jobs_endpoint.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string lamp_arn = "arn:aws:iot:eu-central-1:123456789012:thing/lamp:1";

/// The AWS CLI, as a user types it.
class AwsCli {
 public:
  explicit AwsCli(const JobsEndpoint& endpoint, std::string ca_file = {})
      : options_({"--endpoint-url", endpoint.url(), "--output", "json"}) {
    if (!ca_file.empty()) options_.insert(options_.end(), {"--ca-bundle", std::move(ca_file)});
  }

  /// What it prints; null if nothing. Fails if it does not exit with 0.
  json run(const std::vector<std::string>& arguments) {
    Process process(command(arguments));
    EXPECT_EQ(process.wait(std::chrono::seconds(60)), 0) << process.output();
    const auto output = process.output();
    return output.empty() ? json() : json::parse(output, nullptr, false);
  }
  json jobs_data(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "iot-jobs-data");
    return run(arguments);
  }
  json iot(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "iot");
    return run(arguments);
  }

  /// What it says when it fails. Fails if it exits with 0.
  std::string complaint(const std::vector<std::string>& arguments) {
    Process process(command(arguments));
    EXPECT_THAT(process.wait(std::chrono::seconds(60)), testing::Optional(testing::Ne(0)))
        << process.output();
    return process.output();
  }

 private:
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all = {AWS_CLI};
    all.insert(all.end(), options_.begin(), options_.end());
    all.insert(all.end(), arguments.begin(), arguments.end());
    return with_aws_environment(all);
  }

  std::vector<std::string> options_;
};

/// The stamps that the control plane's answers carry, as the CLI prints them.
const char* const iso_stamp = "20..-..-..T..:..:...*";

TEST(AwsCliTest, SignaturesOfBothPlanesAreTakenAndThoseOfAnotherSecretAreNot) {
  // The keys of with_aws_environment().
  JobsEndpoint endpoint(
      {.arguments = {"--sigv4", "AKIDEXAMPLE:secret", "--region", "eu-central-1"}});
  AwsCli aws(endpoint);
  const auto job = aws.iot({"create-job", "--job-id", "job-1", "--targets", lamp_arn, "--document",
                            R"({"operation":"blink"})"});
  EXPECT_EQ(job["jobId"], "job-1");
  const auto next = aws.jobs_data({"start-next-pending-job-execution", "--thing-name", "lamp:1"});
  EXPECT_EQ(next["execution"]["jobId"], "job-1");
  const auto described =
      aws.jobs_data({"describe-job-execution", "--thing-name", "lamp:1", "--job-id", "$next"});
  EXPECT_EQ(described["execution"]["jobId"], "job-1");

  JobsEndpoint other({.arguments = {"--sigv4", "AKIDEXAMPLE:another"}});
  EXPECT_THAT(AwsCli(other).complaint(
                  {"iot-jobs-data", "get-pending-job-executions", "--thing-name", "lamp:1"}),
              HasSubstr("InvalidSignatureException"));
}

TEST(AwsCliTest, DeviceSideOfAJob) {
  JobsEndpoint endpoint;
  endpoint.create_job("job-1", {"lamp:1"}, R"({"operation":"blink"})");
  AwsCli aws(endpoint);

  const auto pending = aws.jobs_data({"get-pending-job-executions", "--thing-name", "lamp:1"});
  EXPECT_EQ(pending["inProgressJobs"], json::array());
  ASSERT_EQ(pending["queuedJobs"].size(), 1U) << pending;
  EXPECT_EQ(pending["queuedJobs"][0]["jobId"], "job-1");
  EXPECT_EQ(pending["queuedJobs"][0]["versionNumber"], 1);

  const auto next =
      aws.jobs_data({"describe-job-execution", "--thing-name", "lamp:1", "--job-id", "$next"});
  EXPECT_EQ(next["execution"]["jobId"], "job-1");
  EXPECT_EQ(next["execution"]["status"], "QUEUED");

  const auto started =
      aws.jobs_data({"start-next-pending-job-execution", "--thing-name", "lamp:1",
                     "--status-details", "step=begun", "--step-timeout-in-minutes", "5"});
  EXPECT_EQ(started["execution"]["status"], "IN_PROGRESS");
  EXPECT_EQ(started["execution"]["statusDetails"], (json{{"step", "begun"}}));
  EXPECT_EQ(started["execution"]["jobDocument"], R"({"operation":"blink"})");
  EXPECT_EQ(started["execution"]["approximateSecondsBeforeTimedOut"], 300);

  const auto updated = aws.jobs_data({"update-job-execution", "--thing-name", "lamp:1", "--job-id",
                                      "job-1", "--status", "IN_PROGRESS", "--status-details",
                                      "step=half,progress=50", "--expected-version", "2",
                                      "--include-job-execution-state", "--include-job-document"});
  EXPECT_EQ(updated["executionState"],
            (json{{"status", "IN_PROGRESS"},
                  {"statusDetails", {{"step", "half"}, {"progress", "50"}}},
                  {"versionNumber", 3}}));
  EXPECT_EQ(updated["jobDocument"], R"({"operation":"blink"})");

  const auto described =
      aws.jobs_data({"describe-job-execution", "--thing-name", "lamp:1", "--job-id", "job-1",
                     "--execution-number", "1", "--no-include-job-document"});
  EXPECT_EQ(described["execution"]["versionNumber"], 3);
  EXPECT_FALSE(described["execution"].contains("jobDocument"));

  const auto ended = aws.jobs_data({"update-job-execution", "--thing-name", "lamp:1", "--job-id",
                                    "job-1", "--status", "SUCCEEDED"});
  EXPECT_TRUE(ended.is_null()) << ended;  // the CLI prints nothing of an empty answer
}

TEST(AwsCliTest, ErrorsHaveTheirNamesAndReasons) {
  JobsEndpoint endpoint;
  endpoint.create_job("job-1", {"lamp:1"});
  endpoint.create_job("job-2", {"lamp:1"});
  AwsCli aws(endpoint);
  const auto update = [&](std::vector<std::string> more) {
    std::vector<std::string> all = {"iot-jobs-data", "update-job-execution", "--thing-name",
                                    "lamp:1"};
    all.insert(all.end(), more.begin(), more.end());
    return aws.complaint(all);
  };
  aws.jobs_data({"update-job-execution", "--thing-name", "lamp:1", "--job-id", "job-1", "--status",
                 "FAILED"});
  EXPECT_THAT(update({"--job-id", "job-2", "--status", "IN_PROGRESS", "--expected-version", "99"}),
              testing::AllOf(HasSubstr("(InvalidStateTransitionException)"),
                             HasSubstr("Expected version 99 but found version 1")));
  EXPECT_THAT(update({"--job-id", "job-1", "--status", "SUCCEEDED"}),
              testing::AllOf(HasSubstr("(InvalidStateTransitionException)"),
                             HasSubstr("from FAILED to SUCCEEDED")));
  EXPECT_THAT(update({"--job-id", "job-3", "--status", "SUCCEEDED"}),
              testing::AllOf(HasSubstr("(ResourceNotFoundException)"), HasSubstr("'job-3'")));
  EXPECT_THAT(update({"--job-id", "job-2", "--status", "CANCELED"}),
              testing::AllOf(HasSubstr("(InvalidRequestException)"), HasSubstr("CANCELED")));
}

TEST(AwsCliTest, JobIsCreatedShownCanceledAndDeleted) {
  JobsEndpoint endpoint;
  AwsCli aws(endpoint);
  const auto created =
      aws.iot({"create-job", "--job-id", "job-1", "--targets", lamp_arn, "--document",
               R"({"operation":"blink"})", "--description", "test", "--timeout-config",
               "inProgressTimeoutInMinutes=10", "--job-executions-retry-config",
               "criteriaList=[{failureType=FAILED,numberOfRetries=1}]"});
  EXPECT_EQ(created, (json{{"jobArn", "arn:aws:iot:eu-central-1:123456789012:job/job-1"},
                           {"jobId", "job-1"},
                           {"description", "test"}}));

  const auto shown = aws.iot({"describe-job", "--job-id", "job-1"})["job"];
  EXPECT_EQ(shown["status"], "IN_PROGRESS");
  EXPECT_EQ(shown["targets"], json::array({lamp_arn}));
  EXPECT_EQ(shown["timeoutConfig"], (json{{"inProgressTimeoutInMinutes", 10}}));
  EXPECT_EQ(shown["jobProcessDetails"]["numberOfQueuedThings"], 1);
  EXPECT_THAT(shown.value("createdAt", ""), testing::MatchesRegex(iso_stamp));

  EXPECT_EQ(aws.iot({"get-job-document", "--job-id", "job-1"}),
            (json{{"document", R"({"operation":"blink"})"}}));
  const auto listed = aws.iot({"list-jobs", "--status", "IN_PROGRESS"})["jobs"];
  ASSERT_EQ(listed.size(), 1U) << listed;
  EXPECT_EQ(listed[0]["jobId"], "job-1");

  EXPECT_THAT(aws.complaint({"iot", "delete-job", "--job-id", "job-1"}),
              HasSubstr("(InvalidStateTransitionException)"));
  EXPECT_EQ(aws.iot({"cancel-job", "--job-id", "job-1", "--reason-code", "TEST", "--comment",
                     "no more", "--force"})["jobId"],
            "job-1");
  const auto executions = aws.iot({"list-job-executions-for-job", "--job-id", "job-1"});
  ASSERT_EQ(executions["executionSummaries"].size(), 1U) << executions;
  EXPECT_EQ(executions["executionSummaries"][0]["thingArn"], lamp_arn);
  EXPECT_EQ(executions["executionSummaries"][0]["jobExecutionSummary"]["status"], "CANCELED");

  EXPECT_TRUE(aws.iot({"delete-job", "--job-id", "job-1"}).is_null());
  EXPECT_THAT(aws.complaint({"iot", "describe-job", "--job-id", "job-1"}),
              HasSubstr("(ResourceNotFoundException)"));
}

TEST(AwsCliTest, WorksOverTlsWithTheRightAuthorityOnly) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  JobsEndpoint endpoint({.tls = authority.issue("endpoint", {.dns_names = {"localhost"},
                                                             .addresses = {"127.0.0.1"}})});
  AwsCli aws(endpoint, authority.certificate_file());
  aws.iot({"create-job", "--job-id", "job-1", "--targets", lamp_arn, "--document", "{}"});
  const auto started =
      aws.jobs_data({"start-next-pending-job-execution", "--thing-name", "lamp:1"});
  EXPECT_EQ(started["execution"]["jobId"], "job-1");

  AwsCli suspicious(endpoint);
  EXPECT_THAT(suspicious.complaint({"iot", "describe-job", "--job-id", "job-1"}),
              HasSubstr("SSL validation failed"));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
