#include <httplib.h>

#include <map>
#include <numeric>
#include <random>
#include <regex>
#include <string>

#include "bridge/jobs/operation.h"
#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

/// Every count that an operator can see, against a ledger of what devices heard and of what the
/// endpoint was asked for.
namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

/// By operation and outcome, or by operation and status.
using Counts = std::map<std::pair<std::string, std::string>, std::uint64_t>;

std::uint64_t sum(const Counts& counts, const std::string& outcome, bool equal) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [&](std::uint64_t before, const auto& count) {
                           const bool counted = (count.first.second == outcome) == equal;
                           return before + (counted ? count.second : 0);
                         });
}

/// The values of a metric that has the label `operation` and then another one; without those of 0.
Counts metric(const std::string& text, const std::string& name) {
  Counts counts;
  const std::regex line(name + R"re(\{operation="([^"]*)",\w+="([^"]*)"\} (\d+))re");
  for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) {
    const auto value = std::stoull((*at)[3]);
    if (value > 0) counts[{(*at)[1], (*at)[2]}] += value;
  }
  return counts;
}

TEST(CountsTest, EveryCountAgreesWithWhatDevicesHeardAndTheEndpointWasAskedFor) {
  const std::map<std::string, std::string> operations{
      {"StartNextPendingJobExecution", "start-next"},
      {"GetPendingJobExecutions", "get"},
      {"DescribeJobExecution", "describe"},
      {"UpdateJobExecution", "update"}};
  Site site({.settings = {"notify.enabled=false"}});
  site.device->subscribe("$aws/things/+/jobs/+/+/accepted");
  site.endpoint->create_job("job-1", {"thing-0", "thing-1", "thing-2"});
  site.endpoint->set_fault({{"kind", "status"}, {"status", 500}, {"probability", 0.1}});

  std::mt19937 random(20);
  Counts heard;
  for (int request = 0; request < 80; ++request) {
    const auto thing = "thing-" + std::to_string(random() % 5);
    const auto operation = every_operation.at(random() % operation_count);
    const auto facts = facts_of(operation);
    const std::string job = random() % 4 == 0 ? "no-such-job/" : "job-1/";
    const auto topic = "$aws/things/" + thing + "/jobs/" +
                       (facts.job == NamedJob::none ? "" : job) + std::string(facts.verb);
    const auto* payload = random() % 8 == 0 ? "[]" : R"({"status":"IN_PROGRESS"})";
    const auto reply = site.ask(topic, payload);
    const bool accepted = reply.topic.ends_with("/accepted");
    ++heard[{std::string(facts.name), accepted ? "accepted" : payload_of(reply).at("code")}];
  }

  httplib::Client client(site.bridge->admin_url());
  // The last reply may be heard before it is counted.
  ASSERT_TRUE(wait_until([&] {
    return metric(client.Get("/metrics")->body, "jobs_bridge_requests_total") == heard;
  })) << client.Get("/metrics")->body;
  const auto accepted = sum(heard, "accepted", true);
  const auto rejected = sum(heard, "accepted", false);
  ASSERT_GT(accepted, 20U);
  ASSERT_GT(rejected, 10U);

  Counts asked;
  const auto calls = site.endpoint->calls();
  for (const auto& call : calls.at("calls")) {
    // What else was asked, such as to create the job, was not asked by the bridge.
    const auto name = operations.find(call.at("operation"));
    if (name == operations.end()) continue;
    ++asked[{name->second, std::to_string(call.at("status").get<int>())}];
  }
  EXPECT_GT(sum(asked, "500", true), 3U) << "no call failed";
  EXPECT_EQ(metric(client.Get("/metrics")->body, "jobs_bridge_endpoint_calls_total"), asked);

  const auto status = json::parse(client.Get("/api/status")->body).at("requests");
  EXPECT_EQ(status.at("accepted"), accepted);
  EXPECT_EQ(status.at("rejected"), rejected);
  for (const auto* none : {"waiting", "pausing", "held", "refused", "updates_lost"}) {
    EXPECT_EQ(status.at(none), 0) << none;
  }
  for (const auto operation : every_operation) {
    const std::string name(to_string(operation));
    Counts of_operation;
    for (const auto& [key, count] : heard) {
      if (key.first == name) of_operation[key] = count;
    }
    EXPECT_EQ(status.at("operations").at(name).at("count"), sum(of_operation, "", false)) << name;
  }

  site.bridge->stop();
  EXPECT_THAT(
      site.bridge->log(),
      testing::HasSubstr("stopped requests_accepted=" + std::to_string(accepted) +
                         " requests_rejected=" + std::to_string(rejected) + " rejected_at_stop=0"));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
