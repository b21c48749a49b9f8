#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/bridge/site.h"
#include "tests/interop/device_sdk.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

class NotificationTest : public testing::TestWithParam<SdkClient> {};
INSTANTIATE_TEST_SUITE_P(Clients, NotificationTest, all_sdk_clients(), name_of);

json watch(const char* event) {
  return {{"watch", event}};
}

/// Waits until both have come since the last call.
json await_both() {
  return {{"await", {"JobExecutionsChanged", "NextJobExecutionChanged"}}};
}

Site::Options polled() {
  return {.settings = {"notify.enabled=true", "notify.interval=1s"}};
}

/// What a line of the device stands for: the event, or the step with `accepted`.
std::string label(const json& line) {
  if (line.contains("event")) return line.at("event");
  return std::string(line.contains("accepted") ? "accepted " : "step ") +
         std::to_string(line.at("step").get<int>());
}

std::vector<std::string> labels(const std::vector<json>& seen) {
  std::vector<std::string> found;
  for (const auto& line : seen) found.push_back(label(line));
  return found;
}

std::size_t place_of(const std::vector<std::string>& labels, const std::string& label) {
  return static_cast<std::size_t>(std::ranges::find(labels, label) - labels.begin());
}

/// The device sleeps until it is told that there is a job, carries it out, and hears that nothing
/// is left. Prints when the device saw what.
TEST_P(NotificationTest, DeviceThatWaitsHearsOfItsJobAndOfItsEnd) {
  Site site(polled());
  enum Step : std::size_t { pending = 2, job_came = 3, start = 4, success = 6, queue_empty = 7 };
  DeviceSdk device(
      site.broker->port(), "lamp", GetParam(),
      {watch("JobExecutionsChanged"), watch("NextJobExecutionChanged"),
       // From its first request on the bridge knows of the thing.
       call("GetPendingJobExecutions"), await_both(), call("StartNextPendingJobExecution"),
       call("UpdateJobExecution", {{"jobId", "job-1"},
                                   {"status", "IN_PROGRESS"},
                                   {"statusDetails", {{"progress", "50%"}}}}),
       call("UpdateJobExecution", {{"jobId", "job-1"}, {"status", "SUCCEEDED"}}), await_both()});
  ASSERT_TRUE(device.wait_for_step(pending)) << device.output() << site.bridge->log();
  site.endpoint->create_job("job-1", {"lamp"}, R"({"operation":"blink"})");
  auto seen = device.finish();
  std::cout << device.timeline(seen);

  const auto order = labels(seen);
  // One pair when the job came and one when it ended; its start alone is nothing new.
  EXPECT_EQ(std::ranges::count(order, "JobExecutionsChanged"), 2) << device.output();
  EXPECT_EQ(std::ranges::count(order, "NextJobExecutionChanged"), 2) << device.output();
  // After the terminal update: its reply, then notify, then notify-next.
  const auto end = place_of(order, "accepted 6");
  ASSERT_LT(end + 2, order.size()) << device.output();
  EXPECT_EQ(order[end + 1], "JobExecutionsChanged");
  EXPECT_EQ(order[end + 2], "NextJobExecutionChanged");

  auto changed = seen[place_of(order, "JobExecutionsChanged")]["content"];
  EXPECT_EQ(changed["jobs"]["QUEUED"][0]["jobId"], "job-1") << changed;
  EXPECT_FALSE(changed["jobs"].contains("IN_PROGRESS")) << changed;
  auto next = seen[place_of(order, "NextJobExecutionChanged")]["content"]["execution"];
  EXPECT_EQ(next["jobId"], "job-1") << next;
  EXPECT_EQ(next["status"], "QUEUED");
  EXPECT_EQ(next["jobDocument"], (json{{"operation", "blink"}}));
  EXPECT_EQ(seen[end + 1]["content"]["jobs"], json::object());
  EXPECT_FALSE(seen[end + 2]["content"].contains("execution")) << seen[end + 2];
}

/// A second job waits behind the first: its arrival changes the list alone, the first one's end
/// makes it the next.
TEST_P(NotificationTest, EndOfAJobAnnouncesTheNextOne) {
  Site site(polled());
  site.endpoint->create_job("job-1", {"lamp"}, R"({"operation":"blink"})");
  site.endpoint->create_job("job-2", {"lamp"}, R"({"operation":"rest"})");
  DeviceSdk device(
      site.broker->port(), "lamp", GetParam(),
      {watch("JobExecutionsChanged"), watch("NextJobExecutionChanged"),
       call("StartNextPendingJobExecution"),
       call("UpdateJobExecution", {{"jobId", "job-1"}, {"status", "SUCCEEDED"}}), await_both()});
  auto seen = device.finish();
  const auto order = labels(seen);
  const auto end = place_of(order, "accepted 3");
  ASSERT_LT(end + 2, order.size()) << device.output();
  const auto after = [&](const char* event) {
    return std::find_if(seen.begin() + static_cast<std::ptrdiff_t>(end), seen.end(),
                        [&](const json& line) { return label(line) == event; });
  };
  const auto changed = after("JobExecutionsChanged");
  const auto next = after("NextJobExecutionChanged");
  ASSERT_NE(changed, seen.end()) << device.output();
  ASSERT_NE(next, seen.end()) << device.output();
  EXPECT_LT(changed, next);
  EXPECT_EQ((*changed)["content"]["jobs"]["QUEUED"][0]["jobId"], "job-2");
  EXPECT_EQ((*next)["content"]["execution"]["jobId"], "job-2");
  EXPECT_EQ((*next)["content"]["execution"]["jobDocument"], (json{{"operation", "rest"}}));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
