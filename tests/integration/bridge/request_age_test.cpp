#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

/// Requests that waited longer than their devices do, at a broker without our plugin.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class RequestAgeTest : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Versions, RequestAgeTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Mqtt5" : "Mqtt311"; });

std::string with_token(const std::string& token) {
  return R"({"clientToken":")" + token + R"("})";
}

/// A signal stops a process one thread after the other.
bool has_stopped(pid_t process) {
  const auto threads = "/proc/" + std::to_string(process) + "/task";
  for (const auto& thread : std::filesystem::directory_iterator(threads)) {
    std::ifstream file(thread.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const auto name_end = stat.rfind(')');  // the state follows
    if (name_end == std::string::npos || stat.substr(name_end, 3) != ") T") return false;
  }
  return true;
}

constexpr auto update_of_nothing = "$aws/things/lamp/jobs/no-such-job/update";

TEST_P(RequestAgeTest, WhatTheBrokerKeptOverARestartIsRejectedButForUpdates) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    Site site({.wires = {.mqtt_5 = GetParam()}});
    site.bridge->process().signal(signal);
    ASSERT_TRUE(site.bridge->process().wait());
    constexpr int count = 50;
    for (int i = 0; i < count; ++i) {
      site.device->publish(start_next_topic("lamp-" + std::to_string(i)),
                           with_token(std::to_string(i)));
    }
    site.device->publish(update_of_nothing, R"({"status":"FAILED"})");
    ASSERT_TRUE(site.device->flush());
    site.bridge.emplace(site.bridge_settings());
    for (int i = 0; i < count; ++i) {
      const auto reply =
          site.device->take([&](const auto& one) { return token_of(one) == std::to_string(i); });
      ASSERT_TRUE(reply) << site.bridge->log();
      EXPECT_EQ(code_of(*reply), "InternalError");
      EXPECT_THAT(message_of(*reply), HasSubstr("may have waited too long"));
    }
    EXPECT_TRUE(site.endpoint->start_next_calls().empty());
    const auto of_update = site.device->next();
    ASSERT_TRUE(of_update);
    EXPECT_EQ(code_of(*of_update), "ResourceNotFound") << "the endpoint's word";
    EXPECT_EQ(site.start_next("lamp").topic, start_next_topic("lamp") + "/accepted");
  }
}

TEST_P(RequestAgeTest, WhatCameWhileTheBridgeStoodStillForLongIsRejectedButForUpdates) {
  Site site({.wires = {.mqtt_5 = GetParam()}, .settings = {"limits.deadline=3s"}});
  site.start_next("lamp");
  const auto calls = site.endpoint->start_next_calls().size();
  site.bridge->process().signal(SIGSTOP);
  ASSERT_TRUE(wait_until([&] { return has_stopped(site.bridge->process().id()); }));
  site.device->publish(start_next_topic("lamp"), with_token("old"));
  site.device->publish(update_of_nothing, R"({"status":"FAILED"})");
  ASSERT_TRUE(site.device->flush());
  std::this_thread::sleep_for(3500ms);  // what it notices takes more than 3 s
  site.bridge->process().signal(SIGCONT);
  const auto old = site.device->next();
  ASSERT_TRUE(old) << site.bridge->log();
  EXPECT_EQ(code_of(*old), "InternalError");
  EXPECT_THAT(message_of(*old), HasSubstr("while the gateway was unavailable"));
  EXPECT_EQ(site.endpoint->start_next_calls().size(), calls);
  const auto of_update = site.device->next();
  ASSERT_TRUE(of_update);
  EXPECT_EQ(code_of(*of_update), "ResourceNotFound") << "the endpoint's word";
  // It has caught up once a canary that was sent since then is back.
  EXPECT_TRUE(wait_until([&] {
    return site.start_next("lamp").topic == start_next_topic("lamp") + "/accepted";
  })) << site.bridge->log();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
