#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <set>
#include <string>
#include <thread>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/tcp_proxy.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct Outage {
  Protocol protocol;
  int signal;
};

std::string outage_name(const testing::TestParamInfo<Outage>& parameter) {
  return std::string(parameter.param.protocol == Protocol::v5 ? "V5" : "V311") +
         (parameter.param.signal == SIGTERM ? "Sigterm" : "Sigkill");
}

class OutageTest : public testing::TestWithParam<Outage> {};
INSTANTIATE_TEST_SUITE_P(Outages, OutageTest,
                         testing::Values(Outage{Protocol::v5, SIGTERM},
                                         Outage{Protocol::v5, SIGKILL},
                                         Outage{Protocol::v3_1_1, SIGTERM},
                                         Outage{Protocol::v3_1_1, SIGKILL}),
                         outage_name);

/// Everything that the broker has acknowledged to the bridge is the broker's to deliver, and a
/// killed one forgets. So the bridge's part is seen at the broker: it must have received each.
std::set<std::string> received_by(const std::string& broker_log) {
  std::set<std::string> topics;
  const std::string mark = "Received PUBLISH from bridge ";
  for (auto at = broker_log.find(mark); at != std::string::npos;
       at = broker_log.find(mark, at + 1)) {
    const auto begin = broker_log.find('\'', at) + 1;
    topics.insert(broker_log.substr(begin, broker_log.find('\'', begin) - begin));
  }
  return topics;
}

TEST_P(OutageTest, NothingThatWasQueuedIsLostOverRestartsUnderLoad) {
  MosquittoBroker broker;
  BridgeEnd bridge(settings_for(broker.port(), GetParam().protocol));
  ASSERT_TRUE(bridge.start());

  std::atomic<bool> enough = false;
  std::atomic<int> queued = 0;
  std::thread load([&] {
    for (int i = 0; !enough; ++i) {
      bridge.publish("out/" + std::to_string(i), "");
      ++queued;
      if (bridge.connection.state().waiting > 2000) std::this_thread::sleep_for(1ms);
    }
  });
  std::set<std::string> received;
  std::size_t connections = 1;
  for (int restart = 0; restart < 5; ++restart) {
    const int before = queued;
    EXPECT_TRUE(wait_until([&] { return queued > before + 500; }));
    broker.stop(GetParam().signal);
    received.merge(received_by(broker.log()));
    broker.start();
    ++connections;
    EXPECT_TRUE(wait_until([&] {
      const auto state = bridge.connection.state();
      return state.subscribed && state.connections >= connections;
    })) << bridge.log.text();
    connections = bridge.connection.state().connections;
  }
  enough = true;
  load.join();
  ASSERT_TRUE(bridge.connection.drain(wait_limit));
  bridge.connection.stop();
  broker.stop();
  received.merge(received_by(broker.log()));
  EXPECT_EQ(received.size(), static_cast<std::size_t>(queued));
  EXPECT_EQ(bridge.connection.state().unpublishable, 0U) << bridge.log.text();
  EXPECT_EQ(bridge.connection.state().overflowed, 0U);
}

TEST(OutageTest, FirstAttemptsAfterALossAreQuick) {
  MosquittoBroker broker;
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start());
  broker.stop();
  ASSERT_TRUE(bridge.wait_until_disconnected());
  broker.start();
  const auto before = steady_clock::now();
  ASSERT_TRUE(bridge.wait_until_subscribed());
  EXPECT_LT(steady_clock::now() - before, 1500ms) << bridge.log.text();
}

class HalfOpenTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, HalfOpenTest, testing::Values(Protocol::v5, Protocol::v3_1_1),
                         protocol_name);

TEST_P(HalfOpenTest, SilentLinkIsNoticedInTimeAndNothingIsLost) {
  constexpr auto keep_alive = 4s;
  for (const bool busy : {false, true}) {
    MosquittoBroker broker;
    TcpProxy network(broker.port());
    auto settings = settings_for(network.port(), GetParam());
    settings.keep_alive = keep_alive;
    settings.connect_timeout = 1s;
    BridgeEnd bridge(settings);
    ASSERT_TRUE(bridge.start());
    MqttDevice device({.port = broker.port()});
    device.subscribe("out/#");

    network.stall();
    const auto before = steady_clock::now();
    std::size_t queued = 0;
    ASSERT_TRUE(wait_until(
        [&] {
          // Something to write, now and then, must not make up for the broker's silence.
          if (busy && steady_clock::now() - before > queued * 100ms) {
            bridge.publish("out/" + std::to_string(queued++), "");
          }
          return !bridge.connection.state().connected;
        },
        wait_limit));
    EXPECT_LT(steady_clock::now() - before, keep_alive * 3 / 2 + 100ms) << busy;
    bridge.publish("out/last", "");
    ++queued;
    network.heal();
    ASSERT_TRUE(bridge.wait_until_subscribed()) << bridge.log.text();
    ASSERT_TRUE(bridge.connection.drain(wait_limit));
    std::set<std::string> received;
    while (received.size() < queued) {
      const auto message = device.next();
      ASSERT_TRUE(message);
      received.insert(message->topic);
    }
  }
}

TEST_P(HalfOpenTest, FrozenBrokerIsNoticedAndStopIsQuickMeanwhile) {
  MosquittoBroker broker;
  auto settings = settings_for(broker.port(), GetParam());
  settings.keep_alive = 4s;
  BridgeEnd bridge(settings);
  ASSERT_TRUE(bridge.start());
  broker.freeze();
  for (int i = 0; i < 5000; ++i) bridge.publish("out/a", std::string(1000, 'x'));
  const auto before = steady_clock::now();
  bridge.connection.stop();
  EXPECT_LT(steady_clock::now() - before, 3s);
  EXPECT_GT(bridge.connection.state().waiting, 0U);
  broker.thaw();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
