#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/scripted_broker.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;
using nlohmann::json;

Publication reply_to(const std::string& name, std::size_t size, const std::string& token) {
  return {.topic = "out/" + name + "/accepted",
          .payload = R"({"document":")" + std::string(size, 'x') +
                     R"(","timestamp":1,"clientToken":")" + token + R"("})",
          .correlation_data = "data of " + token,
          .thing = std::hash<std::string>()(name),
          .kind = Publication::Kind::accepted};
}

/// Answers in/NAME with a payload that is the token; a name that begins with "large" gets a large
/// answer.
void answer(BrokerConnection& connection, const Message& message) {
  const auto name = message.topic.substr(message.topic.find('/') + 1);
  connection.queue(reply_to(name, name.starts_with("large") ? 2000 : 10, message.payload));
  connection.flush();
}

class RefusedReplyTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, RefusedReplyTest,
                         testing::Values(Protocol::v5, Protocol::v3_1_1), protocol_name);

TEST_P(RefusedReplyTest, ReplyTooLargeForTheBrokerIsReplacedByARejection) {
  MosquittoBroker broker({.configuration = "max_packet_size 1000"});
  BridgeEnd bridge(settings_for(broker.port(), GetParam()), {"in/#"}, answer);
  ASSERT_TRUE(bridge.start());
  MqttDevice device({.port = broker.port()});
  device.subscribe("out/#");
  device.publish("in/large", "token");
  const auto reply = device.next(20s);
  ASSERT_TRUE(reply) << bridge.log.text();
  EXPECT_EQ(reply->topic, "out/large/rejected");
  const auto payload = json::parse(reply->payload);
  EXPECT_EQ(payload["code"], "InvalidRequest");
  EXPECT_EQ(payload["clientToken"], "token");
  if (GetParam() == Protocol::v5) {
    EXPECT_EQ(reply->correlation_data, "data of token");
  }
  ASSERT_TRUE(bridge.connection.drain(wait_limit));
  const auto state = bridge.connection.state();
  EXPECT_EQ(state.unpublishable, 1U);
  EXPECT_EQ(state.replaced, 1U);
  EXPECT_EQ(state.unanswered, 0U);
  EXPECT_EQ(bridge.log.count("a reply cannot be published", Severity::warning), 1U);
}

TEST_P(RefusedReplyTest, FortyRequestsOfAHealthyThingAreAllAnsweredBesideOnesThatCannotBe) {
  MosquittoBroker broker({.configuration = "max_packet_size 1000"});
  BridgeEnd bridge(settings_for(broker.port(), GetParam()), {"in/#"}, answer);
  ASSERT_TRUE(bridge.start());
  MqttDevice large({.port = broker.port(), .client_id = "large"});
  large.subscribe("out/large/#");
  MqttDevice healthy({.port = broker.port(), .client_id = "healthy"});
  healthy.subscribe("out/healthy/#");
  constexpr int count = 40;
  for (int i = 0; i < count; ++i) {
    if (i % 10 == 5) large.publish("in/large", "large");
    healthy.publish("in/healthy", std::to_string(i));
  }
  std::set<std::string> answered;
  while (answered.size() < count) {
    const auto reply = healthy.next(20s);
    ASSERT_TRUE(reply) << answered.size() << " of 40\n" << bridge.log.text();
    EXPECT_EQ(reply->topic, "out/healthy/accepted");
    answered.insert(json::parse(reply->payload)["clientToken"]);
  }
  for (int i = 0; i < 4; ++i) {
    const auto reply = large.next(20s);
    ASSERT_TRUE(reply) << bridge.log.text();
    EXPECT_EQ(reply->topic, "out/large/rejected");
  }
  ASSERT_TRUE(bridge.connection.drain(wait_limit));
  EXPECT_EQ(bridge.connection.state().unanswered, 0U);
  EXPECT_EQ(bridge.connection.state().replaced, bridge.connection.state().unpublishable);
  EXPECT_LE(bridge.connection.state().connections, GetParam() == Protocol::v5 ? 1U : 13U);
}

/// Acknowledges each publication as the reason of its topic says.
ScriptedBroker::Script acknowledge_with(std::function<std::uint8_t(const std::string&)> reason_of) {
  return [reason_of = std::move(reason_of)](Connection& connection, std::size_t) {
    connection.accept();
    connection.answer_subscribe("\x01");
    while (const auto packet = connection.read(Packet::publish)) {
      connection.acknowledge(packet->publish_id(), reason_of(packet->topic()));
    }
  };
}

TEST(RefusedReplyOverMqtt5Test, EveryFinalReasonIsAnsweredByARejectionAtOnce) {
  for (const int reason : {0x87, 0x90, 0x99}) {
    std::mutex mutex;
    std::vector<std::string> topics;
    ScriptedBroker broker(acknowledge_with([&](const std::string& topic) -> std::uint8_t {
      const std::lock_guard lock(mutex);
      topics.push_back(topic);
      return static_cast<std::uint8_t>(topic.ends_with("/accepted") ? reason : 0);
    }));
    BridgeEnd bridge(settings_for(broker.port()));
    ASSERT_TRUE(bridge.start());
    bridge.connection.queue(reply_to("a", 10, "t"));
    bridge.connection.flush();
    ASSERT_TRUE(bridge.connection.drain(wait_limit));
    EXPECT_EQ(bridge.connection.state().replaced, 1U);
    const std::lock_guard lock(mutex);
    EXPECT_EQ(topics, (std::vector<std::string>{"out/a/accepted", "out/a/rejected"})) << reason;
  }
}

TEST(RefusedReplyOverMqtt5Test, TransientReasonIsTriedAgainAndOtherRepliesDoNotWait) {
  for (const int reason : {0x80, 0x83, 0x97}) {
    std::mutex mutex;
    std::vector<std::string> topics;
    int refusals = 0;
    ScriptedBroker broker(acknowledge_with([&](const std::string& topic) -> std::uint8_t {
      const std::lock_guard lock(mutex);
      topics.push_back(topic);
      return static_cast<std::uint8_t>(topic == "out/a/accepted" && refusals++ < 2 ? reason : 0);
    }));
    BridgeEnd bridge(settings_for(broker.port()));
    ASSERT_TRUE(bridge.start());
    bridge.connection.queue(reply_to("a", 10, "t"));
    bridge.connection.queue(reply_to("b", 10, "t"));
    bridge.connection.flush();
    ASSERT_TRUE(bridge.connection.drain(wait_limit));
    EXPECT_EQ(bridge.connection.state().unpublishable, 0U);
    EXPECT_EQ(bridge.connection.state().retried, 2U);
    const std::lock_guard lock(mutex);
    EXPECT_EQ(topics, (std::vector<std::string>{"out/a/accepted", "out/b/accepted",
                                                "out/a/accepted", "out/a/accepted"}))
        << reason;
  }
}

/// With either library: with libmosquitto the replies that wait are tried again after DISCONNECT.
class DisconnectReasonTest : public testing::TestWithParam<mqtt::Library> {};

TEST_P(DisconnectReasonTest, ThatNamesThePublicationNeedsNoFurtherProof) {
  if (!mqtt::is_built(GetParam())) return;
  std::mutex mutex;
  std::vector<std::string> taken;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept();
    connection.answer_subscribe("\x01");
    while (const auto packet = connection.read(Packet::publish)) {
      if (packet->topic() == "out/bad/accepted") {
        connection.send(Packet::disconnect, std::string("\x95\x00", 2));
        // Closed with something unread it would end with a reset, which may take the reason along.
        while (connection.read()) {
        }
        return;
      }
      {
        const std::lock_guard lock(mutex);
        taken.push_back(packet->topic());
      }
      connection.acknowledge(packet->publish_id());
    }
  });
  auto settings = settings_for(broker.port());
  settings.library = GetParam();
  BridgeEnd bridge(settings);
  // Before there is a connection, so that none of them is sent without the others at first.
  bridge.connection.queue(reply_to("bad", 10, "t"));
  for (int i = 0; i < 3; ++i) bridge.connection.queue(reply_to(std::to_string(i), 10, "t"));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(bridge.connection.drain(wait_limit)) << bridge.log.text();
  EXPECT_EQ(bridge.connection.state().connections, 3U) << "together, alone, and without it";
  EXPECT_EQ(bridge.connection.state().replaced, 1U);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(taken, (std::vector<std::string>{"out/bad/rejected", "out/0/accepted", "out/1/accepted",
                                             "out/2/accepted"}));
}

INSTANTIATE_TEST_SUITE_P(Libraries, DisconnectReasonTest,
                         testing::Values(mqtt::Library::paho, mqtt::Library::mosquitto),
                         [](const auto& parameter) {
                           return parameter.param == mqtt::Library::paho ? "Paho" : "Mosquitto";
                         });

/// The broker acknowledges what came before, but closes before that can be read.
TEST(RefusedReplyOverMqtt311Test, InnocentRepliesArriveThoughTheirAcknowledgementsAreLostAtFirst) {
  std::mutex mutex;
  std::multiset<std::string> taken;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept(std::nullopt);
    connection.answer_subscribe("\x01", false);
    std::vector<std::uint16_t> unanswered;
    while (const auto packet = connection.read(Packet::publish)) {
      if (packet->topic() == "out/bad/accepted" || packet->topic() == "out/bad/rejected") return;
      {
        const std::lock_guard lock(mutex);
        taken.insert(packet->topic());
      }
      unanswered.push_back(packet->publish_id());
      if (connection.has_data(20ms)) continue;
      for (const auto id : std::exchange(unanswered, {})) connection.acknowledge(id);
    }
  });
  BridgeEnd bridge(settings_for(broker.port(), Protocol::v3_1_1));
  ASSERT_TRUE(bridge.start());
  for (int i = 0; i < 20; ++i) bridge.connection.queue(reply_to(std::to_string(i), 10, "t"));
  bridge.connection.queue(reply_to("bad", 10, "t"));
  bridge.connection.flush();
  ASSERT_TRUE(bridge.connection.drain(20s)) << bridge.log.text();
  const auto state = bridge.connection.state();
  EXPECT_EQ(state.unanswered, 1U) << "neither the reply nor its rejection was taken";
  EXPECT_EQ(state.unpublishable, 1U);
  EXPECT_LE(state.connections, 7U);
  const std::lock_guard lock(mutex);
  for (int i = 0; i < 20; ++i) {
    const auto topic = "out/" + std::to_string(i) + "/accepted";
    EXPECT_GE(taken.count(topic), 1U) << topic;
    EXPECT_LE(taken.count(topic), 2U) << topic;
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
