#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/reason_string.h"
#include "tests/integration/mqtt/scripted_broker.h"

/// Of the two MQTT libraries only Paho passes the words of a DISCONNECT on.
namespace jobs_bridge::testing_support {
namespace {

using testing::HasSubstr;
using testing::Not;
using Connection = ScriptedBroker::Connection;

TEST(ReasonStringTest, WordsOfADisconnectAreInTheLogBoundedAndHarmless) {
  const auto words = "quota\x1B[2J\n\xC2\x9B" + std::string(400, 'x');
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept();
    connection.answer_subscribe("\x01");
    connection.send(Packet::disconnect, "\x97" + reason_string(words));
    connection.read();
  });
  auto settings = settings_for(broker.port());
  settings.library = mqtt::Library::paho;
  BridgeEnd bridge(settings);
  bridge.connection.start();
  const auto kept = std::string("quota?[2J??") + std::string(256 - 12, 'x');
  EXPECT_TRUE(bridge.log.wait_for(R"(the broker disconnected the bridge: Quota exceeded (151) (")" +
                                  kept + R"("))"))
      << bridge.log.text();
  EXPECT_THAT(bridge.log.text(), Not(HasSubstr("\x1B")));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
