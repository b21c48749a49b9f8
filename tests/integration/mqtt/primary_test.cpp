#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"

/// A connection that is made only when it is wanted, and tells what becomes of it.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

struct Told {
  std::atomic<int> connected{0};
  std::atomic<int> ended{0};
  std::atomic<MonotonicTime> sent{MonotonicTime::min()};
};

void listen(BrokerConnection& connection, Told& told) {
  connection.report_link({.connected = [&] { ++told.connected; },
                          .ended = [&] { ++told.ended; },
                          .canary_returned = [&](MonotonicTime sent) { told.sent = sent; }});
}

BrokerSettings with_canary_of(const MosquittoBroker& broker) {
  auto settings = settings_for(broker.port());
  settings.keep_alive = 4s;
  settings.canary_topic = "canary/primary";
  return settings;
}

TEST(PrimaryTest, ItConnectsWhenThatIsWantedAndWhatHasWaitedIsDropped) {
  MosquittoBroker broker;
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");
  Told told;
  BridgeEnd bridge(with_canary_of(broker));
  listen(bridge.connection, told);
  bridge.connection.set_wanted(false);
  bridge.connection.start();
  bridge.publish("out/1", "old");
  EXPECT_EQ(bridge.connection.state().waiting, 1U);
  EXPECT_EQ(told.connected, 0);
  bridge.connection.set_wanted(true);
  ASSERT_TRUE(bridge.wait_until_subscribed()) << bridge.log.text();
  EXPECT_EQ(told.connected, 1);
  bridge.publish("out/2", "new");
  const auto first = device.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->topic, "out/2");
  EXPECT_EQ(bridge.log.count(
                "replies dropped: another instance has served their devices in the meantime"),
            1U);
}

TEST(PrimaryTest, TheOneThatConnectsReportsItAndTheOneThatLosesItStaysAwayIfItIsNotWanted) {
  MosquittoBroker broker;
  Told told;
  Told told_other;
  BridgeEnd bridge(with_canary_of(broker));
  BridgeEnd other(with_canary_of(broker));
  listen(bridge.connection, told);
  listen(other.connection, told_other);
  const auto before = std::chrono::steady_clock::now();
  bridge.connection.start();
  ASSERT_TRUE(wait_until([&] { return told.sent.load() >= before; }, wait_limit))
      << "a message to ourselves, sent after the start, has come back: " << bridge.log.text();
  bridge.connection.set_wanted(false);
  EXPECT_TRUE(bridge.connection.state().connected) << "a connection that there is stays";
  other.connection.start();
  ASSERT_TRUE(wait_until([&] { return told.ended == 1; }, wait_limit)) << bridge.log.text();
  ASSERT_TRUE(wait_until([&] { return told_other.sent.load() > before; }, wait_limit));
  EXPECT_EQ(told.connected, 1);
  EXPECT_EQ(told_other.connected, 1);
  EXPECT_EQ(told_other.ended, 0);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
