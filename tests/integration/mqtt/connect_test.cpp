#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/scripted_broker.h"
#include "tests/support/certificates.h"
#include "tests/support/free_port.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Wire {
  Protocol protocol;
  bool tls;
};

std::string name_of(const testing::TestParamInfo<Wire>& info) {
  return std::string(info.param.protocol == Protocol::v5 ? "V5" : "V311") +
         (info.param.tls ? "OverTls" : "");
}

class WireTest : public testing::TestWithParam<Wire> {
 protected:
  WireTest() : authority_(directory_.path()) {
    MosquittoBroker::Options options;
    if (GetParam().tls) {
      options.tls =
          authority_.issue("broker", {.dns_names = {"localhost"}, .addresses = {"127.0.0.1"}});
    }
    broker.emplace(options);
  }

  [[nodiscard]] BrokerSettings settings() const {
    auto settings = settings_for(broker->port(), GetParam().protocol);
    settings.tls = GetParam().tls;
    if (settings.tls) settings.ca_file = authority_.certificate_file();
    return settings;
  }
  [[nodiscard]] MqttDevice::Options device_options() const {
    return {.port = broker->port(),
            .version_5 = GetParam().protocol == Protocol::v5,
            .ca_file = GetParam().tls ? authority_.certificate_file() : std::string()};
  }

 private:
  TemporaryDirectory directory_;
  CertificateAuthority authority_;

 protected:
  std::optional<MosquittoBroker> broker;
};

INSTANTIATE_TEST_SUITE_P(Wires, WireTest,
                         testing::Values(Wire{Protocol::v5, false}, Wire{Protocol::v5, true},
                                         Wire{Protocol::v3_1_1, false},
                                         Wire{Protocol::v3_1_1, true}),
                         name_of);

TEST_P(WireTest, MessageComesInAndReplyGoesOut) {
  const bool mqtt_5 = GetParam().protocol == Protocol::v5;
  BridgeEnd bridge(settings(), {"in/+", "also/#"}, echo);
  ASSERT_TRUE(bridge.start()) << bridge.log.text();
  MqttDevice device(device_options());
  device.subscribe("out/#");
  const std::string binary("\0\x01\xff", 3);
  device.publish(
      "in/a", binary,
      {.response_topic = mqtt_5 ? "out/mine" : "", .correlation_data = mqtt_5 ? binary : ""});
  ASSERT_TRUE(bridge.wait_for(1));
  const auto message = bridge.messages().front();
  EXPECT_EQ(message.topic, "in/a");
  EXPECT_EQ(message.payload, binary);
  EXPECT_FALSE(message.retained);
  EXPECT_EQ(message.response_topic, mqtt_5 ? "out/mine" : "");
  EXPECT_EQ(message.correlation_data, mqtt_5 ? binary : "");
  const auto reply = device.next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->topic, "out/a");
  EXPECT_EQ(reply->payload, binary);
  EXPECT_EQ(reply->qos, 1);
  EXPECT_FALSE(reply->retained);
  EXPECT_EQ(reply->correlation_data, mqtt_5 ? binary : "");

  device.publish("also/b", "");
  ASSERT_TRUE(bridge.wait_for(2));
  EXPECT_EQ(bridge.messages().back().payload, "");
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
  const auto state = bridge.connection.state();
  EXPECT_TRUE(state.connected);
  EXPECT_EQ(state.connections, 1U);
  EXPECT_EQ(state.unpublishable, 0U);
  EXPECT_EQ(bridge.log.count("", Severity::warning), 0U) << bridge.log.text();
}

TEST_P(WireTest, BrokerThatIsNotThereAtTheStartIsFoundLater) {
  broker->stop();
  BridgeEnd bridge(settings());
  bridge.connection.start();
  ASSERT_TRUE(bridge.log.wait_for("Connection refused")) << bridge.log.text();
  EXPECT_EQ(bridge.connection.state().fault,
            (BrokerFault{Kind::unreachable, "nothing listens on this port (Connection refused)"}));
  bridge.publish("out/early", "queued before there was a broker");
  broker->start();
  ASSERT_TRUE(bridge.wait_until_subscribed()) << bridge.log.text();
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
  // However often it was tried.
  EXPECT_EQ(bridge.log.count("cannot connect", Severity::warning), 1U) << bridge.log.text();
  EXPECT_FALSE(bridge.connection.state().fault);
}

TEST_P(WireTest, StopIsQuickAndSendsDisconnect) {
  BridgeEnd bridge(settings());
  ASSERT_TRUE(bridge.start());
  const auto before = std::chrono::steady_clock::now();
  bridge.connection.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
  EXPECT_TRUE(broker->process().wait_for_output("Received DISCONNECT from bridge"))
      << broker->log();
  EXPECT_FALSE(bridge.connection.state().connected);
}

/// Why `settings` do not lead to a connection.
BrokerFault fault_with(BrokerSettings settings) {
  settings.connect_timeout = 2s;
  BridgeEnd bridge(std::move(settings));
  return fault_of(bridge);
}

class PasswordTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, PasswordTest, testing::Values(Protocol::v5, Protocol::v3_1_1));

TEST_P(PasswordTest, RightOneIsAcceptedAndWrongOneNamedButNotShown) {
  MosquittoBroker broker({.users = {{"bridge", "secret"}}});
  auto settings = settings_for(broker.port(), GetParam());
  EXPECT_EQ(fault_with(settings).kind, Kind::not_authorized);
  settings.username = "bridge";
  settings.password = "wrong-secret";
  const auto fault = fault_with(settings);
  EXPECT_EQ(fault.kind, Kind::not_authorized);
  EXPECT_EQ(text_of(fault).find("secret"), std::string::npos);
  settings.password = "secret";
  BridgeEnd bridge(settings);
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

TEST(ConnectTest, HostThatDoesNotExistIsNamed) {
  auto settings = settings_for(1);
  settings.host = "no-such-host.invalid";
  EXPECT_EQ(fault_with(settings).kind, Kind::unresolved);
}

TEST(ConnectTest, HostNameIsResolved) {
  MosquittoBroker broker;
  auto settings = settings_for(broker.port());
  settings.host = "localhost";
  BridgeEnd bridge(settings);
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

TEST(ConnectTest, HostThatDoesNotAnswerIsNamedAfterTheTimeout) {
  SilentPort silent;
  EXPECT_THAT(fault_with(settings_for(silent.port())).kind,
              testing::AnyOf(Kind::no_answer, Kind::unreachable));
}

TEST(ConnectTest, PeerThatTakesConnectAndIsSilentIsNamedAfterTheTimeout) {
  RawPeer peer([](PeerConnection& connection) { connection.wait_for_close(); });
  EXPECT_EQ(fault_with(settings_for(peer.port())).kind, Kind::no_answer);
}

TEST(ConnectTest, PeerThatIsNoBrokerIsNamed) {
  RawPeer peer([](PeerConnection& connection) {
    connection.wait_for_data();
    connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.close();
  });
  EXPECT_EQ(fault_with(settings_for(peer.port())).kind, Kind::not_mqtt);
}

TEST(ConnectTest, BrokerThatClosesWithoutAnAnswerIsNotSaidToSpeakAnotherVersion) {
  RawPeer peer([](PeerConnection& connection) {
    connection.wait_for_data();
    connection.close();
  });
  EXPECT_EQ(fault_with(settings_for(peer.port())).kind, Kind::closed);
  EXPECT_EQ(fault_with(settings_for(peer.port(), Protocol::v3_1_1)).kind, Kind::closed);
}

/// A broker from before MQTT 5 as some are: it closes on a level that it does not know, and refuses
/// an empty client id without a clean session as MQTT 3.1.1 demands.
void serve_mqtt_311_alone(ScriptedBroker::Connection& connection) {
  const auto connect = connection.read(Packet::connect);
  if (!connect || connect->body.at(6) != 4) return;
  constexpr char clean_session = 2;
  const bool refused = connect->number_at(10) == 0 && (connect->body.at(7) & clean_session) == 0;
  connection.send(Packet::connack, std::string{0, static_cast<char>(refused ? 2 : 0)});
  if (refused) return;
  connection.answer_subscribe("\x01", /*mqtt_5=*/false);
  connection.read(Packet::disconnect);
}

TEST(ConnectTest, BrokerOf311ThatClosesOnMqtt5IsToldFromOneThatIsAway) {
  ScriptedBroker broker([](ScriptedBroker::Connection& connection, std::size_t) {
    serve_mqtt_311_alone(connection);
  });
  const auto fault = fault_with(settings_for(broker.port()));
  EXPECT_EQ(fault.kind, Kind::protocol) << text_of(fault);
  EXPECT_THAT(std::string(hint_of(fault.kind)), HasSubstr("broker.protocol"));
  BridgeEnd bridge(settings_for(broker.port(), Protocol::v3_1_1));
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

TEST(ConnectTest, BrokerThatHasSpokenMqtt5BeforeIsNotSaidNotTo) {
  std::atomic<bool> stopping = false;
  ScriptedBroker broker([&](ScriptedBroker::Connection& connection, std::size_t) {
    if (stopping) {
      serve_mqtt_311_alone(connection);
    } else {
      connection.accept();
      connection.answer_subscribe("\x01");
      stopping = true;
    }
  });
  BridgeEnd bridge(settings_for(broker.port()));
  bridge.connection.start();
  ASSERT_TRUE(bridge.log.wait_for("cannot connect to the broker")) << bridge.log.text();
  EXPECT_EQ(bridge.log.count("kind=closed") > 0, true) << bridge.log.text();
  EXPECT_EQ(bridge.log.count("kind=protocol"), 0U) << bridge.log.text();
}

TEST(ConnectTest, PlainMqttToATlsPortNamesTls) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  MosquittoBroker broker({.tls = authority.issue("broker", {.addresses = {"127.0.0.1"}})});
  for (const auto protocol : {Protocol::v5, Protocol::v3_1_1}) {
    const auto fault = fault_with(settings_for(broker.port(), protocol));
    EXPECT_EQ(fault.kind, Kind::tls_port) << text_of(fault);
  }
}

TEST(ConnectTest, RefusalOfEveryKindIsExplained) {
  struct Case {
    Protocol protocol;
    char code;
    Kind kind;
  };
  for (const auto& [protocol, code, kind] :
       {Case{Protocol::v5, '\x84', Kind::protocol}, Case{Protocol::v5, '\x85', Kind::client_id},
        Case{Protocol::v5, '\x86', Kind::credentials},
        Case{Protocol::v5, '\x87', Kind::not_authorized},
        Case{Protocol::v5, '\x88', Kind::unavailable}, Case{Protocol::v5, '\x97', Kind::refused},
        Case{Protocol::v5, '\x9C', Kind::other_server},
        Case{Protocol::v3_1_1, '\x01', Kind::protocol},
        Case{Protocol::v3_1_1, '\x02', Kind::client_id},
        Case{Protocol::v3_1_1, '\x03', Kind::unavailable},
        Case{Protocol::v3_1_1, '\x04', Kind::credentials},
        Case{Protocol::v3_1_1, '\x05', Kind::not_authorized}}) {
    ScriptedBroker broker([&](ScriptedBroker::Connection& connection, std::size_t) {
      connection.read(Packet::connect);
      std::string body{0, code};
      if (protocol == Protocol::v5) body += '\0';
      connection.send(Packet::connack, body);
    });
    EXPECT_EQ(fault_with(settings_for(broker.port(), protocol)).kind, kind)
        << static_cast<int>(static_cast<unsigned char>(code));
  }
}

TEST(ConnectTest, ProxyInTheEnvironmentIsNotForTheBroker) {
  MosquittoBroker broker;
  const auto nowhere = "http://127.0.0.1:" + std::to_string(free_port());
  setenv("http_proxy", nowhere.c_str(), 1);
  setenv("https_proxy", nowhere.c_str(), 1);
  mqtt::remove_proxies_from_environment();
  BridgeEnd bridge(settings_for(broker.port()));
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

TEST(ConnectTest, StopWhileConnectingDoesNotWaitForTheTimeout) {
  SilentPort silent;
  auto settings = settings_for(silent.port());
  settings.connect_timeout = 60s;
  BridgeEnd bridge(settings);
  bridge.connection.start();
  const auto before = std::chrono::steady_clock::now();
  bridge.connection.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, settings.connect_timeout / 2);
}

TEST(ConnectTest, StopBeforeStartAndTwiceAndWhileTheBrokerIsAway) {
  { BridgeEnd never_started(settings_for(1)); }
  BridgeEnd bridge(settings_for(free_port()));
  bridge.connection.start();
  ASSERT_TRUE(bridge.log.wait_for("cannot connect"));
  const auto before = std::chrono::steady_clock::now();
  bridge.connection.stop();
  bridge.connection.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
}

TEST(ConnectTest, ShorterKeepAliveThatTheBrokerAsksForIsKept) {
  std::atomic<int> asked = 0;
  ScriptedBroker broker([&](ScriptedBroker::Connection& connection, std::size_t) {
    const auto packet = connection.read(Packet::connect);
    if (!packet) return;
    asked = packet->number_at(8);
    connection.send(Packet::connack, std::string("\0\0\3\x13\0\x0a", 6));  // Server Keep Alive 10
    connection.answer_subscribe("\x01");
    connection.read(Packet::publish);
  });
  auto settings = settings_for(broker.port());
  settings.keep_alive = 60s;
  BridgeEnd bridge(settings);
  ASSERT_TRUE(bridge.start()) << bridge.log.text();
  EXPECT_LE(asked, 10);
  EXPECT_EQ(broker.connections(), 2U);
}

TEST(ConnectTest, KeepAliveThatTheBrokerRepeatsChangesNothingHoweverOftenWeConnect) {
  std::mutex mutex;
  std::vector<int> asked;
  ScriptedBroker broker([&](ScriptedBroker::Connection& connection, std::size_t) {
    const auto packet = connection.read(Packet::connect);
    if (!packet) return;
    {
      const std::lock_guard lock(mutex);
      asked.push_back(packet->number_at(8));
    }
    connection.send(Packet::connack, std::string("\0\0\3\x13", 4) + packet->body.substr(8, 2));
    connection.answer_subscribe("\x01");
  });
  BridgeEnd bridge(settings_for(broker.port()));
  bridge.connection.start();
  ASSERT_TRUE(wait_until([&] { return bridge.connection.state().connections >= 4; }))
      << bridge.log.text();
  EXPECT_EQ(bridge.log.count("shorter keep-alive"), 0U) << bridge.log.text();
  const std::lock_guard lock(mutex);
  EXPECT_THAT(asked, testing::Each(asked.front()));
}

TEST(ConnectTest, BrokerThatWantsNoKeepAliveIsStayedWithAndItsSilenceNoticedByOurs) {
  std::atomic<int> asked = 0;  // our packets to a broker that no longer answers
  ScriptedBroker broker([&](ScriptedBroker::Connection& connection, std::size_t number) {
    connection.accept(std::string("\x13\0\0", 3));  // Server Keep Alive 0
    connection.answer_subscribe("\x01");
    connection.read(Packet::publish);
    while (connection.read()) {
      if (number == 0) ++asked;
    }
  });
  auto settings = settings_for(broker.port());
  settings.keep_alive = 4s;
  BridgeEnd bridge(settings);
  ASSERT_TRUE(bridge.start()) << bridge.log.text();
  EXPECT_EQ(broker.connections(), 1U) << bridge.log.text();
  bridge.publish("out/a", "");
  EXPECT_TRUE(bridge.log.wait_for("kind=silent")) << bridge.log.text();
  EXPECT_GT(asked, 0) << "given up without being asked for a sign of life: " << bridge.log.text();
}

TEST(ConnectTest, SessionKeptForShorterThanAskedIsSaidWithBothTimes) {
  ScriptedBroker broker([](ScriptedBroker::Connection& connection, std::size_t) {
    connection.accept(std::string("\x11\0\0\1\x2C", 5));  // Session Expiry Interval 300
    connection.answer_subscribe("\x01");
    connection.read(Packet::disconnect);
  });
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start()) << bridge.log.text();
  EXPECT_THAT(bridge.connection.state().shortcomings,
              testing::ElementsAre(BrokerFault{Kind::session_expiry, "300 s instead of 3600 s"}));
  EXPECT_EQ(bridge.log.count("kind=session_expiry", Severity::warning), 1U) << bridge.log.text();
}

TEST(ConnectTest, Qos0GrantedWhere1WasAskedIsSaidWithTheFilter) {
  ScriptedBroker broker([](ScriptedBroker::Connection& connection, std::size_t) {
    connection.accept();
    connection.answer_subscribe(std::string(1, '\0'));
    connection.read(Packet::disconnect);
  });
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start()) << bridge.log.text();
  EXPECT_THAT(bridge.connection.state().shortcomings,
              testing::ElementsAre(BrokerFault{Kind::qos_0_only, "it granted QoS 0 for in/#"}));
}

TEST(ConnectTest, BrokerWithoutTheSubscriptionsThatWeNeedIsLeftWithThatAsTheReason) {
  struct Case {
    std::string property;
    std::string filter;
    std::optional<Kind> fault;
  };
  for (const auto& [property, filter, fault] :
       {Case{std::string("\x28\0", 2), "in/+", Kind::no_wildcards},
        Case{std::string("\x28\0", 2), "in/a", std::nullopt},
        Case{std::string("\x2A\0", 2), "$share/g/in/+", Kind::no_shared_subscriptions},
        Case{std::string("\x2A\0", 2), "in/+", std::nullopt},
        Case{std::string("\x25\0\x29\0", 4), "in/+", std::nullopt}}) {
    ScriptedBroker broker([&](ScriptedBroker::Connection& connection, std::size_t) {
      connection.accept(property);
      connection.answer_subscribe("\x01");
      connection.read(Packet::disconnect);
    });
    BridgeEnd bridge(settings_for(broker.port()), {filter});
    if (fault) {
      bridge.connection.start();
      EXPECT_TRUE(wait_until([&] { return bridge.connection.state().fault.has_value(); }));
      EXPECT_EQ(bridge.connection.state().fault.value_or(BrokerFault{}).kind, *fault);
      EXPECT_FALSE(bridge.connection.state().connected);
    } else {
      EXPECT_TRUE(bridge.start()) << bridge.log.text();
    }
  }
}

TEST(ConnectTest, OtherClientWithOurClientIdIsNamedWhereTheBrokerSaysSo) {
  ScriptedBroker broker([](ScriptedBroker::Connection& connection, std::size_t) {
    connection.accept();
    connection.answer_subscribe("\x01");
    connection.send(Packet::disconnect, std::string("\x8e\x00", 2));
  });
  BridgeEnd bridge(settings_for(broker.port()));
  bridge.connection.start();
  EXPECT_TRUE(bridge.log.wait_for("another client has connected with the bridge's client id"))
      << bridge.log.text();
}

/// Mosquitto 2.0.11 only hangs up; later ones say why.
TEST(ConnectTest, OtherClientWithOurClientIdIsNamedOrGuessedWithMosquitto) {
  MosquittoBroker broker;
  BridgeEnd one(settings_for(broker.port()));
  ASSERT_TRUE(one.start());
  BridgeEnd other(settings_for(broker.port()));
  other.connection.start();
  EXPECT_TRUE(one.log.wait_for("another client ", wait_limit)) << one.log.text();
  EXPECT_TRUE(one.log.count("client id: bridge") + one.log.count("the bridge's client id") > 0);
}

TEST(ConnectTest, ConnectionsThatBreakOneAfterAnotherSuggestAnotherClientWithOurClientId) {
  ScriptedBroker broker([](ScriptedBroker::Connection& connection, std::size_t) {
    connection.accept(std::nullopt);
    connection.answer_subscribe("\x01", /*mqtt_5=*/false);
  });
  BridgeEnd bridge(settings_for(broker.port(), Protocol::v3_1_1));
  bridge.connection.start();
  EXPECT_TRUE(bridge.log.wait_for("another client may be using the same client id: bridge"))
      << bridge.log.text();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
