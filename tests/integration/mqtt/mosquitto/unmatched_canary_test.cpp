#include <gtest/gtest.h>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/scripted_broker.h"

/// Of the two MQTT libraries only libmosquitto passes on the reason of a PUBACK that is no failure.
/// With Paho the canary's absence shows the same, later.
namespace jobs_bridge::testing_support {
namespace {

TEST(CanarySubscriptionTest, OneWithoutASubscriberMeansThatTheSubscriptionIsGone) {
  ScriptedBroker broker([](ScriptedBroker::Connection& connection, std::size_t number) {
    connection.accept();
    connection.answer_subscribe("\x01");
    connection.answer_subscribe("\x01");
    constexpr std::uint8_t no_matching_subscribers = 0x10;
    while (const auto packet = connection.read(Packet::publish)) {
      connection.acknowledge(packet->publish_id(), number == 0 ? no_matching_subscribers : 0);
    }
  });
  auto settings = settings_for(broker.port());
  settings.library = mqtt::Library::mosquitto;
  settings.canary_topic = "canary/bridge";
  BridgeEnd bridge(settings);
  bridge.connection.start();
  EXPECT_TRUE(bridge.log.wait_for("kind=unsubscribed")) << bridge.log.text();
  EXPECT_TRUE(wait_until([&] { return bridge.connection.state().connections == 2; }));
  EXPECT_TRUE(bridge.wait_until_subscribed()) << bridge.log.text();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
