#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/scripted_broker.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"

/// What brokers do with messages of ours to ourselves, and what we make of it.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::HasSubstr;
using Connection = ScriptedBroker::Connection;

const std::string canary = "canary/bridge";

BrokerSettings with_canary(std::uint16_t port, Protocol protocol = Protocol::v5) {
  auto settings = settings_for(port, protocol);
  settings.keep_alive = 4s;
  settings.canary_topic = canary;
  return settings;
}

/// The canary's topic is subscribed to last.
void answer_subscriptions(Connection& connection, const std::string& code_for_canary = "\x01") {
  connection.answer_subscribe("\x01");
  connection.answer_subscribe(code_for_canary);
}

/// A broker's part until the connection ends, or `limit` publications have been acknowledged;
/// `deliver` also sends them back, at QoS 0.
void serve(Connection& connection, bool deliver, int limit = 1000) {
  while (limit > 0) {
    const auto packet = connection.read();
    if (!packet) return;
    if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
    if (packet->type != Packet::publish) continue;
    --limit;
    connection.acknowledge(packet->publish_id());
    const auto topic = packet->topic();
    // Without the packet id, which follows the topic.
    if (deliver) {
      connection.send(Packet::publish, packet->body.substr(0, 2 + topic.size()) +
                                           packet->body.substr(4 + topic.size()));
    }
  }
}

class CanaryTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, CanaryTest, testing::Values(Protocol::v5, Protocol::v3_1_1),
                         protocol_name);

TEST_P(CanaryTest, ItComesBackAndNobodyElseSeesItNorOnesOfOthers) {
  MosquittoBroker broker;
  BridgeEnd bridge(with_canary(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(bridge.wait_until_flowing()) << bridge.log.text();
  const auto first = bridge.connection.state();
  EXPECT_TRUE(first.canary);
  EXPECT_EQ(first.canary_fault, "");
  EXPECT_GT(first.round_trip, 0s);
  EXPECT_LT(first.round_trip, 1s);
  MqttDevice other({.port = broker.port()});
  other.publish(canary, "from somebody else");
  other.publish("in/a", "");
  ASSERT_TRUE(bridge.wait_for(1));
  EXPECT_EQ(bridge.messages().front().topic, "in/a");
  EXPECT_TRUE(wait_until([&] { return bridge.connection.state().flowed > first.flowed; }));
  EXPECT_EQ(bridge.messages().size(), 1U);
}

TEST_P(CanaryTest, ABrokerThatLetsItNotPassIsServedWithoutAndLaterWithIt) {
  const std::string rules = "topic readwrite in/#\ntopic readwrite out/#\n";
  MosquittoBroker broker({.acl = rules});
  BridgeEnd bridge(with_canary(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(bridge.log.wait_for("cannot tell whether messages flow")) << bridge.log.text();
  EXPECT_EQ(bridge.log.count("topic readwrite canary/bridge"), 1U) << "the hint";
  if (GetParam() == Protocol::v5) {
    EXPECT_THAT(bridge.connection.state().canary_fault, HasSubstr("Not authorized"));
  }
  // For longer than it would take to find the link dead. (Paho may ping too late for a keep-alive
  // this short, on a busy machine, and mosquitto then ends the connection.)
  const auto given_up = [&] {
    return bridge.log.count("kind=silent") + bridge.log.count("kind=deaf");
  };
  EXPECT_FALSE(wait_until([&] { return given_up() > 0; }, 3 * 4s)) << bridge.log.text();
  ASSERT_TRUE(bridge.wait_until_subscribed());
  EXPECT_EQ(bridge.log.count("cannot tell whether messages flow"), 1U);
  const auto state = bridge.connection.state();
  EXPECT_TRUE(state.subscribed);
  EXPECT_FALSE(state.canary);
  EXPECT_FALSE(state.flowing);
  MqttDevice device({.port = broker.port()});
  device.publish("in/a", "");
  EXPECT_TRUE(bridge.wait_for(1));
  broker.set_acl(rules + "topic readwrite canary/#\n");
  ASSERT_TRUE(bridge.wait_until_flowing());
  EXPECT_EQ(bridge.connection.state().canary_fault, "");
  EXPECT_EQ(given_up(), 0U) << bridge.log.text();
}

TEST(CanarySubscriptionTest, ARefusedOneIsToldOnceAndTheBridgeIsReady) {
  ScriptedBroker broker([](Connection& connection, std::size_t) {
    connection.accept();
    answer_subscriptions(connection, "\x87");
    serve(connection, false, 1);
  });
  BridgeEnd bridge(with_canary(broker.port()));
  ASSERT_TRUE(bridge.start());
  EXPECT_TRUE(bridge.connection.state().refused.empty());
  EXPECT_THAT(bridge.connection.state().canary_fault, HasSubstr("Not authorized"));
  bridge.publish("out/a", "");
  // The script ends the connection then, and it is the same with the next.
  ASSERT_TRUE(wait_until([&] { return bridge.connection.state().connections > 1; }));
  ASSERT_TRUE(bridge.wait_until_subscribed());
  EXPECT_EQ(bridge.log.count("cannot tell whether messages flow"), 1U);
}

TEST(CanarySubscriptionTest, OneThatTheBrokerForgetsIsMadeAnewInTime) {
  std::atomic<bool> forgets = true;
  std::atomic<steady_clock::time_point> forgot{};
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept("", /*session_present=*/true);
    answer_subscriptions(connection);
    if (forgets.exchange(false)) {
      serve(connection, true, 2);
      forgot = steady_clock::now();
      serve(connection, false);  // pings and publications are answered all the while
    } else {
      serve(connection, true);
    }
  });
  BridgeEnd bridge(with_canary(broker.port()));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(bridge.log.wait_for("nor any others", wait_limit));
  const auto noticed = steady_clock::now() - forgot.load();
  std::cout << "a subscription that the broker forgot was noticed after "
            << std::chrono::duration<double>(noticed).count() << " s with a keep-alive of 4 s\n";
  EXPECT_LT(noticed, 6s);
  EXPECT_TRUE(bridge.log.wait_for("messages flow again", wait_limit)) << bridge.log.text();
}

TEST(CanaryPublicationTest, WhereABrokerEndsTheConnectionOverItTheFourthGoesWithout) {
  ScriptedBroker broker([](Connection& connection, std::size_t number) {
    connection.accept();
    connection.answer_subscribe("\x01");
    if (number < 3) {
      connection.answer_subscribe("\x01");
      connection.read(Packet::publish);
    } else {
      serve(connection, false);
    }
  });
  BridgeEnd bridge(with_canary(broker.port()));
  bridge.connection.start();
  ASSERT_TRUE(bridge.log.wait_for("cannot tell whether messages flow", wait_limit));
  ASSERT_TRUE(wait_until([&] {
    const auto state = bridge.connection.state();
    return state.connections == 4 && state.subscribed;
  }));
  EXPECT_THAT(bridge.connection.state().canary_fault, HasSubstr("connections in a row ended"));
  bridge.publish("out/a", "");
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
  EXPECT_EQ(broker.connections(), 4U);
}

TEST(CanaryPublicationTest, ItTakesNoPlaceThatAReplyNeeds) {
  std::atomic<int> answered = 0;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept(std::string("\x21\0\1", 3));  // Receive Maximum 1
    answer_subscriptions(connection);
    while (const auto packet = connection.read()) {
      if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
      if (packet->type != Packet::publish) continue;
      const bool at_least_once = (packet->flags & 6) != 0;
      EXPECT_EQ(at_least_once, packet->topic() != canary);
      if (!at_least_once) continue;
      ++answered;  // before its sender knows, who then looks
      connection.acknowledge(packet->publish_id());
    }
  });
  BridgeEnd bridge(with_canary(broker.port()));
  ASSERT_TRUE(bridge.start());
  for (int i = 0; i < 100; ++i) bridge.publish("out/a", "");
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
  EXPECT_EQ(answered, 100);
}

TEST(CanaryPublicationTest, ABrokerWithoutKeepAliveGetsItAtThePaceOfOurs) {
  ScriptedBroker broker([](Connection& connection, std::size_t) {
    connection.accept(std::string("\x13\0\0", 3));  // Server Keep Alive 0
    answer_subscriptions(connection);
    serve(connection, true);
  });
  BridgeEnd bridge(with_canary(broker.port()));
  ASSERT_TRUE(bridge.start()) << bridge.log.text();
  ASSERT_TRUE(bridge.wait_until_flowing()) << bridge.log.text();
  const auto first = *bridge.connection.state().flowed;
  auto last = first;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(wait_until([&] { return bridge.connection.state().flowed > last; }, wait_limit));
    last = *bridge.connection.state().flowed;
  }
  EXPECT_GT(last - first, 3 * 1s) << "one every two seconds";
  EXPECT_TRUE(bridge.connection.state().subscribed);
  EXPECT_EQ(broker.connections(), 1U) << bridge.log.text();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
