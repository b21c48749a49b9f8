#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/scripted_broker.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/raw_peer.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Connection = ScriptedBroker::Connection;

class SessionTest : public testing::TestWithParam<Protocol> {
 protected:
  [[nodiscard]] static bool mqtt_5() { return GetParam() == Protocol::v5; }
};
INSTANTIATE_TEST_SUITE_P(Protocols, SessionTest, testing::Values(Protocol::v5, Protocol::v3_1_1),
                         protocol_name);

TEST_P(SessionTest, MessagesThatCameWhileWeWereAwayArriveOnReturn) {
  MosquittoBroker broker;
  {
    BridgeEnd before(settings_for(broker.port(), GetParam()));
    ASSERT_TRUE(before.start());
    before.connection.stop();
  }
  MqttDevice device({.port = broker.port()});
  for (int i = 0; i < 50; ++i) device.publish("in/" + std::to_string(i), "while away");
  ASSERT_TRUE(device.flush());
  BridgeEnd after(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(after.start());
  EXPECT_TRUE(after.wait_for(50));
  EXPECT_EQ(after.log.count("session=resumed"), 1U) << after.log.text();
}

TEST_P(SessionTest, ExpiryOfZeroLeavesNoSessionBehind) {
  MosquittoBroker broker;
  auto settings = settings_for(broker.port(), GetParam());
  settings.session_expiry = 0s;
  for (int i = 0; i < 2; ++i) {
    BridgeEnd bridge(settings);
    ASSERT_TRUE(bridge.start());
    EXPECT_EQ(bridge.log.count("session=new"), 1U) << bridge.log.text();
  }
}

TEST_P(SessionTest, SubscriptionsAreMadeAgainWhenTheBrokerHasForgottenUs) {
  MosquittoBroker broker;  // without persistence
  BridgeEnd bridge(settings_for(broker.port(), GetParam()), {"in/#", "also/#"});
  ASSERT_TRUE(bridge.start());
  broker.stop(SIGKILL);
  ASSERT_TRUE(bridge.wait_until_disconnected());
  broker.start();
  ASSERT_TRUE(bridge.wait_until_subscribed());
  EXPECT_EQ(bridge.log.count("session=new"), 2U) << bridge.log.text();
  MqttDevice device({.port = broker.port()});
  device.publish("in/a", "");
  device.publish("also/a", "");
  EXPECT_TRUE(bridge.wait_for(2));
}

TEST_P(SessionTest, RetainedMessageIsMarkedOrNotEvenSent) {
  MosquittoBroker broker;
  MqttDevice device({.port = broker.port()});
  device.publish("in/old", "old", /*qos=*/1, /*retained=*/true);
  ASSERT_TRUE(device.flush());
  BridgeEnd bridge(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  device.publish("in/new", "new");
  ASSERT_TRUE(bridge.wait_for(mqtt_5() ? 1 : 2));
  const auto messages = bridge.messages();
  EXPECT_EQ(messages.back().payload, "new");
  EXPECT_FALSE(messages.back().retained);
  if (!mqtt_5()) {
    EXPECT_EQ(messages.front().payload, "old");
    EXPECT_TRUE(messages.front().retained);
  }
}

/// The broker may forget what we have acknowledged: it must be in the journal by then.
TEST_P(SessionTest, MessageIsAcknowledgedOnlyOnceItHasBeenHandledWhateverElseIsSentMeanwhile) {
  std::promise<bool> early;
  std::promise<bool> acknowledged;
  Gate handled;
  ScriptedBroker broker([&](Connection& connection, std::size_t number) {
    connection.accept(mqtt_5() ? std::optional<std::string>("") : std::nullopt);
    connection.answer_subscribe("\x01", mqtt_5());
    if (number > 0) return;
    std::string body("\0\4in/a\0\7", 8);
    if (mqtt_5()) body += '\0';
    connection.send_with_flags(Packet::publish, /*flags=*/2, body);
    bool too_early = false;
    while (connection.has_data(500ms)) {
      const auto packet = connection.read();
      if (!packet) break;
      too_early |= packet->type == Packet::puback;
    }
    early.set_value(too_early);
    handled.open();
    acknowledged.set_value(connection.read(Packet::puback).has_value());
    connection.read();
  });
  BridgeEnd bridge(settings_for(broker.port(), GetParam()), {"in/#"},
                   [&](BrokerConnection&, const Message&) { handled.wait(); });
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(bridge.wait_for(1));
  // What others send now must not take the acknowledgement along.
  std::thread worker([&] { bridge.publish("out/a", ""); });
  EXPECT_FALSE(early.get_future().get());
  EXPECT_TRUE(acknowledged.get_future().get());
  worker.join();
}

/// Mosquitto acknowledges what comes for a subscriber that is behind, and drops it past
/// max_queued_messages (1,000 by default), unless the subscriber's Receive Maximum lets it through.
TEST(SessionOverMqtt5Test, ThreeThousandRequestsWhileOneIsBeingHandledAllArrive) {
  MosquittoBroker broker;
  Gate gate;
  BridgeEnd bridge(settings_for(broker.port()), {"in/#"},
                   [&](BrokerConnection&, const Message&) { gate.wait(); });
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  for (int i = 0; i < 3000; ++i) device.publish("in/" + std::to_string(i), "");
  ASSERT_TRUE(device.flush());
  gate.open();
  EXPECT_TRUE(bridge.wait_for(3000)) << bridge.messages().size();
}

TEST(SessionOverMqtt5Test, MessageLargerThanWeAskedForIsWithheldAndTheNextArrives) {
  MosquittoBroker broker;
  auto settings = settings_for(broker.port());
  settings.max_packet_size = 1000;
  BridgeEnd bridge(settings);
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  device.publish("in/large", std::string(2000, 'x'));
  device.publish("in/small", "small");
  ASSERT_TRUE(bridge.wait_for(1));
  EXPECT_EQ(bridge.messages().front().payload, "small");
  EXPECT_EQ(bridge.connection.state().connections, 1U);
}

TEST_P(SessionTest, ConnectCarriesWhatTheSettingsSay) {
  std::promise<Packet> first;
  ScriptedBroker broker([&](Connection& connection, std::size_t number) {
    const auto packet = connection.read(Packet::connect);
    if (number == 0) first.set_value(packet.value_or(Packet{}));
  });
  auto settings = settings_for(broker.port(), GetParam());
  settings.client_id = "the-bridge";
  settings.username = "name";
  settings.password = "word";
  settings.session_expiry = 3600s;
  settings.keep_alive = 15s;
  BridgeEnd bridge(settings);
  bridge.connection.start();
  const auto connect = first.get_future().get();
  const std::string body = connect.body;
  EXPECT_EQ(body.substr(0, 7), std::string("\0\4MQTT", 6) + (mqtt_5() ? "\5" : "\4"));
  EXPECT_EQ(body.at(7), '\xC0');  // user name and password, no will, the old session
  EXPECT_LE(connect.number_at(8), 15);
  EXPECT_THAT(body, HasSubstr("the-bridge"));
  EXPECT_THAT(body, HasSubstr(std::string("\0\4name\0\4word", 12)));
  if (mqtt_5()) {
    EXPECT_THAT(body, HasSubstr(std::string("\x11\0\0\x0e\x10", 5)));  // Session Expiry Interval
    EXPECT_THAT(body, HasSubstr("\x21\xff\xff"));                      // Receive Maximum
    EXPECT_THAT(body, HasSubstr(std::string("\x27\0\x14\0\x10", 5)));  // Maximum Packet Size
  }
}

TEST_P(SessionTest, SubscribeAsksForQos1AndOverMqtt5ForNothingRetained) {
  std::mutex mutex;
  std::vector<std::string> requests;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept(mqtt_5() ? std::optional<std::string>("") : std::nullopt);
    for (int i = 0; i < 2; ++i) {
      const auto packet = connection.read(Packet::subscribe);
      if (!packet) return;
      const std::lock_guard lock(mutex);
      requests.push_back(packet->body.substr(mqtt_5() ? 3 : 2));
      connection.send(Packet::suback,
                      packet->body.substr(0, 2) + std::string(mqtt_5() ? 1 : 0, 0) + "\x01");
    }
    connection.read();
  });
  BridgeEnd bridge(settings_for(broker.port(), GetParam()), {"one/+", "two/#"});
  ASSERT_TRUE(bridge.start());
  const std::string options = mqtt_5() ? "\x21" : "\x01";
  const std::lock_guard lock(mutex);
  EXPECT_THAT(requests, ElementsAre(std::string("\0\5one/+", 7) + options,
                                    std::string("\0\5two/#", 7) + options));
}

TEST_P(SessionTest, RefusedFilterIsAnErrorInTheStateAndAskedForAgain) {
  for (const std::size_t filters : {1U, 3U}) {
    ScriptedBroker broker([&](Connection& connection, std::size_t) {
      connection.accept(mqtt_5() ? std::optional<std::string>("") : std::nullopt);
      for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < filters; ++i) {
          const bool refused = i == 0 && round < 2;
          connection.answer_subscribe(refused ? (mqtt_5() ? "\x87" : "\x80") : "\x01", mqtt_5());
        }
      }
      connection.read();
    });
    auto settings = settings_for(broker.port(), GetParam());
    settings.subscribe_again = 1s;
    std::vector<std::string> names = {"in/#", "two/#", "three/#"};
    names.resize(filters);
    BridgeEnd bridge(settings, names);
    bridge.connection.start();
    ASSERT_TRUE(wait_until([&] { return !bridge.connection.state().refused.empty(); }));
    const auto state = bridge.connection.state();
    EXPECT_TRUE(state.connected);
    EXPECT_FALSE(state.subscribed);
    ASSERT_EQ(state.refused.size(), 1U);
    EXPECT_THAT(state.refused.front(), HasSubstr("in/#"));
    ASSERT_TRUE(bridge.wait_until_subscribed());
    EXPECT_TRUE(bridge.connection.state().refused.empty());
    EXPECT_EQ(bridge.connection.state().connections, 1U);
    EXPECT_EQ(bridge.log.count("the broker refuses a subscription", Severity::error), 1U)
        << bridge.log.text();
  }
}

TEST_P(SessionTest, RefusedOptionalFilterIsSaidOnceAndIsNoFault) {
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept(mqtt_5() ? std::optional<std::string>("") : std::nullopt);
    connection.answer_subscribe("\x01", mqtt_5());
    connection.answer_subscribe(mqtt_5() ? "\x87" : "\x80", mqtt_5());
    connection.read();
  });
  auto settings = settings_for(broker.port(), GetParam());
  settings.optional_filters = {"spare/+"};
  BridgeEnd bridge(settings);
  ASSERT_TRUE(bridge.start());
  EXPECT_TRUE(bridge.connection.state().refused.empty());
  ASSERT_TRUE(bridge.log.wait_for("filter=spare/+")) << bridge.log.text();
  EXPECT_EQ(bridge.log.count("the broker refuses an optional subscription", Severity::info), 1U);
  EXPECT_EQ(bridge.log.count("the broker refuses a subscription", Severity::error), 0U);
}

TEST_P(SessionTest, WithoutAFilterItOnlyPublishes) {
  MosquittoBroker broker;
  BridgeEnd bridge(settings_for(broker.port(), GetParam()), {});
  ASSERT_TRUE(bridge.start());
  bridge.publish("out/a", "");
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
