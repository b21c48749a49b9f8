#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

/// One of the examples that come with the AWS IoT device SDK for JavaScript, version 1, unmodified.
/// It speaks MQTT 3.1.1 over TLS, with QoS 0, and subscribes to $next/get/accepted and notify-next.
Process run_example(const std::string& example, const Site& site) {
  const auto certificate = site.authority().issue("lamp", {.dns_names = {"lamp"}, .addresses = {}});
  // Its example knows the broker by a name only, which may be ::1 first; the broker is at
  // 127.0.0.1.
  return Process({"node", "--dns-result-order=ipv4first",
                  INTEROP_DIRECTORY "/node_modules/aws-iot-device-sdk/examples/" + example, "-H",
                  "localhost", "-p", std::to_string(site.broker->port()), "-k",
                  certificate.private_key, "-c", certificate.certificate, "-a",
                  site.authority().certificate_file(), "-T", "lamp", "-i", "lamp"});
}

/// Whether the broker has the plugin that brings replies to who asked.
class JsSdkV1Test : public testing::TestWithParam<bool> {
 protected:
  JsSdkV1Test() { site.device->subscribe("$aws/things/lamp/jobs/notify-next"); }

  /// Lets the example carry out a job that is there when it starts, and one that comes when it is
  /// idle.
  void carry_out_two_jobs(const std::string& example, const std::string& document) {
    site.endpoint->create_job("job-1", {"lamp"}, document);
    const auto device = run_example(example, site);
    ASSERT_TRUE(wait_until_idle()) << device.output() << site.bridge->log();
    site.endpoint->create_job("job-2", {"lamp"}, document);
    ASSERT_TRUE(wait_until_idle()) << device.output() << site.bridge->log();
  }

  /// Waits for the notification that no job is left.
  bool wait_until_idle() {
    return site.device
        ->take([](const auto& message) {
          return message.topic.ends_with("/notify-next") &&
                 !payload_of(message).contains("execution");
        })
        .has_value();
  }

  /// The updates of a job that the endpoint was asked for, all carried out.
  std::vector<json> updates(const std::string& job) {
    std::vector<json> found;
    const auto calls = site.endpoint->calls();
    for (const auto& call : calls.at("calls")) {
      if (call.at("operation") != "UpdateJobExecution" || call.at("jobId") != job) continue;
      EXPECT_EQ(call.at("status"), 200) << call;
      found.push_back(json::parse(call.at("body").get<std::string>()));
    }
    return found;
  }

  Site site{{.wires = {.broker_tls = true},
             .settings = {"notify.enabled=true", "notify.interval=1s"},
             .broker = {.with_plugin = GetParam()}}};
};
INSTANTIATE_TEST_SUITE_P(Brokers, JsSdkV1Test, testing::Bool(), [](const auto& tested) {
  return tested.param ? "WithPlugin" : "WithoutPlugin";
});

TEST_P(JsSdkV1Test, JobsExampleCarriesOutEachJobOnce) {
  ASSERT_NO_FATAL_FAILURE(
      carry_out_two_jobs("jobs-example.js", R"({"operation":"customJob","other":1})"));
  const std::vector<json> expected = {
      {{"status", "IN_PROGRESS"},
       {"statusDetails", {{"operation", "customJob"}, {"step", "step 1 of customJob"}}}},
      {{"status", "SUCCEEDED"},
       {"statusDetails", {{"operation", "customJob"}, {"step", "finished all steps"}}}}};
  EXPECT_EQ(updates("job-1"), expected);
  EXPECT_EQ(updates("job-2"), expected);
}

/// Its details hold a number, which the endpoint has to be given as text.
TEST_P(JsSdkV1Test, JobsAgentReportsItsStatusWithANumberAmongTheDetails) {
  ASSERT_NO_FATAL_FAILURE(carry_out_two_jobs("jobs-agent.js", R"({"operation":"systemStatus"})"));
  for (const std::string job : {"job-1", "job-2"}) {
    const auto reported = updates(job);
    ASSERT_EQ(reported.size(), 1U) << job;
    EXPECT_EQ(reported[0].at("status"), "SUCCEEDED");
    const auto& details = reported[0].at("statusDetails");
    EXPECT_EQ(details.at("operation"), "systemStatus");
    ASSERT_TRUE(details.at("uptime").is_string()) << details;
    EXPECT_GT(std::stod(details.at("uptime").get<std::string>()), 0);
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
