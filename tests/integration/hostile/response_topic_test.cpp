#include <atomic>
#include <mutex>

#include "tests/integration/hostile/broker_side.h"
#include "tests/integration/hostile/others.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;

const std::string kBase = "$aws/things/hostile/jobs/";

TEST(HostileResponseTopicTest, LeadsNoReplyAstray) {
  // However slow the machine is: this is about topics.
  Site site({.settings = {"limits.deadline=60s"}});
  Others others(site.broker->port());
  MqttDevice hostile({.port = site.broker->port(), .client_id = "hostile"});
  hostile.subscribe("$aws/things/hostile/jobs/start-next/+");
  MqttDevice elsewhere({.port = site.broker->port(), .client_id = "elsewhere"});
  elsewhere.subscribe("elsewhere/#");
  elsewhere.subscribe("$aws/things/lamp/#");
  for (const auto& topic :
       {std::string("elsewhere/a"), std::string("$aws/things/lamp/jobs/start-next/accepted"),
        std::string("$aws/things/lamp/jobs/start-next"), std::string("$SYS/broker/version"),
        "elsewhere/" + std::string(60000, 'x'), kBase + std::string(60000, 'x'),
        kBase + std::string(150, '/') + "x", kBase + "start-next", kBase + "job/update",
        std::string("$share/g/elsewhere/a"), std::string("$aws/things/hostile/../lamp/jobs/x")}) {
    hostile.publish(start_next_topic("hostile"), "{}",
                    MqttDevice::Properties{.response_topic = topic,
                                           .correlation_data = std::string(60000, 'c')});
    const auto reply = hostile.next();
    ASSERT_TRUE(reply) << topic.substr(0, 60) << site.bridge->log();
    EXPECT_EQ(reply->topic, start_next_topic("hostile") + "/rejected");
    EXPECT_EQ(code_of(*reply), "InvalidRequest");
    ASSERT_TRUE(others.ask()) << others.last();
  }
  EXPECT_EQ(elsewhere.count(), 0U);
}

/// A PUBLISH of an empty object with a Response Topic.
std::string ask_with(const std::string& response_topic, std::uint16_t id) {
  const auto properties = '\x08' + text(response_topic);
  const auto body = text(start_next_topic("hostile")) + static_cast<char>(id >> 8) +
                    static_cast<char>(id & 0xFF) + remaining_length(properties.size()) +
                    properties + "{}";
  return '\x32' + remaining_length(body.size()) + body;
}

struct Unsendable {
  const char* name;
  std::string topic;
};

class UnsendableResponseTopicTest : public testing::TestWithParam<Unsendable> {};

INSTANTIATE_TEST_SUITE_P(, UnsendableResponseTopicTest,
                         testing::Values(Unsendable{"Wildcard", kBase + "+/accepted"},
                                         Unsendable{"ManyLevels", kBase + "#"},
                                         Unsendable{"Nul", kBase + std::string("a\0b", 3)},
                                         Unsendable{"InvalidUtf8", kBase + "\xC3\x28"},
                                         Unsendable{"Surrogate", kBase + "\xED\xA0\x80"},
                                         Unsendable{"Empty", ""}),
                         [](const auto& test) { return std::string(test.param.name); });

/// What no proper broker hands on. Either the connection ends, or the reply goes to its default
/// topic; a good connection then serves.
TEST_P(UnsendableResponseTopicTest, IsNeverPublishedTo) {
  JobsEndpoint endpoint;
  std::atomic<bool> served{false};
  std::mutex mutex;
  std::vector<std::string> topics;
  ScriptedBroker broker([&](Connection& connection, std::size_t number) {
    if (number > 0) {
      served = served || serves(connection);
      return;
    }
    if (!take_in(connection)) return;
    connection.send_bytes(ask_with(GetParam().topic, 1));
    while (const auto packet = connection.read()) {
      if (packet->type == Packet::subscribe) grant(connection, *packet);
      if (packet->type != Packet::publish) continue;
      if ((packet->flags & 0x06) != 0) connection.acknowledge(packet->publish_id());
      if (!is_for_a_device(*packet)) continue;
      const std::lock_guard lock(mutex);
      topics.push_back(packet->topic());
      return;
    }
  });
  BridgeProcess bridge({"broker.url=mqtt://127.0.0.1:" + std::to_string(broker.port()),
                        "broker.canary_topic=", "endpoint.url=" + endpoint.url()},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(wait_until([&] { return served.load(); })) << bridge.log();
  const std::lock_guard lock(mutex);
  std::string how = "the connection ends";
  for (const auto& topic : topics) {
    EXPECT_THAT(topic, testing::AnyOf(start_next_topic("hostile") + "/rejected",
                                      start_next_topic("hostile") + "/accepted"));
    how = topic.substr(kBase.size());
  }
  std::cout << "[ measured ] " << GetParam().name << " | " << how << "\n";
}

}  // namespace
}  // namespace jobs_bridge::testing_support
