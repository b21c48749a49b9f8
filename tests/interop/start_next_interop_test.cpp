#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "tests/integration/bridge/site.h"
#include "tests/support/process.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

/// MQTT version and client of the AWS IoT device SDK v2 for JavaScript.
class DeviceSdkTest : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  /// Runs the device program; returns what the SDK handed to it.
  json start_next(const Site& site, const std::string& thing) {
    const auto& [protocol, client] = GetParam();
    Process device({"node", INTEROP_DIRECTORY "/start_next.mjs",
                    std::to_string(site.broker->port()), thing, protocol, client});
    EXPECT_EQ(device.wait(std::chrono::seconds(60)), 0) << device.output();
    return json::parse(device.output(), nullptr, false);
  }
};

INSTANTIATE_TEST_SUITE_P(Clients, DeviceSdkTest,
                         testing::Combine(testing::Values("5", "3.1.1"),
                                          testing::Values("v2", "classic")),
                         [](const auto& tested) {
                           return std::string(std::get<1>(tested.param)) + "Over" +
                                  (std::string(std::get<0>(tested.param)) == "5" ? "5" : "311");
                         });

TEST_P(DeviceSdkTest, StartsThePendingJob) {
  Site site;
  site.endpoint->create_job("job-1", {"lamp"}, R"({"operation":"blink","times":3})");
  const auto reply = start_next(site, "lamp");
  ASSERT_TRUE(reply.is_object());
  EXPECT_EQ(reply["execution"]["jobId"], "job-1");
  EXPECT_EQ(reply["execution"]["status"], "IN_PROGRESS");
  EXPECT_EQ(reply["execution"]["jobDocument"], (json{{"operation", "blink"}, {"times", 3}}));
}

TEST_P(DeviceSdkTest, HearsThatNothingIsPending) {
  Site site;
  const auto reply = start_next(site, "lamp");
  ASSERT_TRUE(reply.is_object());
  EXPECT_FALSE(reply.contains("execution"));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
