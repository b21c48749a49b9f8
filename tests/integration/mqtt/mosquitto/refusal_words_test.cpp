#include <gtest/gtest.h>

#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/reason_string.h"
#include "tests/integration/mqtt/scripted_broker.h"

/// Of the two MQTT libraries only libmosquitto passes the words of a refusal on. Control characters
/// in them it takes for a broken packet.
namespace jobs_bridge::testing_support {
namespace {

using Connection = ScriptedBroker::Connection;

TEST(ReasonStringTest, WordsOfARefusedConnectAreInTheLogBoundedAndHarmless) {
  const auto words = "full\"" + std::string(400, 'x');
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.read(Packet::connect);
    connection.send(Packet::connack, std::string("\0\x97", 2) + reason_string(words));
    connection.read();
  });
  auto settings = settings_for(broker.port());
  settings.library = mqtt::Library::mosquitto;
  BridgeEnd bridge(settings);
  bridge.connection.start();
  const auto kept = std::string("full?") + std::string(256 - 5, 'x');
  EXPECT_TRUE(
      bridge.log.wait_for(R"(refuses the connection: Quota exceeded (151) (")" + kept + R"("))"))
      << bridge.log.text();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
