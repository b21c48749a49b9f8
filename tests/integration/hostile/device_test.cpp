#include "bridge/jobs/cbor.h"
#include "tests/integration/hostile/others.h"
#include "tests/support/sanitized.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

constexpr const char* kCbor = "application/cbor";

struct Payload {
  const char* name;
  std::string bytes;
  const char* code;  ///< of the rejection
  std::string content_type = {};
  bool endpoint_judges = false;  ///< rejected by the endpoint, not by the bridge
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
                "InvalidRequest", "", /*endpoint_judges=*/true},
        Payload{"HugeExponent", R"({"stepTimeoutInMinutes":1e999999999})", "InvalidRequest", "",
                /*endpoint_judges=*/true},
        Payload{"TooLarge", std::string(200000, ' '), "InvalidRequest"},
        Payload{"Array", "[{}]", "InvalidJson"},
        Payload{"MembersWithoutEnd", "{" + repeated(R"("a":1,)", 18000), "InvalidJson"},
        Payload{"CborArrayOfFourBillion", std::string("\x9A\xFF\xFF\xFF\xFF", 5), "InvalidJson",
                kCbor},
        Payload{"CborTextOfEightExbibytes", "\xA1\x7B\x7F" + std::string(7, '\xFF'), "InvalidJson",
                kCbor},
        Payload{"CborDeep", std::string(100000, '\x81') + '\0', "InvalidJson", kCbor},
        Payload{"CborTagsWithoutEnd", std::string(100000, '\xC1'), "InvalidJson", kCbor},
        Payload{"CborIndefiniteArrays", std::string(100000, '\x9F'), "InvalidJson", kCbor},
        Payload{"CborIndefiniteMapWithoutEnd", "\xBF" + repeated("\x61\x61\x01", 30000),
                "InvalidJson", kCbor},
        Payload{"CborEmptyChunksWithoutEnd", "\xA1\x7F" + std::string(100000, '\x60'),
                "InvalidJson", kCbor}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(HostilePayloadTest, IsRejectedWithItsCauseAndCostsOthersNothing) {
  constexpr std::size_t count = 50;
  // What the endpoint judges waits for it: here all of it may, in number and in bytes.
  Site site({.settings = {"limits.queue_per_thing=" + std::to_string(count), "limits.queue=40000",
                          "limits.deadline=60s"}});
  Others others(site.broker->port());
  ASSERT_TRUE(others.ask()) << others.last();
  MqttDevice hostile({.port = site.broker->port(), .client_id = "hostile"});
  hostile.subscribe("$aws/things/hostile/jobs/start-next/+");
  const auto id = site.bridge->process().id();
  const auto before = peak_memory(id);
  const auto processor_before = processor_time(id);
  const auto start = Others::Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    hostile.publish(start_next_topic("hostile"), GetParam().bytes,
                    MqttDevice::Properties{.content_type = GetParam().content_type});
  }
  for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(others.ask()) << others.last();
  for (std::size_t i = 0; i < count; ++i) {
    const auto reply = hostile.next();
    ASSERT_TRUE(reply) << i;
    const bool cbor = reply->content_type == kCbor;
    EXPECT_EQ(cbor, !GetParam().content_type.empty());
    const auto text = cbor ? json_from_cbor(reply->payload).value() : reply->payload;
    EXPECT_THAT(reply->topic, testing::EndsWith("/rejected"));
    EXPECT_EQ(nlohmann::json::parse(text).value("code", ""), GetParam().code) << text;
  }
  const auto grown = peak_memory(id) - before;
  EXPECT_LT(grown, memory_bound(32U << 20U));
  // How long others wait is what the bridge does with all these, and what else the machine is
  // doing.
  EXPECT_LT(processor_time(id) - processor_before, 1s * slowdown);
  EXPECT_TRUE(site.bridge->process().running());
  // What the bridge rejected never got there; of the rest, repeats that waited were one call.
  const auto calls = site.endpoint->start_next_calls().size();
  EXPECT_GE(calls, others.asked() + (GetParam().endpoint_judges ? 1 : 0));
  EXPECT_LE(calls, others.asked() + (GetParam().endpoint_judges ? count : 0));
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
  while (hostile.count() < count && Others::Clock::now() < start + wait_limit) {
    ASSERT_TRUE(others.ask()) << others.last();
  }
  EXPECT_EQ(hostile.count(), count);  // every one has its reply
  const auto grown = peak_memory(site.bridge->process().id()) - before;
  EXPECT_LT(grown, memory_bound(96U << 20U));
  EXPECT_LT(others.p99(), 1s * slowdown);
  report("LargePayloadsAtFullSpeed",
         std::chrono::duration_cast<std::chrono::milliseconds>(Others::Clock::now() - start), grown,
         others);
}

/// Valid as JSON or CBOR, and nothing that the endpoint is to decide: taken, and what is echoed
/// comes back as it was.
TEST(HostileDeviceTest, WhatIsOddButValidIsTakenAndItsTokenEchoedByteForByte) {
  struct Odd {
    std::string payload;
    std::string echoed;  ///< in the reply
  };
  Site site;
  // A member twice: the last counts.
  for (const auto& [payload, echoed] : std::vector<Odd>{
           {R"({"clientToken":"a","clientToken":"b"})", R"("clientToken":"b")"},
           {R"({"clientToken":")" + std::string(100000, 't') + R"("})",
            R"("clientToken":")" + std::string(100000, 't') + '"'},
           {R"({"clientToken":"\ud800"})", R"("clientToken":"\ud800")"},
           {R"({"clientToken":"\udc00\ud800"})", R"("clientToken":"\udc00\ud800")"},
           {R"({"clientToken":"\u0000\u001b"})", R"("clientToken":"\u0000\u001b")"},
           {R"({"x":)" + std::string(10000, '[') + std::string(10000, ']') +
                R"(,"clientToken":"deep"})",
            R"("clientToken":"deep")"},
           {repeated(R"({"a":)", 10000) + "1" + std::string(10000, '}'), R"("timestamp":)"},
           {"", R"("timestamp":)"}}) {
    const auto reply = site.start_next("odd", payload);
    EXPECT_THAT(reply.topic, testing::EndsWith("/accepted"))
        << payload.substr(0, 80) << reply.payload;
    EXPECT_THAT(reply.payload, testing::HasSubstr(echoed));
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
