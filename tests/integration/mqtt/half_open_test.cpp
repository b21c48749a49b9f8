#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/ledger.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/tcp_proxy.h"

/// Links and brokers that stop silently, and sessions that have lost their subscriptions.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using Direction = TcpProxy::Direction;

constexpr auto keep_alive = 4s;

BrokerSettings impatient(std::uint16_t port, Protocol protocol) {
  auto settings = settings_for(port, protocol);
  settings.keep_alive = keep_alive;
  settings.connect_timeout = 1s;
  settings.canary_topic = "canary/bridge";
  return settings;
}

struct Fault {
  Protocol protocol;
  Direction direction;
  bool busy;  ///< messages come and go meanwhile
};

std::string fault_name(const testing::TestParamInfo<Fault>& parameter) {
  const auto& [protocol, direction, busy] = parameter.param;
  return std::string(protocol == Protocol::v5 ? "V5" : "V311") +
         (direction == Direction::both        ? "Both"
          : direction == Direction::to_target ? "ToBroker"
                                              : "FromBroker") +
         (busy ? "Busy" : "Idle");
}

class ForgottenLinkTest : public testing::TestWithParam<Fault> {};
INSTANTIATE_TEST_SUITE_P(Faults, ForgottenLinkTest,
                         testing::Values(Fault{Protocol::v5, Direction::both, false},
                                         Fault{Protocol::v5, Direction::to_target, false},
                                         Fault{Protocol::v5, Direction::from_target, false},
                                         Fault{Protocol::v5, Direction::both, true},
                                         Fault{Protocol::v5, Direction::to_target, true},
                                         Fault{Protocol::v5, Direction::from_target, true},
                                         Fault{Protocol::v3_1_1, Direction::to_target, true},
                                         Fault{Protocol::v3_1_1, Direction::from_target, true}),
                         fault_name);

TEST_P(ForgottenLinkTest, IsNoticedWithinOneAndAHalfKeepAlivesAndNothingIsLost) {
  const auto [protocol, direction, busy] = GetParam();
  MosquittoBroker broker({.configuration = "max_queued_messages 0"});
  TcpProxy network(broker.port());
  BridgeEnd bridge(impatient(network.port(), protocol));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(bridge.wait_until_flowing());
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");

  std::size_t sent = 0;
  const auto send_both_ways = [&] {
    device.publish("in/" + std::to_string(sent), "");
    bridge.publish("out/" + std::to_string(sent), "");
    ++sent;
  };
  send_both_ways();
  ASSERT_TRUE(bridge.wait_for(1));
  network.forget(direction);
  const auto began = steady_clock::now();
  ASSERT_TRUE(wait_until(
      [&] {
        if (busy && steady_clock::now() - began > sent * 100ms) send_both_ways();
        return !bridge.connection.state().connected;
      },
      wait_limit));
  const auto noticed = steady_clock::now() - began;
  EXPECT_LT(noticed, keep_alive * 3 / 2) << bridge.log.text();
  ASSERT_TRUE(bridge.log.wait_for("messages flow again", wait_limit)) << bridge.log.text();
  send_both_ways();
  ASSERT_TRUE(bridge.connection.drain(wait_limit));
  Ledger in;
  Ledger out;
  ASSERT_TRUE(wait_until(
      [&] {
        in = Ledger();
        for (const auto& message : bridge.messages()) {
          in.received(std::stoul(message.topic.substr(3)));
        }
        return in.distinct() == sent;
      },
      wait_limit));
  while (out.distinct() < sent) {
    const auto message = device.next();
    ASSERT_TRUE(message);
    out.received(std::stoul(message->topic.substr(4)));
  }
  const auto name = fault_name({GetParam(), 0});
  std::cout << name << " noticed after " << std::chrono::duration<double>(noticed).count()
            << " s with a keep-alive of 4 s\n";
  in.print(std::cout, name + ", device to bridge", sent);
  out.print(std::cout, name + ", bridge to device", sent);
  EXPECT_EQ(in.out_of_order(), 0U);
  EXPECT_EQ(out.out_of_order(), 0U);
}

class SilentBrokerTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, SilentBrokerTest,
                         testing::Values(Protocol::v5, Protocol::v3_1_1), protocol_name);

TEST_P(SilentBrokerTest, OneThatIsPausedIsNoticedAndFlowsAgainWhenItGoesOn) {
  MosquittoBroker broker;
  BridgeEnd bridge(impatient(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(bridge.wait_until_flowing());
  broker.freeze();
  const auto began = steady_clock::now();
  EXPECT_TRUE(bridge.wait_until_disconnected());
  EXPECT_LT(steady_clock::now() - began, keep_alive * 3 / 2);
  for (int i = 0; i < 100; ++i) bridge.publish("out/" + std::to_string(i), "");
  // Its kernel accepts TCP connections, but it sends nothing.
  EXPECT_TRUE(bridge.log.wait_for("no answer to CONNECT", wait_limit)) << bridge.log.text();
  broker.thaw();
  ASSERT_TRUE(bridge.log.wait_for("messages flow again", wait_limit)) << bridge.log.text();
  ASSERT_TRUE(bridge.connection.drain(wait_limit));
  // The broker acknowledges before what it logs has reached us.
  Ledger out;
  EXPECT_TRUE(wait_until(
      [&] {
        out = Ledger();
        for (const auto& topic : received_from_bridge(broker.log())) {
          if (topic.starts_with("out/")) out.received(std::stoul(topic.substr(4)));
        }
        return out.distinct() == 100;
      },
      wait_limit))
      << out.distinct();
  EXPECT_EQ(out.out_of_order(), 0U);
  MqttDevice device({.port = broker.port()});
  device.publish("in/a", "");
  EXPECT_TRUE(bridge.wait_for(1));
}

TEST_P(SilentBrokerTest, AnotherClientOfOurNameThatEmptiesOurSessionCostsUsNoSubscription) {
  MosquittoBroker broker;
  BridgeEnd bridge(impatient(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(bridge.wait_until_flowing());
  for (const bool session_stays : {false, true}) {
    const auto before = bridge.connection.state().connections;
    // A clean start, and with an expiry the session stays: present, but without what we had.
    Process other({"mosquitto_sub", "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-V",
                   "5", "-i", "bridge", "-x", session_stays ? "3600" : "0", "-t", "another", "-E"});
    EXPECT_TRUE(other.wait());
    ASSERT_TRUE(wait_until(
        [&] {
          const auto state = bridge.connection.state();
          return state.connections > before && state.flowing;
        },
        wait_limit))
        << bridge.log.text();
  }
  EXPECT_GE(bridge.log.count("session=resumed"), 1U) << bridge.log.text();
  MqttDevice device({.port = broker.port()});
  device.publish("in/a", "");
  EXPECT_TRUE(bridge.wait_for(1));
}

class BacklogTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, BacklogTest, testing::Values(Protocol::v5, Protocol::v3_1_1),
                         protocol_name);

TEST_P(BacklogTest, WhatTheBrokerKeptForUsComesBeforeOurCanaryAndSaysSo) {
  constexpr std::size_t kept = 3000;
  for (const bool restarted : {false, true}) {
    MosquittoBroker broker({.persistence = true, .configuration = "max_queued_messages 0"});
    const auto settings = impatient(broker.port(), GetParam());
    {
      BridgeEnd before(settings);
      ASSERT_TRUE(before.start());
      before.connection.stop();
    }
    {
      MqttDevice device({.port = broker.port()});
      for (std::size_t i = 0; i < kept; ++i) device.publish("in/" + std::to_string(i), "");
      ASSERT_TRUE(device.flush());
    }
    if (restarted) {
      broker.stop();
      broker.start();
    }
    BridgeEnd bridge(settings);
    ASSERT_TRUE(bridge.start());
    ASSERT_TRUE(bridge.wait_for(kept));
    ASSERT_TRUE(bridge.wait_until_flowing());
    MqttDevice device({.port = broker.port()});
    device.publish("in/" + std::to_string(kept), "");
    ASSERT_TRUE(bridge.wait_for(kept + 1));
    std::size_t marked = 0;
    Ledger in;
    for (const auto& message : bridge.messages()) {
      in.received(std::stoul(message.topic.substr(3)));
      marked += message.kept_for > Duration::zero() ? 1U : 0U;
    }
    in.print(std::cout, "backlog", kept + 1);
    EXPECT_EQ(in.out_of_order(), 0U);
    EXPECT_EQ(marked, kept) << "all but the last";
    EXPECT_EQ(bridge.messages().back().kept_for, Duration::zero());
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
