#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/bridge/site.h"
#include "tests/interop/device_sdk.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

class JobLifeTest : public testing::TestWithParam<SdkClient> {};
INSTANTIATE_TEST_SUITE_P(Clients, JobLifeTest, all_sdk_clients(), name_of);

/// The ids in a list of summaries.
std::vector<std::string> ids(const json& summaries) {
  std::vector<std::string> found;
  for (const auto& summary : summaries) found.push_back(summary.value("jobId", ""));
  return found;
}

/// Replies of the steps, in their order.
class Replies {
 public:
  explicit Replies(std::vector<json> seen) : seen_(std::move(seen)) {}

  [[nodiscard]] std::size_t size() const { return seen_.size(); }
  /// What was accepted at that step; null, and a failure, if it was not. What a null holds is null.
  [[nodiscard]] json accepted(std::size_t step) const { return content(step, "accepted"); }
  [[nodiscard]] json rejected(std::size_t step) const { return content(step, "rejected"); }

 private:
  [[nodiscard]] json content(std::size_t step, const char* kind) const {
    const bool there = step < seen_.size() && seen_[step].contains(kind);
    EXPECT_TRUE(there) << "step " << step << " is not " << kind << ": "
                       << (step < seen_.size() ? seen_[step].dump() : "nothing");
    return there ? seen_[step].at(kind) : json();
  }

  std::vector<json> seen_;
};

TEST_P(JobLifeTest, TwoJobsFromPendingToDone) {
  Site site;
  site.endpoint->create_job("job-1", {"lamp"}, R"({"operation":"blink","times":3})");
  site.endpoint->create_job("job-2", {"lamp"}, R"({"operation":"rest"})");
  enum Step : std::size_t {
    two_pending,
    first_is_next,
    start,
    progress,
    wrong_version,
    success,
    late,
    start_second,
    describe_second,
    second_is_next,
    one_pending,
    second_success,
    none_pending,
    none_next,
    none_to_start,
    unknown_job,
    steps
  };
  const json next = {{"jobId", "$next"}};
  DeviceSdk device(
      site.broker->port(), "lamp", GetParam(),
      {call("GetPendingJobExecutions"), call("DescribeJobExecution", next),
       call("StartNextPendingJobExecution", {{"statusDetails", {{"step", "begun"}}}}),
       call("UpdateJobExecution", {{"jobId", "job-1"},
                                   {"status", "IN_PROGRESS"},
                                   {"statusDetails", {{"progress", "50%"}, {"step", "half"}}},
                                   {"expectedVersion", 2},
                                   {"includeJobExecutionState", true},
                                   {"includeJobDocument", true}}),
       call("UpdateJobExecution",
            {{"jobId", "job-1"}, {"status", "SUCCEEDED"}, {"expectedVersion", 99}}),
       call("UpdateJobExecution",
            {{"jobId", "job-1"}, {"status", "SUCCEEDED"}, {"expectedVersion", 3}}),
       call("UpdateJobExecution", {{"jobId", "job-1"}, {"status", "IN_PROGRESS"}}),
       call("StartNextPendingJobExecution"),
       call("DescribeJobExecution",
            {{"jobId", "job-2"}, {"executionNumber", 1}, {"includeJobDocument", true}}),
       call("DescribeJobExecution", next), call("GetPendingJobExecutions"),
       call("UpdateJobExecution", {{"jobId", "job-2"}, {"status", "SUCCEEDED"}}),
       call("GetPendingJobExecutions"), call("DescribeJobExecution", next),
       call("StartNextPendingJobExecution"), call("DescribeJobExecution", {{"jobId", "job-3"}})});
  auto seen = device.finish();
  std::cout << device.timeline(seen);
  const Replies replies(std::move(seen));
  ASSERT_EQ(replies.size(), static_cast<std::size_t>(steps)) << device.output();
  using testing::ElementsAre;
  using testing::IsEmpty;

  EXPECT_THAT(ids(replies.accepted(two_pending)["queuedJobs"]), ElementsAre("job-1", "job-2"));
  EXPECT_THAT(replies.accepted(two_pending)["inProgressJobs"], IsEmpty());

  json first = replies.accepted(first_is_next)["execution"];
  EXPECT_EQ(first["jobId"], "job-1");
  EXPECT_EQ(first["status"], "QUEUED");
  EXPECT_EQ(first["versionNumber"], 1);

  json started = replies.accepted(start)["execution"];
  EXPECT_EQ(started["jobId"], "job-1");
  EXPECT_FALSE(started.contains("thingName"));
  EXPECT_EQ(started["status"], "IN_PROGRESS");
  EXPECT_EQ(started["statusDetails"], (json{{"step", "begun"}}));
  EXPECT_EQ(started["versionNumber"], 2);
  EXPECT_EQ(started["executionNumber"], 1);
  EXPECT_EQ(started["jobDocument"], (json{{"operation", "blink"}, {"times", 3}}));

  json progressed = replies.accepted(progress);
  EXPECT_EQ(progressed["executionState"]["status"], "IN_PROGRESS");
  EXPECT_EQ(progressed["executionState"]["versionNumber"], 3);
  EXPECT_EQ(progressed["executionState"]["statusDetails"],
            (json{{"progress", "50%"}, {"step", "half"}}));
  EXPECT_EQ(progressed["jobDocument"], (json{{"operation", "blink"}, {"times", 3}}));

  json mismatch = replies.rejected(wrong_version);
  EXPECT_EQ(mismatch["code"], "VersionMismatch");
  EXPECT_EQ(mismatch["executionState"]["versionNumber"], 3);
  EXPECT_EQ(mismatch["executionState"]["status"], "IN_PROGRESS");

  EXPECT_FALSE(replies.accepted(success).contains("executionState"));
  EXPECT_FALSE(replies.accepted(success).contains("jobDocument"));

  json too_late = replies.rejected(late);
  EXPECT_EQ(too_late["code"], "InvalidStateTransition");
  EXPECT_EQ(too_late["executionState"]["versionNumber"], 4);
  EXPECT_EQ(too_late["executionState"]["status"], "SUCCEEDED");

  EXPECT_EQ(replies.accepted(start_second)["execution"]["jobId"], "job-2");
  json described = replies.accepted(describe_second)["execution"];
  EXPECT_EQ(described["jobId"], "job-2");
  EXPECT_EQ(described["versionNumber"], 2);
  EXPECT_EQ(described["jobDocument"], (json{{"operation", "rest"}}));
  EXPECT_EQ(replies.accepted(second_is_next)["execution"]["jobId"], "job-2");
  EXPECT_THAT(ids(replies.accepted(one_pending)["inProgressJobs"]), ElementsAre("job-2"));
  EXPECT_THAT(replies.accepted(one_pending)["queuedJobs"], IsEmpty());

  EXPECT_TRUE(replies.accepted(second_success).is_object());
  EXPECT_THAT(replies.accepted(none_pending)["inProgressJobs"], IsEmpty());
  EXPECT_THAT(replies.accepted(none_pending)["queuedJobs"], IsEmpty());
  EXPECT_FALSE(replies.accepted(none_next).contains("execution"));
  EXPECT_FALSE(replies.accepted(none_to_start).contains("execution"));
  EXPECT_EQ(replies.rejected(unknown_job)["code"], "ResourceNotFound");
}

}  // namespace
}  // namespace jobs_bridge::testing_support
