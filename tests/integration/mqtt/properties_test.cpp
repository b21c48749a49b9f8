#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/reason_string.h"
#include "tests/integration/mqtt/scripted_broker.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;

class PropertiesTest : public testing::TestWithParam<Protocol> {
 protected:
  [[nodiscard]] static bool mqtt_5() { return GetParam() == Protocol::v5; }
};
INSTANTIATE_TEST_SUITE_P(Protocols, PropertiesTest, testing::Values(Protocol::v5, Protocol::v3_1_1),
                         protocol_name);

TEST_P(PropertiesTest, RequestsContentTypeAndExpiryArriveOverMqtt5) {
  MosquittoBroker broker;
  BridgeEnd bridge(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  device.publish("in/a", "\xA0", {.content_type = "application/cbor", .expires_after = 60s});
  device.publish("in/b", "{}");
  // More than fits into 31 bits.
  device.publish("in/c", "{}", {.content_type = "", .expires_after = 4'000'000'000s});
  ASSERT_TRUE(bridge.wait_for(3));
  const auto messages = bridge.messages();
  EXPECT_EQ(messages[0].payload, "\xA0");
  EXPECT_EQ(messages[0].content_type, mqtt_5() ? "application/cbor" : "");
  EXPECT_EQ(messages[1].content_type, "");
  EXPECT_FALSE(messages[1].expires_after);
  EXPECT_EQ(messages[2].content_type, "");
  ASSERT_EQ(messages[0].expires_after.has_value(), mqtt_5());
  ASSERT_EQ(messages[2].expires_after.has_value(), mqtt_5());
  if (mqtt_5()) {
    EXPECT_LE(*messages[0].expires_after, 60s);
    EXPECT_GT(*messages[0].expires_after, 30s);
    EXPECT_LE(*messages[2].expires_after, 4'000'000'000s);
    EXPECT_GT(*messages[2].expires_after, 3'999'999'000s);
  }
}

TEST_P(PropertiesTest, PublicationsContentTypeReachesDevicesThatSpeakMqtt5) {
  MosquittoBroker broker;
  BridgeEnd bridge(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  MqttDevice modern({.port = broker.port(), .client_id = "modern"});
  MqttDevice old({.port = broker.port(), .version_5 = false, .client_id = "old"});
  modern.subscribe("out/#");
  old.subscribe("out/#");
  bridge.connection.queue({.topic = "out/a",
                           .payload = "\xA0",
                           .correlation_data = "c",
                           .content_type = "application/cbor"});
  bridge.publish("out/b", "{}");
  for (auto* device : {&modern, &old}) {
    const bool arrives = mqtt_5() && device == &modern;
    const auto first = device->next();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->payload, "\xA0");
    EXPECT_EQ(first->content_type, arrives ? "application/cbor" : "");
    EXPECT_EQ(first->correlation_data, arrives ? "c" : "");
    const auto second = device->next();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->payload, "{}");
    EXPECT_EQ(second->content_type, "");
  }
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
  EXPECT_EQ(bridge.connection.state().connections, 1U);
}

TEST_P(PropertiesTest, MessageThatExpiresWhileWeAreAwayIsNotDelivered) {
  MosquittoBroker broker;
  {
    BridgeEnd before(settings_for(broker.port(), GetParam()));
    ASSERT_TRUE(before.start());
    before.connection.stop();
  }
  MqttDevice device({.port = broker.port()});
  device.publish("in/expiring", "", {.content_type = "", .expires_after = 1s});
  device.publish("in/lasting", "", {.content_type = "", .expires_after = 100s});
  ASSERT_TRUE(device.flush());
  // Nothing to wait for but time itself; mosquitto counts in whole seconds.
  std::this_thread::sleep_for(3s);
  BridgeEnd after(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(after.start());
  device.publish("in/new", "");
  ASSERT_TRUE(after.wait_for(2));
  const auto messages = after.messages();
  EXPECT_EQ(messages[0].topic, "in/lasting");
  EXPECT_EQ(messages[1].topic, "in/new");
  if (mqtt_5()) {
    ASSERT_TRUE(messages[0].expires_after);
    EXPECT_LT(*messages[0].expires_after, 99s);  // what is left of it
    EXPECT_GT(*messages[0].expires_after, 50s);
  }
}

TEST(ReasonStringTest, ReasonOfADisconnectWithWordsIsInTheLog) {
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept();
    connection.answer_subscribe("\x01");
    connection.send(Packet::disconnect, "\x97" + reason_string("no more"));
    connection.read();
  });
  BridgeEnd bridge(settings_for(broker.port()));
  bridge.connection.start();
  EXPECT_TRUE(bridge.log.wait_for("the broker disconnected the bridge: Quota exceeded (151)"))
      << bridge.log.text();
}

/// Whether or not the MQTT library passes those words on, they must not hide the reason.
TEST(ReasonStringTest, WordsInARefusalOfAnyKindLeaveTheReasonKnown) {
  ScriptedBroker broker([](Connection& connection, std::size_t number) {
    if (number == 0) {
      connection.read(Packet::connect);
      connection.send(Packet::connack, std::string("\0\x97", 2) + reason_string("no room"));
      return;
    }
    connection.accept(reason_string("welcome").substr(1));
    for (const char code : {'\x87', '\x01'}) {
      const auto request = connection.read(Packet::subscribe);
      if (!request) return;
      connection.send(Packet::suback, request->body.substr(0, 2) + reason_string("not you") + code);
    }
    const auto packet = connection.read(Packet::publish);
    if (!packet) return;
    const auto id = packet->publish_id();
    connection.send(Packet::puback,
                    std::string{static_cast<char>(id >> 8), static_cast<char>(id & 0xFF), '\x87'} +
                        reason_string("not that"));
    connection.read();
  });
  auto settings = settings_for(broker.port());
  settings.subscribe_again = 1s;
  BridgeEnd bridge(settings);
  ASSERT_TRUE(bridge.start()) << bridge.log.text();
  bridge.publish("out/a", "");
  EXPECT_TRUE(bridge.log.wait_for("refused by the broker: Not authorized (135)"))
      << bridge.log.text();
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
  EXPECT_EQ(bridge.log.count("refuses the connection: Quota exceeded (151)"), 1U)
      << bridge.log.text();
  EXPECT_EQ(bridge.log.count("filter=in/#: Not authorized (135)"), 1U) << bridge.log.text();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
