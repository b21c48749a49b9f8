#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/bridge/site.h"
#include "tests/interop/device_sdk.h"
#include "tests/support/wait_until.h"

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

/// The last line of that event; null if there is none.
json last_of(const std::vector<json>& seen, const std::string& event) {
  const auto found = std::find_if(seen.rbegin(), seen.rend(),
                                  [&](const json& line) { return label(line) == event; });
  return found == seen.rend() ? json() : *found;
}

/// Order is judged by a client beside the SDK's: the latter hands over what comes on two streams by
/// two queues, and not always in the order of arrival.
void hear_all(const Site& site) {
  for (const auto* filter : {"$aws/things/lamp/jobs/notify", "$aws/things/lamp/jobs/notify-next",
                             "$aws/things/lamp/jobs/+/update/accepted"}) {
    site.device->subscribe(filter);
  }
}

std::string heard(const Site& site) {
  std::string lines;
  for (const auto& message : site.device->received()) lines += message.topic + "\n";
  return lines;
}

/// Whether the last three messages were an update's reply and what follows from it, in order.
bool ends_in_order(const Site& site) {
  const auto heard = site.device->received();
  if (heard.size() < 3) return false;
  const auto end = heard.end();
  return (end - 3)->topic.ends_with("/job-1/update/accepted") &&
         (end - 2)->topic.ends_with("/notify") && (end - 1)->topic.ends_with("/notify-next");
}

/// The device sleeps until it is told that there is a job, carries it out, and hears that nothing
/// is left. Prints when the device saw what.
TEST_P(NotificationTest, DeviceThatWaitsHearsOfItsJobAndOfItsEnd) {
  Site site(polled());
  hear_all(site);
  enum Step : std::size_t { pending = 2, job_came = 3, start = 4, queue_empty = 7 };
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
  EXPECT_EQ(order.back(), "step " + std::to_string(queue_empty)) << device.output();
  EXPECT_TRUE(wait_until([&] { return ends_in_order(site); })) << heard(site);

  auto changed = seen[place_of(order, "JobExecutionsChanged")]["content"];
  EXPECT_EQ(changed["jobs"]["QUEUED"][0]["jobId"], "job-1") << changed;
  EXPECT_FALSE(changed["jobs"].contains("IN_PROGRESS")) << changed;
  auto next = seen[place_of(order, "NextJobExecutionChanged")]["content"]["execution"];
  EXPECT_EQ(next["jobId"], "job-1") << next;
  EXPECT_EQ(next["status"], "QUEUED");
  EXPECT_EQ(next["jobDocument"], (json{{"operation", "blink"}}));
  EXPECT_EQ(last_of(seen, "JobExecutionsChanged")["content"]["jobs"], json::object());
  EXPECT_FALSE(last_of(seen, "NextJobExecutionChanged")["content"].contains("execution"));
}

/// A second job waits behind the first: its arrival changes the list alone, the first one's end
/// makes it the next.
TEST_P(NotificationTest, EndOfAJobAnnouncesTheNextOne) {
  Site site(polled());
  hear_all(site);
  site.endpoint->create_job("job-1", {"lamp"}, R"({"operation":"blink"})");
  site.endpoint->create_job("job-2", {"lamp"}, R"({"operation":"rest"})");
  DeviceSdk device(
      site.broker->port(), "lamp", GetParam(),
      {watch("JobExecutionsChanged"), watch("NextJobExecutionChanged"),
       call("StartNextPendingJobExecution"),
       call("UpdateJobExecution", {{"jobId", "job-1"}, {"status", "SUCCEEDED"}}), await_both()});
  auto seen = device.finish();
  EXPECT_TRUE(wait_until([&] { return ends_in_order(site); })) << heard(site);
  const auto changed = last_of(seen, "JobExecutionsChanged");
  EXPECT_EQ(changed["content"]["jobs"]["QUEUED"][0]["jobId"], "job-2") << device.output();
  const auto next = last_of(seen, "NextJobExecutionChanged");
  EXPECT_EQ(next["content"]["execution"]["jobId"], "job-2") << device.output();
  EXPECT_EQ(next["content"]["execution"]["jobDocument"], (json{{"operation", "rest"}}));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
