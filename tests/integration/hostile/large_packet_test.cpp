#include <atomic>

#include "tests/integration/hostile/broker_side.h"
#include "tests/integration/hostile/others.h"
#include "tests/support/raw_peer.h"
#include "tests/support/sanitized.h"
#include "tests/support/wait_until.h"

/// Neither MQTT library bounds what it keeps of one packet: see adapters/mqtt/reads.h.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;

constexpr std::size_t kMebibyte = 1U << 20U;
constexpr std::size_t kLongest = 268435455;  ///< what MQTT's length field can say

class LargePacketTest : public testing::TestWithParam<bool> {
 protected:
  [[nodiscard]] static bool mqtt_5() { return GetParam(); }
  [[nodiscard]] static std::string protocol() {
    return std::string("broker.protocol=") + (mqtt_5() ? "5" : "3.1.1");
  }
};
INSTANTIATE_TEST_SUITE_P(, LargePacketTest, testing::Values(true, false), [](const auto& test) {
  return std::string(test.param ? "Mqtt5" : "Mqtt311");
});

TEST_P(LargePacketTest, OfAQuarterGibibyteEndsTheConnectionBeforeItIsInMemory) {
  std::atomic<bool> served{false};
  JobsEndpoint endpoint;
  ScriptedBroker broker([&](Connection& connection, std::size_t number) {
    if (number > 0) {
      served = served || serves(connection, mqtt_5());
      return;
    }
    if (!take_in(connection, mqtt_5())) return;
    connection.send_bytes("\x32" + remaining_length(kLongest) + text(start_next_topic("lamp")));
    const std::string more(65536, 'x');
    for (std::size_t sent = 0; sent < kLongest; sent += more.size()) {
      if (!connection.send_bytes(more)) return;
    }
    connection.read();
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()), protocol(),
                        "endpoint.url=" + endpoint.url()},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(wait_until([&] { return served.load(); })) << bridge.log();
  const auto peak = peak_memory(bridge.process().id());
  EXPECT_LT(peak, memory_bound(64 * kMebibyte));
  EXPECT_TRUE(bridge.process().wait_for_line(
      "kind=too_large cause=.*a packet of 268435455 bytes; the limit is 1048576"))
      << bridge.log();
  std::cout << "[ measured ] packet of 256 MiB | peak " << (peak >> 10U) << " KiB\n";
}

TEST(LargePacketOverTlsTest, EndsTheConnectionBeforeItIsInMemory) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  RawPeer broker({.tls = authority.issue("broker", {.addresses = {"127.0.0.1"}})},
                 [](PeerConnection& connection) {
                   connection.send(std::string("\x20\x03\0\0\0", 5) + "\x32" +
                                   remaining_length(kLongest) + text("a/b"));
                   const std::string more(65536, 'x');
                   for (std::size_t sent = 0; sent < kLongest; sent += more.size()) {
                     if (!connection.send(more)) return;
                   }
                   connection.wait_for_close();
                 });
  BridgeProcess bridge(
      {"broker.url=mqtts://127.0.0.1:" + std::to_string(broker.port()),
       "broker.ca_file=" + authority.certificate_file(), "endpoint.url=http://127.0.0.1:9"},
      BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(bridge.process().wait_for_line("kind=too_large cause=.*a packet of 268435455 bytes"))
      << bridge.log();
  EXPECT_LT(peak_memory(bridge.process().id()), memory_bound(64 * kMebibyte));
}

/// Over MQTT 3.1.1 a broker knows no limit of ours, and keeps what we have not acknowledged: it
/// would be the end of every connection to come.
TEST(LargePacketOfADeviceTest, KeptByABrokerOfMqtt311IsGivenUpAndTheOthersAreServedAgain) {
  Site site({.wires = {.mqtt_5 = false}});
  MqttDevice hostile({.port = site.broker->port(), .version_5 = false, .client_id = "hostile"});
  hostile.publish(start_next_topic("hostile"), std::string(8 * kMebibyte, 'x'));
  ASSERT_TRUE(
      site.bridge->process().wait_for_line("what the broker kept for us is given up.*"
                                           "max_packet_size 1048576"))
      << site.bridge->log();
  const auto given_up = site.bridge->log().find("is given up");
  ASSERT_TRUE(site.bridge->process().wait_for_output("ready for requests", patience, given_up))
      << site.bridge->log();
  Others others(site.broker->port());
  EXPECT_TRUE(others.ask()) << others.last() << site.bridge->log();
  EXPECT_LT(peak_memory(site.bridge->process().id()), memory_bound(64 * kMebibyte));
}

/// Over MQTT 5 it knows.
TEST(LargePacketOfADeviceTest, IsWithheldByABrokerOfMqtt5AndCostsNobodyTheConnection) {
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

}  // namespace
}  // namespace jobs_bridge::testing_support
