#include "tests/integration/hostile/others.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

struct Payload {
  const char* name;
  std::string bytes;
  const char* code;  ///< of the rejection
};

class HostilePayloadTest : public testing::TestWithParam<Payload> {};

INSTANTIATE_TEST_SUITE_P(
    Payloads, HostilePayloadTest,
    testing::Values(
        Payload{"DeepArray", repeated("[", 100000), "InvalidJson"},
        Payload{"DeepObjects", repeated(R"({"a":)", 20000), "InvalidJson"},
        Payload{"InvalidUtf8", "{\"clientToken\":\"\xC3\x28\"}", "InvalidJson"},
        Payload{"Nul", std::string("{\0}", 3), "InvalidJson"},
        Payload{"HugeNumber", R"({"stepTimeoutInMinutes":1)" + std::string(100000, '0') + "}",
                "InvalidRequest"},
        Payload{"HugeExponent", R"({"stepTimeoutInMinutes":1e999999999})", "InvalidRequest"},
        Payload{"HugeClientToken", R"({"clientToken":")" + std::string(100000, 't') + R"("})",
                "InvalidRequest"},
        Payload{"TooLarge", std::string(200000, ' '), "InvalidRequest"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(HostilePayloadTest, IsRejectedWithItsCauseAndCostsNobodyElseAnything) {
  constexpr int count = 50;
  Site site;
  Others others(site.broker->port());
  ASSERT_TRUE(others.ask()) << others.last();
  MqttDevice hostile({.port = site.broker->port(), .client_id = "hostile"});
  hostile.subscribe("$aws/things/hostile/jobs/start-next/+");
  const auto before = peak_memory(site.bridge->process().id());
  const auto start = Others::Clock::now();
  for (int i = 0; i < count; ++i) hostile.publish(start_next_topic("hostile"), GetParam().bytes);
  for (int i = 0; i < count; ++i) ASSERT_TRUE(others.ask()) << others.last();
  for (int i = 0; i < count; ++i) {
    const auto reply = hostile.next();
    ASSERT_TRUE(reply) << i;
    EXPECT_EQ(code_of(*reply), GetParam().code) << reply->payload;
  }
  const auto grown = peak_memory(site.bridge->process().id()) - before;
  EXPECT_LT(grown, 32U << 20U);
  EXPECT_LT(others.p99(), 1s);
  EXPECT_TRUE(site.bridge->process().running());
  // What was rejected never got there.
  EXPECT_EQ(site.endpoint->start_next_calls().size(), others.asked());
  report(GetParam().name,
         std::chrono::duration_cast<std::chrono::milliseconds>(Others::Clock::now() - start), grown,
         others);
}

TEST(HostileDeviceTest, LargePayloadsAtFullSpeedDelayOnlyTheirSender) {
  constexpr std::size_t count = 400;
  Site site;
  Others others(site.broker->port());
  ASSERT_TRUE(others.ask()) << others.last();
  MqttDevice hostile({.port = site.broker->port(), .client_id = "hostile"});
  hostile.subscribe("$aws/things/hostile/jobs/start-next/+");
  const auto before = peak_memory(site.bridge->process().id());
  const auto start = Others::Clock::now();
  const std::string payload = R"({"x":")" + std::string(131000, 'x') + R"("})";
  for (std::size_t i = 0; i < count; ++i) hostile.publish(start_next_topic("hostile"), payload);
  while (hostile.count() < count && Others::Clock::now() < start + patience) {
    ASSERT_TRUE(others.ask()) << others.last();
  }
  EXPECT_EQ(hostile.count(), count);  // every one has its reply
  const auto grown = peak_memory(site.bridge->process().id()) - before;
  EXPECT_LT(grown, 96U << 20U);
  EXPECT_LT(others.p99(), 1s);
  report("LargePayloadsAtFullSpeed",
         std::chrono::duration_cast<std::chrono::milliseconds>(Others::Clock::now() - start), grown,
         others);
}

TEST(HostileDeviceTest, ResponseTopicsAndCorrelationDataLeadNoReplyAstray) {
  Site site;
  Others others(site.broker->port());
  MqttDevice hostile({.port = site.broker->port(), .client_id = "hostile"});
  hostile.subscribe("$aws/things/hostile/jobs/start-next/+");
  MqttDevice elsewhere({.port = site.broker->port(), .client_id = "elsewhere"});
  elsewhere.subscribe("elsewhere/#");
  elsewhere.subscribe("$aws/things/lamp/#");
  for (const auto& topic :
       {std::string("elsewhere/a"), std::string("$aws/things/lamp/jobs/start-next/accepted"),
        std::string("$aws/things/lamp/jobs/start-next"), std::string("$SYS/broker/version"),
        "elsewhere/" + std::string(60000, 'x')}) {
    hostile.publish(start_next_topic("hostile"), "{}",
                    MqttDevice::Properties{.response_topic = topic,
                                           .correlation_data = std::string(60000, 'c')});
    const auto reply = hostile.next();
    ASSERT_TRUE(reply) << topic.substr(0, 60) << site.bridge->log();
    EXPECT_EQ(reply->topic, start_next_topic("hostile") + "/rejected");
    EXPECT_EQ(code_of(*reply), "InvalidRequest");
    ASSERT_TRUE(others.ask()) << others.last();
  }
  EXPECT_EQ(elsewhere.count(), 0U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
