#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/scripted_broker.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Connection = ScriptedBroker::Connection;

class PublishTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, PublishTest, testing::Values(Protocol::v5, Protocol::v3_1_1),
                         protocol_name);

TEST_P(PublishTest, ThreeThousandRepliesAtOnceOnABrokerWithDefaultLimitsArriveInOrder) {
  MosquittoBroker broker({.no_delay = false});
  BridgeEnd bridge(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");
  const auto before = std::chrono::steady_clock::now();
  constexpr std::size_t count = 3000;
  for (std::size_t i = 0; i < count; ++i) {
    bridge.connection.queue({.topic = "out/" + std::to_string(i), .payload = std::to_string(i)});
  }
  bridge.connection.flush();
  ASSERT_TRUE(bridge.connection.drain(wait_limit));
  ASSERT_TRUE(device.wait_for(count));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  std::size_t next = 0;
  for (const auto& message : device.received()) {
    EXPECT_EQ(message.payload, std::to_string(next++));
  }
  const auto state = bridge.connection.state();
  EXPECT_EQ(state.waiting + state.unacknowledged + state.bytes, 0U);
  EXPECT_EQ(state.connections, 1U);
}

TEST_P(PublishTest, WhatNoBrokerTakesIsGivenUpAndTheRestArrives) {
  MosquittoBroker broker;
  BridgeEnd bridge(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");
  for (const auto& topic :
       {std::string(), std::string("out/+"), std::string("#"), std::string("out/\0x", 6),
        std::string("out/\xff\xfe"), "out/" + std::string(70000, 'x')}) {
    bridge.publish(topic, "never");
    bridge.publish("out/good", "good");
    const auto message = device.next();
    ASSERT_TRUE(message) << topic;
    EXPECT_EQ(message->payload, "good") << topic;
  }
  ASSERT_TRUE(bridge.connection.drain(wait_limit));
  const auto state = bridge.connection.state();
  EXPECT_EQ(state.unpublishable, 6U);
  EXPECT_EQ(state.connections, 1U);
  EXPECT_EQ(bridge.log.count("a reply cannot be published", Severity::error), 6U);
}

TEST(PublishOverMqtt5Test, PacketOfTheBrokersMaximumIsSentAndOneByteMoreIsGivenUp) {
  MosquittoBroker broker({.configuration = "max_packet_size 1000"});
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");
  // 1 + 2 bytes of header, 2 + 5 of topic, 2 of packet id, 1 of properties.
  bridge.publish("out/a", std::string(988, 'x'));
  bridge.publish("out/a", "small");
  bridge.publish("out/a", std::string(987, 'x'));
  EXPECT_EQ(device.next()->payload, "small");
  EXPECT_EQ(device.next()->payload.size(), 987U);
  EXPECT_EQ(bridge.log.count("packet of 1001 bytes is larger than the broker's maximum, 1000"), 1U)
      << bridge.log.text();
  EXPECT_EQ(bridge.connection.state().unpublishable, 1U);
  EXPECT_EQ(bridge.connection.state().connections, 1U);
}

TEST(PublishOverMqtt311Test, PacketThatEndsEveryConnectionIsFoundAndGivenUp) {
  MosquittoBroker broker({.configuration = "max_packet_size 1000"});
  BridgeEnd bridge(settings_for(broker.port(), Protocol::v3_1_1));
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");
  for (int i = 0; i < 50; ++i) {
    bridge.connection.queue({.topic = "out/" + std::to_string(i), .payload = "small"});
  }
  bridge.connection.queue({.topic = "out/large", .payload = std::string(2000, 'x')});
  for (int i = 50; i < 100; ++i) {
    bridge.connection.queue({.topic = "out/" + std::to_string(i), .payload = "small"});
  }
  bridge.connection.flush();
  ASSERT_TRUE(bridge.connection.drain(60s)) << bridge.log.text();
  ASSERT_TRUE(wait_until([&] { return device.count() >= 100; }));
  const auto state = bridge.connection.state();
  EXPECT_EQ(state.unpublishable, 1U);
  EXPECT_EQ(bridge.log.count("topic=out/large cause=the connection has repeatedly ended after it"),
            1U)
      << bridge.log.text();
}

/// Lets the script withhold what it has read.
std::string read_topic(Connection& connection, std::vector<std::uint16_t>& ids) {
  const auto packet = connection.read(Packet::publish);
  if (!packet) return "";
  ids.push_back(packet->publish_id());
  return packet->topic();
}

TEST(PublishOverMqtt5Test,
     NoMoreThanTheReceiveMaximumAreUnacknowledgedAndEachAcknowledgementOpensOne) {
  std::atomic<bool> good = false;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept(std::string("\x21\x00\x03", 3));  // Receive Maximum 3
    connection.answer_subscribe("\x01");
    std::vector<std::uint16_t> ids;
    for (int i = 0; i < 3; ++i) read_topic(connection, ids);
    // Were there a fourth, it would come before the answer to nothing at all: so none may come
    // within a while.
    const auto is_quiet = !connection.has_data(300ms);
    connection.acknowledge(ids.at(0));
    const auto fourth = read_topic(connection, ids);
    good = is_quiet && fourth == "out/3" && !connection.has_data(300ms);
    for (std::size_t i = 1; i < ids.size(); ++i) connection.acknowledge(ids[i]);
    while (const auto packet = connection.read(Packet::publish)) {
      connection.acknowledge(packet->publish_id());
    }
  });
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start());
  for (int i = 0; i < 10; ++i) {
    bridge.connection.queue({.topic = "out/" + std::to_string(i), .payload = ""});
  }
  bridge.connection.flush();
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
  EXPECT_TRUE(good);
}

TEST(PublishOverMqtt5Test, RefusedOnesAreLoggedAndDoNotLeakTheWindow) {
  ScriptedBroker broker([](Connection& connection, std::size_t) {
    connection.accept(std::string("\x21\x00\x02", 3));  // Receive Maximum 2
    connection.answer_subscribe("\x01");
    while (const auto packet = connection.read(Packet::publish)) {
      const bool refused = packet->topic() == "out/refused";
      connection.acknowledge(packet->publish_id(), refused ? 0x87 : 0x10);  // no subscribers: good
    }
  });
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start());
  for (int i = 0; i < 20; ++i) {
    bridge.connection.queue({.topic = "out/refused", .payload = ""});
    bridge.connection.queue({.topic = "out/good", .payload = ""});
  }
  bridge.connection.flush();
  ASSERT_TRUE(bridge.connection.drain(wait_limit));
  EXPECT_EQ(bridge.connection.state().unpublishable, 20U);
  EXPECT_EQ(bridge.log.count("topic=out/refused cause=refused by the broker: Not authorized"), 20U)
      << bridge.log.text();
}

TEST(PublishOverMqtt5Test, BrokerThatKnowsOnlyQos0GetsThat) {
  std::atomic<int> qos = -1;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept(std::string("\x24\x00", 2));  // Maximum QoS 0
    connection.answer_subscribe(std::string("\x00", 1));
    if (const auto packet = connection.read(Packet::publish)) qos = packet->flags >> 1;
    connection.read();
  });
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start());
  bridge.publish("out/a", "x");
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
  EXPECT_TRUE(wait_until([&] { return qos >= 0; }));
  EXPECT_EQ(qos, 0);
}

TEST_P(PublishTest, UnacknowledgedOnesAreSentAgainFirstAndInOrderWithAndWithoutASession) {
  const bool mqtt_5 = GetParam() == Protocol::v5;
  for (const bool session_present : {true, false}) {
    std::mutex mutex;
    std::vector<std::string> second;
    ScriptedBroker broker([&](Connection& connection, std::size_t number) {
      connection.accept(mqtt_5 ? std::optional<std::string>("") : std::nullopt, session_present);
      connection.answer_subscribe("\x01", mqtt_5);
      std::vector<std::uint16_t> ids;
      if (number == 0) {
        for (int i = 0; i < 5; ++i) read_topic(connection, ids);
        connection.acknowledge(ids.at(1));
        return;  // the connection ends with four unacknowledged
      }
      while (const auto packet = connection.read(Packet::publish)) {
        {
          const std::lock_guard lock(mutex);
          second.push_back(packet->topic());
        }
        connection.acknowledge(packet->publish_id());
      }
    });
    BridgeEnd bridge(settings_for(broker.port(), GetParam()));
    ASSERT_TRUE(bridge.start());
    for (int i = 0; i < 5; ++i) bridge.publish("out/" + std::to_string(i), "");
    ASSERT_TRUE(wait_until([&] { return bridge.connection.state().connections >= 2; }));
    bridge.publish("out/new", "");
    ASSERT_TRUE(bridge.connection.drain(wait_limit)) << bridge.log.text();
    const std::lock_guard lock(mutex);
    EXPECT_THAT(second, ElementsAre("out/0", "out/2", "out/3", "out/4", "out/new"))
        << bridge.log.text();
  }
}

TEST_P(PublishTest, FullOutboxDropsTheOldestAndSaysSoOnce) {
  MosquittoBroker broker;
  auto settings = settings_for(broker.port(), GetParam());
  settings.max_queued_publications = 100;
  BridgeEnd bridge(settings);
  for (int i = 0; i < 1000; ++i) bridge.publish("out/a", std::to_string(i));
  EXPECT_EQ(bridge.connection.state().waiting, 100U);
  EXPECT_EQ(bridge.connection.state().overflowed, 900U);
  EXPECT_EQ(bridge.log.count("replies dropped", Severity::warning), 1U);
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(device.wait_for(100));
  int next = 900;
  for (const auto& message : device.received()) EXPECT_EQ(message.payload, std::to_string(next++));
}

TEST_P(PublishTest, LargePayloadArrivesWhole) {
  MosquittoBroker broker;
  auto settings = settings_for(broker.port(), GetParam());
  settings.max_packet_size = 8U << 20U;  // binds the device, too, if it reads by the same library
  BridgeEnd bridge(settings);
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");
  std::string payload;
  while (payload.size() < 5'000'000) payload += std::to_string(payload.size()) + ",";
  bridge.publish("out/large", payload);
  bridge.publish("out/small", "after");
  const auto large = device.next();
  ASSERT_TRUE(large);
  EXPECT_TRUE(large->payload == payload) << large->payload.size() << " bytes";
  const auto small = device.next();
  ASSERT_TRUE(small);
  EXPECT_EQ(small->payload, "after");
}

}  // namespace
}  // namespace jobs_bridge::testing_support
