#include <chrono>
#include <csignal>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

class ShutdownTest : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Versions, ShutdownTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Mqtt5" : "Mqtt311"; });

TEST_P(ShutdownTest, SigtermUnderLoadAnswersEveryRequestAndExitsInTime) {
  Site site({.wires = {.mqtt_5 = GetParam()},
             .settings = {"endpoint.connections=2", "limits.deadline=60s"}});
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 200}});
  constexpr std::size_t count = 500;
  for (std::size_t i = 0; i < count; ++i) {
    site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
  }
  ASSERT_TRUE(site.device->flush());
  ASSERT_TRUE(site.device->wait_for(1));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(site.bridge->stop(), 0) << site.bridge->log();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  // What the broker still had for the bridge, the next one finds.
  site.endpoint->clear_faults();
  site.bridge.emplace(site.bridge_settings());
  EXPECT_TRUE(site.device->wait_for(count)) << site.device->count();
  std::size_t accepted = 0;
  while (!site.device->received().empty()) {
    const auto reply = site.device->next();
    if (reply->topic.ends_with("/accepted")) {
      ++accepted;
    } else {
      EXPECT_EQ(code_of(*reply), "InternalError") << reply->payload;
    }
  }
  EXPECT_GE(accepted, 1U);
  EXPECT_TRUE(site.has_no_more_replies());
}

TEST_P(ShutdownTest, RequestsInProgressAreFinished) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Site site({.wires = {.mqtt_5 = GetParam()}, .endpoint_arguments = {"--things", "lamp:10:1"}});
    site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 1000}});
    for (int i = 1; i <= 10; ++i) {
      site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
    }
    ASSERT_TRUE(site.endpoint->wait_for_calls(10));
    site.bridge->process().signal(signal);
    EXPECT_EQ(site.bridge->process().wait(), 0);
    ASSERT_TRUE(site.device->wait_for(10)) << site.device->count();
    for (const auto& reply : site.device->received()) {
      EXPECT_TRUE(reply.topic.ends_with("/accepted")) << reply.payload;
    }
  }
}

TEST(ShutdownTest, HangingEndpointDelaysNeitherRepliesNorTheEnd) {
  Site site({.settings = {"limits.deadline=60s", "endpoint.answer_timeout=60s"}});
  site.endpoint->set_fault({{"kind", "hang"}});
  for (int i = 0; i < 50; ++i) {
    site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
  }
  ASSERT_TRUE(site.endpoint->wait_for_calls(32));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(site.bridge->stop(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  ASSERT_TRUE(site.device->wait_for(50)) << site.device->count();
  for (const auto& reply : site.device->received()) EXPECT_EQ(code_of(reply), "InternalError");
}

TEST(ShutdownTest, MissingBrokerDoesNotDelayTheEnd) {
  Site site;
  site.broker->stop(SIGKILL);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(site.bridge->stop(), 0) << site.bridge->log();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST(ShutdownTest, SilentBrokerDoesNotDelayTheEnd) {
  Site site({.settings = {"limits.deadline=60s"}});
  site.endpoint->set_fault({{"kind", "hang"}});
  site.device->publish(start_next_topic("lamp"), "{}");
  ASSERT_TRUE(site.endpoint->wait_for_calls(1));
  site.broker->process().signal(SIGSTOP);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(site.bridge->stop(), 0) << site.bridge->log();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  site.broker->process().signal(SIGCONT);
}

TEST(SignalTest, SighupDoesNotEndTheBridgeAndIsAnswered) {
  Site site;
  site.bridge->process().signal(SIGHUP);
  EXPECT_TRUE(site.bridge->process().wait_for_output("reloaded")) << site.bridge->log();
  EXPECT_TRUE(site.start_next("lamp").topic.ends_with("/accepted"));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
