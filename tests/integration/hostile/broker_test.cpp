#include <httplib.h>

#include <atomic>

#include "tests/integration/hostile/broker_side.h"
#include "tests/integration/hostile/others.h"
#include "tests/support/sanitized.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;

struct BrokerBehaviour {
  const char* name;
  std::string bytes;  ///< said in place of anything else, once the bridge has subscribed
  /// What the log names, where either MQTT library gives the connection up; else it is the broker
  /// who ends it, or the libraries differ.
  const char* cause = "";
};

constexpr const char* kMalformed = "kind=malformed";

class HostileBrokerTest : public testing::TestWithParam<BrokerBehaviour> {};

const std::string kNul(1, '\0');

INSTANTIATE_TEST_SUITE_P(
    Behaviours, HostileBrokerTest,
    testing::Values(
        BrokerBehaviour{"PropertyThatDoesNotExist",
                        std::string("\x32\x0B", 2) + text("a/b") + kNul + "\1\2\x7F\1x",
                        kMalformed},
        BrokerBehaviour{"PropertyThatDoesNotExistInADisconnect", "\xE0\x04\x8B\2\x7F\1",
                        kMalformed},
        BrokerBehaviour{"PropertiesLongerThanTheirPacket",
                        std::string("\x32\x09", 2) + text("a/b") + kNul + "\1\xFF\x7F", kMalformed},
        BrokerBehaviour{"LengthOfFiveBytes", "\x32\xFF\xFF\xFF\xFF\xFF\xFF", kMalformed},
        BrokerBehaviour{"LargestLengthAndNothingMore", "\x32\xFF\xFF\xFF\x7F"},
        BrokerBehaviour{"LargestPacket",
                        "\x32\xFF\xFF\xFF\x7F" + text("a/b") + std::string(8U << 20U, 'x')},
        BrokerBehaviour{"SecondConnack", std::string("\x20\x03\0\0\0", 5)},
        BrokerBehaviour{"AcknowledgementOfNothing", "\x40\x02\x7F\xFF"},
        BrokerBehaviour{"ReleaseOfNothing", "\x62\x02\x7F\xFF"},
        BrokerBehaviour{"ReceivedForNothing", "\x50\x02\x7F\xFF"},
        BrokerBehaviour{"ReservedType", std::string("\0\0", 2)},
        BrokerBehaviour{"ClientsPackets", std::string("\x10\x00\x82\x00\xC0\x00", 6)},
        BrokerBehaviour{"QosThree", std::string("\x36\x08", 2) + text("a/b") + kNul + "\1" + kNul},
        BrokerBehaviour{"TopicOfInvalidUtf8", publish("$aws/things/\xC3\x28/jobs/start-next", 1)},
        BrokerBehaviour{"TopicWithNul", publish("$aws/things/a" + kNul + "/jobs/start-next", 1)},
        BrokerBehaviour{"TopicWithWildcard", publish("$aws/things/+/jobs/start-next", 1)},
        BrokerBehaviour{"EmptyTopicWithUnknownAlias",
                        std::string("\x32\x08\0\0\0\1\3\x23\0\5", 10)},
        BrokerBehaviour{"Noise", std::string(100000, '\xA5'), kMalformed}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(HostileBrokerTest, NeitherBreaksNorGrowsTheBridgeWhichServesAGoodOneAfterwards) {
  std::atomic<bool> served{false};
  JobsEndpoint endpoint;
  ScriptedBroker broker([&](Connection& connection, std::size_t number) {
    if (number > 0) {
      served = served || serves(connection);
      return;
    }
    if (!take_in(connection)) return;
    connection.send_bytes(GetParam().bytes);
    // The bridge may close, or think nothing of it: then the broker goes.
    while (connection.has_data(500ms) && connection.read()) {
    }
  });
  BridgeProcess bridge(
      {"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()),
       "broker.canary_topic=", "endpoint.url=" + endpoint.url(), "limits.deadline=5s"},
      BridgeProcess::Wait::not_at_all);
  const auto id = bridge.process().id();
  EXPECT_TRUE(wait_until([&] { return served.load(); })) << bridge.log();
  ASSERT_TRUE(bridge.process().running()) << bridge.log();
  EXPECT_LT(peak_memory(id), memory_bound(64U << 20U));
  EXPECT_LT(processor_time(id), 3s);
  std::cout << "[ measured ] " << GetParam().name << " | peak " << (peak_memory(id) >> 10U)
            << " KiB | processor " << processor_time(id).count() << " ms\n";
  const auto lost = bridge.process().wait_for_line("broker is lost", 10ms).value_or("");
  EXPECT_THAT(lost, testing::ContainsRegex(GetParam().cause));
  std::cout << "[   cause  ] " << lost << "\n";
}

TEST(HostileBrokerTest, FlappingIsAnsweredWithPausesAndNotWithABusyLoop) {
  std::atomic<bool> good{false};
  std::atomic<bool> served{false};
  JobsEndpoint endpoint;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    if (good) served = served || serves(connection);
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()),
                        "broker.canary_topic=", "endpoint.url=" + endpoint.url()},
                       BridgeProcess::Wait::not_at_all);
  const auto id = bridge.process().id();
  const auto start = Others::Clock::now();
  ASSERT_TRUE(wait_until([&] { return broker.connections() >= 5; })) << bridge.log();
  const auto lasted =
      std::chrono::duration_cast<std::chrono::milliseconds>(Others::Clock::now() - start);
  const auto used = processor_time(id);
  std::cout << "[ measured ] Flapping | " << broker.connections() << " connections in "
            << lasted.count() << " ms | processor " << used.count() << " ms | peak "
            << (peak_memory(id) >> 10U) << " KiB\n";
  EXPECT_LT(used, lasted / 2);
  good = true;
  EXPECT_TRUE(wait_until([&] { return served.load(); })) << bridge.log();
}

/// The silence is the attack: a test cannot be shorter than the bridge's wait_limit, 10 s.
TEST(HostileBrokerTest, SubscribeThatIsNeverAnsweredIsSaidAndTriedOnAnotherConnection) {
  std::atomic<bool> served{false};
  JobsEndpoint endpoint;
  ScriptedBroker broker([&](Connection& connection, std::size_t number) {
    if (number > 0) {
      served = served || serves(connection);
      return;
    }
    connection.accept();
    while (const auto packet = connection.read()) {
      if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
    }
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()),
                        "broker.canary_topic=", "endpoint.url=" + endpoint.url()},
                       BridgeProcess::Wait::not_at_all);
  ASSERT_TRUE(bridge.process().wait_for_line("connected to the broker")) << bridge.log();
  const auto ready = httplib::Client(bridge.admin_url()).Get("/readyz");
  ASSERT_TRUE(ready) << bridge.log();
  EXPECT_EQ(ready->status, 503);
  EXPECT_THAT(ready->body, testing::HasSubstr("broker_not_subscribed"));
  EXPECT_TRUE(bridge.process().wait_for_line("no answer to SUBSCRIBE", 20s)) << bridge.log();
  EXPECT_TRUE(wait_until([&] { return served.load(); })) << bridge.log();
}

/// As above, it has to outlast the bridge's wait_limit.
TEST(HostileBrokerTest, SubscribeIsNotGivenUpWhileTheBrokerStillSendsWhatItKept) {
  JobsEndpoint endpoint;
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    connection.accept();
    std::vector<Packet> asked;
    const auto over = Others::Clock::now() + 12s;
    for (std::uint16_t id = 1; Others::Clock::now() < over; ++id) {
      if (!connection.send_bytes(publish(start_next_topic("kept"), id))) return;
      const auto next = Others::Clock::now() + 1s;
      while (connection.has_data(1s) && Others::Clock::now() < next) {
        const auto packet = connection.read();
        if (!packet) return;
        if (packet->type == Packet::subscribe) asked.push_back(*packet);
        if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
        if (packet->type == Packet::publish) connection.acknowledge(packet->publish_id());
      }
    }
    for (const auto& subscribe : asked) grant(connection, subscribe);
    while (connection.read()) {
    }
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()),
                        "broker.canary_topic=", "endpoint.url=" + endpoint.url()},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(bridge.wait_until_ready(0, 30s)) << bridge.log();
  EXPECT_EQ(broker.connections(), 1U) << bridge.log();
}

TEST(HostileBrokerTest, FloodOfRetainedRequestsIsPassedOverAndOthersAreServedMeanwhile) {
  constexpr std::size_t count = 100000 / slowdown;
  JobsEndpoint endpoint;
  std::atomic<bool> served{false};
  ScriptedBroker broker([&](Connection& connection, std::size_t) {
    if (!take_in(connection)) return;
    constexpr char retained = '\x33';
    for (std::size_t i = 0; i < count; ++i) {
      const auto topic = start_next_topic("flood-" + std::to_string(i));
      const auto id = static_cast<std::uint16_t>(i % 65535 + 1);
      if (!connection.send_bytes(publish(topic, id, true, retained))) return;
    }
    connection.send_bytes(publish(start_next_topic("calm"), 7));
    while (const auto packet = connection.read()) {
      if (packet->type == Packet::subscribe) grant(connection, *packet);
      if (is_for_a_device(*packet)) {
        served = packet->topic() == start_next_topic("calm") + "/accepted";
        return;
      }
    }
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()),
                        "broker.canary_topic=", "endpoint.url=" + endpoint.url(), "log.level=info"},
                       BridgeProcess::Wait::not_at_all);
  const auto id = bridge.process().id();
  EXPECT_TRUE(wait_until([&] { return served.load(); }, 60s)) << bridge.log().substr(0, 3000);
  EXPECT_EQ(endpoint.start_next_calls().size(), 1U);  // none of the flood's
  EXPECT_LT(peak_memory(id), memory_bound(64U << 20U));
  std::cout << "[ measured ] FloodOfRetained | peak " << (peak_memory(id) >> 10U)
            << " KiB | processor " << processor_time(id).count() << " ms\n";
}

TEST(HostileBrokerTest, FloodOfRequestsWithoutAcknowledgementOfRepliesIsBounded) {
  constexpr std::size_t count = 100000 / slowdown;
  JobsEndpoint endpoint;
  std::atomic<bool> flooded{false};
  std::atomic<bool> served{false};
  ScriptedBroker broker([&](Connection& connection, std::size_t number) {
    if (number > 0) {
      served = served || serves(connection);
      return;
    }
    if (!take_in(connection)) return;
    for (std::size_t i = 0; i < count; ++i) {
      const auto topic = start_next_topic("flood-" + std::to_string(i));
      if (!connection.send_bytes(publish(topic, static_cast<std::uint16_t>(i % 65535 + 1)))) break;
    }
    flooded = true;
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()),
                        "broker.canary_topic=", "endpoint.url=" + endpoint.url(),
                        "limits.deadline=1s", "log.level=info"},
                       BridgeProcess::Wait::not_at_all);
  const auto id = bridge.process().id();
  EXPECT_TRUE(wait_until([&] { return flooded.load(); })) << bridge.log().substr(0, 3000);
  EXPECT_TRUE(wait_until([&] { return served.load(); })) << bridge.log().substr(0, 3000);
  EXPECT_LT(peak_memory(id), memory_bound(256U << 20U));
  std::cout << "[ measured ] FloodWithoutAcknowledgement | peak " << (peak_memory(id) >> 10U)
            << " KiB | processor " << processor_time(id).count() << " ms\n";
}

}  // namespace
}  // namespace jobs_bridge::testing_support
