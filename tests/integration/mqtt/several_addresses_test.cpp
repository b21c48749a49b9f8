#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/support/certificates.h"
#include "tests/support/free_port.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

using testing::HasSubstr;

BrokerSettings::Address at(std::uint16_t port) {
  return {.host = "127.0.0.1", .port = port};
}

class SeveralAddressesTest : public testing::TestWithParam<Protocol> {
 protected:
  static BrokerSettings settings(std::uint16_t first, std::initializer_list<std::uint16_t> more) {
    auto settings = settings_for(first, GetParam());
    for (const auto port : more) settings.more_addresses.push_back(at(port));
    return settings;
  }
  static bool is_served_at(const BridgeEnd& bridge, std::size_t address) {
    return wait_until(
        [&] {
          const auto state = bridge.connection.state();
          return state.subscribed && state.address == address;
        },
        wait_limit);
  }
};
INSTANTIATE_TEST_SUITE_P(Protocols, SeveralAddressesTest,
                         testing::Values(Protocol::v5, Protocol::v3_1_1), protocol_name);

TEST_P(SeveralAddressesTest, WhenTheNodeIsKilledTheOtherOneServesAndNothingQueuedIsLost) {
  MosquittoBroker first;
  MosquittoBroker second;
  MqttDevice device({.port = second.port()});
  device.subscribe("out/#");
  BridgeEnd bridge(settings(first.port(), {second.port()}));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(is_served_at(bridge, 0));

  first.stop(SIGKILL);
  bridge.publish("out/waited", "");
  ASSERT_TRUE(is_served_at(bridge, 1)) << bridge.log.text();
  const auto waited = device.next();
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->topic, "out/waited");
  device.publish("in/asked", "");
  EXPECT_TRUE(bridge.wait_for(1));

  // It stays there when the first is back, and returns only when this one goes.
  first.start();
  EXPECT_EQ(bridge.connection.state().address, 1U);
  second.stop(SIGKILL);
  EXPECT_TRUE(is_served_at(bridge, 0)) << bridge.log.text();
  for (const auto& broker : {&first, &second}) {
    EXPECT_THAT(bridge.log.text(), HasSubstr("connected to the broker broker=127.0.0.1:" +
                                             std::to_string(broker->port())));
  }
}

TEST_P(SeveralAddressesTest, EachIsTriedOnceBeforeAnyIsTriedAgain) {
  MosquittoBroker broker;
  const auto none = free_port();
  BridgeEnd bridge(settings(none, {none, none, broker.port()}));
  ASSERT_TRUE(bridge.start());
  EXPECT_EQ(bridge.connection.state().address, 3U);
  EXPECT_FALSE(bridge.connection.state().fault);
  EXPECT_TRUE(bridge.log.wait_for("attempts=4")) << bridge.log.text();
}

TEST_P(SeveralAddressesTest, EachNodesCertificateMustHaveTheNameOfItsOwnAddress) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  MosquittoBroker other({.tls = authority.issue("other", {.dns_names = {"elsewhere"}})});
  MosquittoBroker named({.tls = authority.issue("named", {.dns_names = {"localhost"}})});
  MosquittoBroker numbered({.tls = authority.issue("numbered", {.addresses = {"127.0.0.1"}})});
  auto wanted = settings_for(other.port(), GetParam());
  wanted.tls = true;
  wanted.ca_file = authority.certificate_file();
  wanted.more_addresses = {{.host = "localhost", .port = named.port(), .tls = true},
                           {.host = "127.0.0.1", .port = numbered.port(), .tls = true}};
  BridgeEnd bridge(wanted);
  ASSERT_TRUE(bridge.start());
  EXPECT_TRUE(is_served_at(bridge, 1));
  EXPECT_THAT(bridge.log.text(), HasSubstr("IP address mismatch"));
  named.stop(SIGKILL);
  EXPECT_TRUE(is_served_at(bridge, 2)) << bridge.log.text();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
