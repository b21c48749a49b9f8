#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/scripted_broker.h"

/// Everything that a broker may say, and much that it must not: a row each. Whatever it says, in
/// the end a request over a connection to it is answered, at once or over the next connection, and
/// the log names what was wrong.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}
std::string prefixed_text(const std::string& text) {
  return bytes({static_cast<int>(text.size() >> 8U), static_cast<int>(text.size() & 0xFFU)}) + text;
}

/// What the broker does over its first connection, where that is not what a good one does.
struct Behaviour {
  std::string connack = {};  ///< properties
  int connack_code = 0;      ///< not 0: and closes
  bool session_present = false;
  std::string instead_of_connack = {};  ///< and closes
  int suback = 1;                       ///< the first time
  std::size_t suback_surplus = 0;       ///< codes more than were asked for
  std::vector<int> pubacks = {};        ///< reasons for the first publications
  std::string said = {};                ///< once the subscription is granted, before the request
  bool ends = false;                    ///< and closes after that
  char request = '\x32';                ///< the first byte of the request
  std::string request_properties = {};
  bool answers_pings = true;
  bool requests = true;
};

struct Case {
  std::string name;
  Behaviour behaviour;
  /// What the log says; empty: nothing above a debug line but what a good broker causes.
  std::string says = {};
  /// The least number of connections, and of publications of the reply.
  std::size_t connections = 1;
  std::size_t publications = 1;
  std::string replied_on = "out/x/accepted";
  Protocol protocol = Protocol::v5;
  std::string filter = "in/#";
  std::chrono::seconds keep_alive{15};
};

class Broker {
 public:
  Broker(Behaviour behaviour, bool mqtt_5)
      : behaviour_(std::move(behaviour)),
        mqtt_5_(mqtt_5),
        scripted_([this](Connection& connection, std::size_t number) {
          play(connection, number == 0 ? behaviour_ : Behaviour{});
        }) {}

  [[nodiscard]] std::uint16_t port() const { return scripted_.port(); }
  [[nodiscard]] std::size_t connections() const { return scripted_.connections(); }
  /// It has taken a reply.
  [[nodiscard]] bool served() const { return served_; }
  /// Topics of the replies, in order.
  [[nodiscard]] std::vector<std::string> replies() {
    const std::lock_guard lock(mutex_);
    return replies_;
  }

 private:
  void play(Connection& connection, const Behaviour& behaviour) {
    if (!connection.read(Packet::connect)) return;
    if (!behaviour.instead_of_connack.empty()) {
      connection.send_bytes(behaviour.instead_of_connack);
      return;
    }
    std::string connack = bytes({behaviour.session_present ? 1 : 0, behaviour.connack_code});
    if (mqtt_5_) connack += static_cast<char>(behaviour.connack.size()) + behaviour.connack;
    connection.send(Packet::connack, connack);
    if (behaviour.connack_code != 0) return;
    std::size_t subscribed = 0;
    std::size_t published = 0;
    while (const auto packet = connection.read()) {
      if (packet->type == Packet::pingreq && behaviour.answers_pings) {
        connection.send(Packet::pingresp, "");
      }
      if (packet->type == 5) connection.send_with_flags(6, 2, packet->body.substr(0, 2));  // QoS 2
      if (packet->type == Packet::subscribe) {
        const bool first = subscribed++ == 0;
        const int code = first ? behaviour.suback : 1;
        connection.send(
            Packet::suback,
            packet->body.substr(0, 2) + std::string(mqtt_5_ ? 1 : 0, '\0') +
                std::string(1 + (first ? behaviour.suback_surplus : 0), static_cast<char>(code)));
        if (first && !behaviour.said.empty()) connection.send_bytes(behaviour.said);
        if (behaviour.ends) return;
        if (code < 0x80 && behaviour.requests) send_request(connection, behaviour);
      }
      if (packet->type == Packet::publish) {
        const int code = published < behaviour.pubacks.size() ? behaviour.pubacks[published] : 0;
        ++published;
        take(*packet);
        if ((packet->flags & 0x06) != 0) {
          connection.acknowledge(packet->publish_id(), static_cast<std::uint8_t>(code));
        }
        if (code < 0x80) served_ = true;
      }
    }
  }

  void send_request(Connection& connection, const Behaviour& behaviour) const {
    auto body = prefixed_text("in/x");
    if ((behaviour.request & 0x06) != 0) body += bytes({0, 9});
    if (mqtt_5_) {
      body += static_cast<char>(behaviour.request_properties.size()) + behaviour.request_properties;
    }
    body += "{}";
    connection.send_bytes(behaviour.request + bytes({static_cast<int>(body.size())}) + body);
  }

  void take(const Packet& packet) {
    const std::lock_guard lock(mutex_);
    replies_.push_back(packet.topic());
  }

  const Behaviour behaviour_;
  const bool mqtt_5_;
  std::mutex mutex_;
  std::vector<std::string> replies_;
  std::atomic<bool> served_{false};
  ScriptedBroker scripted_;
};

void reply(BrokerConnection& connection, const Message& message) {
  if (message.topic != "in/x") return;
  connection.queue({.topic = "out/x/accepted",
                    .payload = R"({"timestamp":1,"clientToken":"t"})",
                    .kind = Publication::Kind::accepted});
  connection.flush();
}

void run(const Case& row) {
  SCOPED_TRACE(row.name);
  const bool mqtt_5 = row.protocol == Protocol::v5;
  Broker broker(row.behaviour, mqtt_5);
  auto settings = settings_for(broker.port(), row.protocol);
  settings.subscribe_again = 0s;
  settings.keep_alive = row.keep_alive;
  BridgeEnd bridge(settings, {row.filter}, reply);
  bridge.connection.start();
  ASSERT_TRUE(wait_until([&] { return broker.served(); }, wait_limit)) << bridge.log.text();
  EXPECT_TRUE(bridge.connection.drain(wait_limit)) << bridge.log.text();
  const auto replies = broker.replies();
  EXPECT_GE(replies.size(), row.publications) << bridge.log.text();
  EXPECT_EQ(replies.back(), row.replied_on);
  EXPECT_GE(broker.connections(), row.connections) << bridge.log.text();
  if (row.connections == 1) {
    EXPECT_EQ(broker.connections(), 1U) << bridge.log.text();
  }
  if (row.says.empty()) {
    EXPECT_EQ(bridge.log.count("", Severity::warning), 0U) << bridge.log.text();
  } else {
    EXPECT_THAT(bridge.log.text(), testing::ContainsRegex(row.says));
  }
}

/// Several at a time: most of what a row takes are pauses.
void run_all(const std::vector<Case>& rows) {
  constexpr std::size_t most = 8;
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < most; ++i) {
    workers.emplace_back([&] {
      for (auto row = next++; row < rows.size(); row = next++) run(rows[row]);
    });
  }
  for (auto& worker : workers) worker.join();
}

TEST(AwkwardBrokerTest, WhateverAConnackSaysOfTheBroker) {
  const auto text = [](int identifier, const std::string& value) {
    return bytes({identifier}) + prefixed_text(value);
  };
  run_all({
      {.name = "nothing", .behaviour = {}},
      {.name = "a session of before", .behaviour = {.session_present = true}},
      {.name = "session expiry 0",
       .behaviour = {.connack = bytes({0x11, 0, 0, 0, 0})},
       .says = "kind=session_expiry .*0 s instead of 3600 s"},
      {.name = "session expiry longer than asked",
       .behaviour = {.connack = bytes({0x11, 0, 1, 0, 0})}},
      {.name = "receive maximum 1", .behaviour = {.connack = bytes({0x21, 0, 1})}},
      {.name = "receive maximum 65535", .behaviour = {.connack = bytes({0x21, 0xFF, 0xFF})}},
      {.name = "receive maximum 0",
       .behaviour = {.connack = bytes({0x21, 0, 0})},
       .says = "kind=malformed .*Receive Maximum",
       .connections = 2},
      {.name = "maximum QoS 0",
       .behaviour = {.connack = bytes({0x24, 0})},
       .says = "kind=qos_0_only"},
      {.name = "maximum QoS 1", .behaviour = {.connack = bytes({0x24, 1})}},
      {.name = "no retained messages",
       .behaviour = {.connack = bytes({0x25, 0})},
       .says = "missing=retained messages"},
      {.name = "maximum packet size just enough",
       .behaviour = {.connack = bytes({0x27, 0, 0, 0, 60})}},
      {.name = "maximum packet size 0",
       .behaviour = {.connack = bytes({0x27, 0, 0, 0, 0})},
       .says = "kind=malformed .*Maximum Packet Size",
       .connections = 2},
      {.name = "assigned client identifier", .behaviour = {.connack = text(0x12, "other")}},
      {.name = "topic alias maximum", .behaviour = {.connack = bytes({0x22, 0, 10})}},
      {.name = "reason string", .behaviour = {.connack = text(0x1F, "welcome")}},
      {.name = "user properties",
       .behaviour = {.connack = text(0x26, "a") + prefixed_text("b") + text(0x26, "a") +
                                prefixed_text("c")}},
      {.name = "no wildcards",
       .behaviour = {.connack = bytes({0x28, 0})},
       .says = "kind=no_wildcards",
       .connections = 2},
      {.name = "no subscription identifiers",
       .behaviour = {.connack = bytes({0x29, 0})},
       .says = "missing=subscription identifiers"},
      {.name = "no shared subscriptions, and none asked for",
       .behaviour = {.connack = bytes({0x2A, 0})}},
      {.name = "no shared subscriptions where they are needed",
       .behaviour = {.connack = bytes({0x2A, 0})},
       .says = "kind=no_shared_subscriptions",
       .connections = 2,
       .filter = "$share/group/in/x"},
      {.name = "no keep-alive", .behaviour = {.connack = bytes({0x13, 0, 0})}},
      {.name = "shorter keep-alive",
       .behaviour = {.connack = bytes({0x13, 0, 5})},
       .says = "requires a shorter keep-alive",
       .connections = 2},
      {.name = "longer keep-alive", .behaviour = {.connack = bytes({0x13, 2, 0})}},
      {.name = "response information", .behaviour = {.connack = text(0x1A, "replies/")}},
      {.name = "server reference", .behaviour = {.connack = text(0x1C, "elsewhere:1883")}},
      {.name = "everything off that we can do without",
       .behaviour = {.connack = bytes({0x25, 0, 0x29, 0, 0x2A, 0, 0x22, 0, 0})},
       .says = "missing="},
  });
}

TEST(AwkwardBrokerTest, WhateverRefusalAConnackIs) {
  const auto refusal = [](int code, const std::string& kind, Protocol protocol = Protocol::v5) {
    return Case{.name = "connack " + std::to_string(code),
                .behaviour = {.connack_code = code},
                .says = "kind=" + kind + " ",
                .connections = 2,
                .protocol = protocol};
  };
  run_all({refusal(0x80, "refused"),
           refusal(0x81, "refused"),
           refusal(0x82, "refused"),
           refusal(0x83, "refused"),
           refusal(0x84, "protocol"),
           refusal(0x85, "client_id"),
           refusal(0x86, "credentials"),
           refusal(0x87, "not_authorized"),
           refusal(0x88, "unavailable"),
           refusal(0x89, "unavailable"),
           refusal(0x8A, "refused"),
           refusal(0x8C, "refused"),
           refusal(0x90, "refused"),
           refusal(0x95, "refused"),
           refusal(0x97, "refused"),
           refusal(0x99, "refused"),
           refusal(0x9A, "refused"),
           refusal(0x9B, "refused"),
           refusal(0x9C, "other_server"),
           refusal(0x9D, "other_server"),
           refusal(0x9F, "unavailable"),
           refusal(1, "protocol", Protocol::v3_1_1),
           refusal(2, "client_id", Protocol::v3_1_1),
           refusal(3, "unavailable", Protocol::v3_1_1),
           refusal(4, "credentials", Protocol::v3_1_1),
           refusal(5, "not_authorized", Protocol::v3_1_1)});
}

TEST(AwkwardBrokerTest, WhateverItSaysInPlaceOfAConnack) {
  const auto instead = [](const std::string& name, const std::string& said) {
    return Case{.name = name,
                .behaviour = {.instead_of_connack = said},
                .says = "cannot connect to the broker",
                .connections = 2};
  };
  run_all({instead("AUTH", bytes({0xF0, 2, 0x18, 0})), instead("PINGRESP", bytes({0xD0, 0})),
           instead("PUBLISH", bytes({0x30, 5, 0, 1, 'a', 0, 'x'})),
           instead("DISCONNECT", bytes({0xE0, 2, 0x8B, 0})),
           instead("a CONNACK that is cut", bytes({0x20, 9, 0, 0})),
           instead("a CONNACK of MQTT 3.1.1 that refuses", bytes({0x20, 2, 0, 1}))});
}

TEST(AwkwardBrokerTest, WhateverASubackSays) {
  const auto suback = [](int code, const std::string& kind, Protocol protocol = Protocol::v5) {
    return Case{.name = "suback " + std::to_string(code),
                .behaviour = {.suback = code},
                .says = kind.empty() ? "" : "kind=" + kind,
                .protocol = protocol};
  };
  run_all({suback(0, "qos_0_only"),
           suback(1, ""),
           suback(2, ""),
           suback(0x80, "subscription_refused"),
           suback(0x83, "subscription_refused"),
           suback(0x87, "subscription_refused"),
           suback(0x8F, "subscription_refused"),
           suback(0x91, "subscription_refused"),
           suback(0x97, "subscription_refused"),
           suback(0x9E, "no_shared_subscriptions"),
           suback(0xA1, "subscription_refused"),
           suback(0xA2, "no_wildcards"),
           suback(0x80, "subscription_refused", Protocol::v3_1_1),
           {.name = "more codes than filters", .behaviour = {.suback_surplus = 2}}});
}

TEST(AwkwardBrokerTest, WhateverAPubackSays) {
  const auto once = [](int code) {
    return Case{.name = "puback " + std::to_string(code), .behaviour = {.pubacks = {code}}};
  };
  const auto again = [](int code) {
    return Case{.name = "puback " + std::to_string(code) + ", twice",
                .behaviour = {.pubacks = {code, code}},
                .publications = 3};
  };
  const auto final = [](int code, const std::string& cause) {
    return Case{.name = "puback " + std::to_string(code),
                .behaviour = {.pubacks = {code}},
                .says = "a reply cannot be published .*" + cause + ".* instead=a rejection",
                .publications = 2,
                .replied_on = "out/x/rejected"};
  };
  run_all({once(0), once(0x10), again(0x80), again(0x83), again(0x91), again(0x97),
           final(0x87, "135"), final(0x90, "144"), final(0x99, "153")});
}

TEST(AwkwardBrokerTest, WhateverReasonADisconnectHas) {
  const auto disconnect = [](int code, const std::string& kind = "disconnected") {
    return Case{.name = "disconnect " + std::to_string(code),
                .behaviour = {.said = bytes({0xE0, 2, code, 0}), .ends = true},
                .says = "connection to the broker is lost.*kind=" + kind + " ",
                .connections = 2};
  };
  run_all({disconnect(0x80),
           disconnect(0x81),
           disconnect(0x82),
           disconnect(0x83),
           disconnect(0x87),
           disconnect(0x89),
           disconnect(0x8B),
           disconnect(0x8D),
           disconnect(0x8E, "taken_over"),
           disconnect(0x8F),
           disconnect(0x90),
           disconnect(0x93),
           disconnect(0x94),
           disconnect(0x95),
           disconnect(0x96),
           disconnect(0x97),
           disconnect(0x98),
           disconnect(0x99),
           disconnect(0x9A),
           disconnect(0x9B),
           disconnect(0x9C, "other_server"),
           disconnect(0x9D, "other_server"),
           disconnect(0x9E),
           disconnect(0x9F),
           disconnect(0xA0),
           disconnect(0xA1),
           disconnect(0xA2)});
}

TEST(AwkwardBrokerTest, WhateverElseItSays) {
  const auto in_x = prefixed_text("in/y");
  run_all({
      {.name = "closes without a reason",
       .behaviour = {.ends = true},
       .says = "connection to the broker is lost.*kind=broken ",
       .connections = 2},
      {.name = "answers no ping",
       .behaviour = {.answers_pings = false, .requests = false},
       .says = "connection to the broker is lost.*kind=silent ",
       .connections = 2,
       .keep_alive = 2s},
      {.name = "an acknowledgement of nothing", .behaviour = {.said = bytes({0x40, 2, 0x7F, 1})}},
      {.name = "a PINGRESP that nobody asked for", .behaviour = {.said = bytes({0xD0, 0})}},
      {.name = "a request at QoS 0", .behaviour = {.request = '\x30'}},
      {.name = "a request at QoS 2", .behaviour = {.request = '\x34'}},
      {.name = "a request that was sent before", .behaviour = {.request = '\x3A'}},
      {.name = "a request twice, with the same number",
       .behaviour = {.said = bytes({0x32, 11}) + in_x + bytes({0, 9, 0}) + "{}" +
                             bytes({0x3A, 11}) + in_x + bytes({0, 9, 0}) + "{}"}},
      {.name = "a request with every property",
       .behaviour = {.request_properties = bytes({1, 1, 2, 0, 0, 0, 9}) + bytes({3}) +
                                           prefixed_text("a/b") + bytes({8}) + prefixed_text("r") +
                                           bytes({9}) + prefixed_text("c") + bytes({0x26}) +
                                           prefixed_text("n") + prefixed_text("v")}},
      {.name = "an UNSUBACK that nobody asked for",
       .behaviour = {.said = bytes({0xB0, 4, 0x7F, 1, 0, 0})}},
  });
}

/// The libraries differ in what they call these, and may serve on or connect anew.
TEST(AwkwardBrokerTest, WhateverItMustNotSayEndsTheConnectionAtMost) {
  const auto in_y = prefixed_text("in/y");
  for (const auto& [name, said] : std::vector<std::pair<std::string, std::string>>{
           {"AUTH", bytes({0xF0, 2, 0x18, 0})},
           {"a topic alias, though we allow none",
            bytes({0x32, 14}) + in_y + bytes({0, 9, 3, 0x23, 0, 1}) + "{}"},
           {"an alias in place of a topic", bytes({0x30, 6, 0, 0, 3, 0x23, 0, 9})},
           {"a second CONNACK", bytes({0x20, 3, 0, 0, 0})},
           {"a SUBACK for nothing", bytes({0x90, 4, 0x7F, 1, 0, 1})},
           {"PUBREC for nothing", bytes({0x50, 2, 0x7F, 1})},
           {"PUBREL for nothing", bytes({0x62, 2, 0x7F, 1})},
           {"PUBCOMP for nothing", bytes({0x70, 2, 0x7F, 1})},
           {"a client's packets", bytes({0xC0, 0, 0x82, 0})}}) {
    SCOPED_TRACE(name);
    // A broker that has said it goes: a library may wait for what never comes.
    Broker broker({.said = said, .ends = true}, true);
    BridgeEnd bridge(settings_for(broker.port()), {"in/#"}, reply);
    bridge.connection.start();
    EXPECT_TRUE(wait_until([&] { return broker.served(); }, wait_limit)) << bridge.log.text();
    EXPECT_GE(bridge.log.count("connection to the broker is lost"), 1U) << bridge.log.text();
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
