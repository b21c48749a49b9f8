#include <atomic>
#include <tuple>

#include "tests/integration/hostile/broker_side.h"
#include "tests/integration/hostile/others.h"
#include "tests/support/raw_peer.h"
#include "tests/support/sanitized.h"
#include "tests/support/wait_until.h"

/// Neither MQTT library bounds what it keeps of one packet: see adapters/mqtt/packet_filter.h.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;

constexpr std::size_t kLongest = 268435455;  ///< what MQTT's length field can say

std::vector<std::string> libraries() {
  std::vector<std::string> names;
  if (JOBS_BRIDGE_HAS_PAHO) names.emplace_back("paho");
  if (JOBS_BRIDGE_HAS_MOSQUITTO) names.emplace_back("mosquitto");
  return names;
}

class LargePacketTest : public testing::TestWithParam<std::tuple<bool, std::string>> {
 protected:
  [[nodiscard]] static bool mqtt_5() { return std::get<0>(GetParam()); }
  [[nodiscard]] static std::string library() { return "broker.library=" + std::get<1>(GetParam()); }
  [[nodiscard]] static std::string protocol() {
    return std::string("broker.protocol=") + (mqtt_5() ? "5" : "3.1.1");
  }
};
INSTANTIATE_TEST_SUITE_P(, LargePacketTest,
                         testing::Combine(testing::Values(true, false),
                                          testing::ValuesIn(libraries())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param) ? "Mqtt5" : "Mqtt311") +
                                  "With" + std::get<1>(test.param);
                         });

TEST_P(LargePacketTest, OfAQuarterGibibyteIsRejectedAndCostsNeitherMemoryNorTheConnection) {
  std::atomic<bool> rejected{false};
  std::atomic<bool> served{false};
  JobsEndpoint endpoint;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    if (!take_in(connection, mqtt_5())) return;
    const auto start = text(start_next_topic("lamp")) + std::string("\0\5", 2) +
                       std::string(mqtt_5() ? 1 : 0, '\0') + R"({"clientToken":"t","x":")";
    connection.send_bytes("\x32" + remaining_length(kLongest) + start);
    const std::string more(65536, 'x');
    for (auto left = kLongest - start.size(); left > 0;) {
      const auto part = std::min(left, more.size());
      if (!connection.send_bytes(more.substr(0, part))) return;
      left -= part;
    }
    connection.send_bytes(publish(start_next_topic("calm"), 7, mqtt_5()));
    while (const auto packet = connection.read()) {
      if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
      if (packet->type != Packet::publish) continue;
      connection.acknowledge(packet->publish_id());
      rejected = rejected ||
                 (packet->topic() == start_next_topic("lamp") + "/rejected" &&
                  packet->body.find("InvalidRequest") != std::string::npos &&
                  packet->body.find("payload has more than 262144 bytes") != std::string::npos);
      served = served || packet->topic() == start_next_topic("calm") + "/accepted";
    }
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()), protocol(),
                        library(), "broker.canary_topic=", "endpoint.url=" + endpoint.url()},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(wait_until([&] { return served.load(); })) << bridge.log();
  EXPECT_TRUE(rejected) << bridge.log();
  EXPECT_EQ(broker.connections(), 1U) << bridge.log();
  const auto peak = peak_memory(bridge.process().id());
  EXPECT_LT(peak, memory_bound(64 * kMebibyte));
  std::cout << "[ measured ] packet of 256 MiB | peak " << (peak >> 10U) << " KiB\n";
}

/// No device can be told of it.
TEST_P(LargePacketTest, ThatIsNoMessageEndsTheConnectionBeforeItIsInMemory) {
  std::atomic<bool> served{false};
  JobsEndpoint endpoint;
  ScriptedBroker broker([&](Connection& connection, std::size_t number) {
    if (number > 0) {
      served = served || serves(connection, mqtt_5());
      return;
    }
    if (!take_in(connection, mqtt_5())) return;
    connection.send_bytes("\x90" + remaining_length(kLongest) + std::string(65536, 'x'));
    // A connection that is closed with something unread ends with a reset, which tells less.
    while (connection.read()) {
    }
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()), protocol(),
                        library(), "broker.canary_topic=", "endpoint.url=" + endpoint.url()},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(wait_until([&] { return served.load(); })) << bridge.log();
  EXPECT_LT(peak_memory(bridge.process().id()), memory_bound(64 * kMebibyte));
  EXPECT_TRUE(bridge.process().wait_for_line(
      "kind=too_large cause=.*a packet of 268435455 bytes; the limit is 524304"))
      << bridge.log();
}

class LargePacketOverTlsTest : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, LargePacketOverTlsTest, testing::ValuesIn(libraries()));

TEST_P(LargePacketOverTlsTest, IsTruncatedAndItsSenderGetsARejection) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  std::atomic<bool> rejected{false};
  RawPeer broker({.tls = authority.issue("broker", {.addresses = {"127.0.0.1"}})},
                 [&](PeerConnection& connection) {
                   const auto start = text(start_next_topic("lamp")) + std::string("\0\5\0", 3);
                   connection.send(std::string("\x20\x03\0\0\0", 5) + "\x32" +
                                   remaining_length(kLongest / 4) + start);
                   const std::string more(65536, 'x');
                   for (auto left = kLongest / 4 - start.size(); left > 0;) {
                     const auto part = std::min(left, more.size());
                     if (!connection.send(more.substr(0, part))) return;
                     left -= part;
                   }
                   connection.wait_for_close();
                 });
  BridgeProcess bridge(
      {"broker.url=mqtts://127.0.0.1:" + std::to_string(broker.port()), "log.level=debug",
       "broker.library=" + GetParam(), "broker.ca_file=" + authority.certificate_file(),
       "broker.canary_topic=", "endpoint.url=http://127.0.0.1:9"},
      BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(bridge.process().wait_for_line("request rejected: InvalidRequest thing=lamp"))
      << bridge.log();
  EXPECT_LT(peak_memory(bridge.process().id()), memory_bound(64 * kMebibyte));
}

/// Over MQTT 3.1.1 a broker knows no limit of ours.
TEST(LargePacketOfADeviceTest, OverMqtt311IsRejectedAndEndsNoConnection) {
  Site site({.wires = {.mqtt_5 = false}});
  MqttDevice hostile({.port = site.broker->port(), .version_5 = false, .client_id = "hostile"});
  hostile.subscribe(start_next_topic("hostile") + "/rejected");
  Others others(site.broker->port());
  for (int i = 0; i < 3; ++i) {
    hostile.publish(start_next_topic("hostile"), std::string(8 * kMebibyte, 'x'));
    const auto reply = hostile.next();
    ASSERT_TRUE(reply) << site.bridge->log();
    EXPECT_THAT(reply->payload, testing::HasSubstr("InvalidRequest"));
    EXPECT_TRUE(others.ask()) << others.last();
  }
  EXPECT_EQ(site.bridge->log().find("is lost"), std::string::npos) << site.bridge->log();
  EXPECT_LT(peak_memory(site.bridge->process().id()), memory_bound(64 * kMebibyte));
}

/// Over MQTT 5 it knows.
TEST(LargePacketOfADeviceTest, IsWithheldByABrokerOfMqtt5AndEndsNoConnection) {
  Site site;
  Others others(site.broker->port());
  MqttDevice hostile({.port = site.broker->port(), .client_id = "hostile"});
  for (int i = 0; i < 5; ++i) {
    hostile.publish(start_next_topic("hostile"), std::string(8 * kMebibyte, 'x'));
    EXPECT_TRUE(others.ask()) << others.last();
  }
  EXPECT_EQ(site.bridge->log().find("is lost"), std::string::npos) << site.bridge->log();
  EXPECT_LT(peak_memory(site.bridge->process().id()), memory_bound(64 * kMebibyte));
}

/// One message has as many User Properties as fit into what the bridge takes.
TEST(LargePropertiesTest, OfSixteenDevicesDelayNoOthersAndCostNoMemory) {
  JobsEndpoint endpoint;
  std::string properties;
  while (properties.size() < (500U << 10U)) properties += "\x26" + text("n") + text("v");
  const auto large = text(start_next_topic("hostile")) + std::string("\0\5", 2) +
                     remaining_length(properties.size()) + properties + "{}";
  std::vector<std::chrono::milliseconds> times;
  std::atomic<bool> over{false};
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    if (!take_in(connection)) return;
    std::size_t answered = 0;
    for (int i = 0; i < 16; ++i) {
      const auto start = Others::Clock::now();
      connection.send_bytes("\x32" + remaining_length(large.size()) + large);
      connection.send_bytes(publish(start_next_topic("calm"), 7));
      while (answered <= times.size()) {
        const auto packet = connection.read();
        if (!packet) return;
        if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
        if (packet->type != Packet::publish) continue;
        connection.acknowledge(packet->publish_id());
        if (packet->topic() == start_next_topic("calm") + "/accepted") ++answered;
      }
      times.push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(Others::Clock::now() - start));
    }
    over = true;
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()),
                        "broker.canary_topic=", "endpoint.url=" + endpoint.url(), "log.level=info"},
                       BridgeProcess::Wait::not_at_all);
  ASSERT_TRUE(wait_until([&] { return over.load(); }, 60s)) << bridge.log();
  std::cout << "[ measured ] 16 x 500 KiB of user properties | calm's longest "
            << std::max_element(times.begin(), times.end())->count() << " ms | processor "
            << processor_time(bridge.process().id()).count() << " ms | peak "
            << (peak_memory(bridge.process().id()) >> 10U) << " KiB\n";
  EXPECT_LT(processor_time(bridge.process().id()), 2s * slowdown);
  EXPECT_LT(peak_memory(bridge.process().id()), memory_bound(64 * kMebibyte));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
