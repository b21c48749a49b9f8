#include <chrono>
#include <csignal>
#include <set>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

/// Sessions, and what waits in them, survive; nothing is dropped for want of room.
MosquittoBroker::Options lasting_broker() {
  return {.persistence = true, .configuration = "max_queued_messages 0"};
}

std::string with_token(int number) {
  return R"({"clientToken":")" + std::to_string(number) + R"("})";
}

class BrokerRestartTest : public testing::TestWithParam<Wires> {};

INSTANTIATE_TEST_SUITE_P(Wires, BrokerRestartTest,
                         testing::Values(Wires{.mqtt_5 = true}, Wires{.mqtt_5 = false},
                                         Wires{.mqtt_5 = true, .broker_tls = true}),
                         [](const auto& test) { return to_string(test.param); });

TEST_P(BrokerRestartTest, EveryRequestUnderLoadGetsItsReply) {
  Site site({.wires = GetParam(),
             .settings = {"limits.deadline=60s", "endpoint.connections=8"},
             .broker = lasting_broker(),
             .persistent_device = true});
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 10}, {"jitter_ms", 20}});
  constexpr int count = 600;
  for (int i = 0; i < count; ++i) {
    site.device->publish(start_next_topic("lamp-" + std::to_string(i)), with_token(i));
  }
  ASSERT_TRUE(site.device->flush());       // the broker has taken them all,
  ASSERT_TRUE(site.device->wait_for(20));  // some have been answered,
  ASSERT_LT(site.device->count(), count);  // and some have not
  site.broker->stop(SIGTERM);
  site.broker->start();

  std::set<std::string> answered;
  while (answered.size() < count) {
    const auto reply = site.device->next();
    if (!reply) break;
    EXPECT_EQ(reply->topic, start_next_topic("lamp-" + token_of(*reply)) + "/accepted")
        << reply->payload;
    answered.insert(token_of(*reply));
  }
  EXPECT_EQ(answered.size(), count) << site.bridge->log();
  EXPECT_TRUE(site.bridge->process().running());
}

TEST(BrokerOutageTest, RepliesThatBecomeKnownMeanwhileArriveAfterwards) {
  Site site({.settings = {"limits.deadline=60s", "endpoint.answer_timeout=30s"},
             .broker = lasting_broker(),
             .persistent_device = true});
  constexpr int count = 20;
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 1000}});
  for (int i = 0; i < count; ++i) {
    site.device->publish(start_next_topic("lamp-" + std::to_string(i)), with_token(i));
  }
  ASSERT_TRUE(site.endpoint->wait_for_calls(count));
  site.broker->stop(SIGTERM);
  // Now the bridge gets the replies and has no broker for them.
  ASSERT_TRUE(site.endpoint->wait_for_answers(count));
  site.broker->start();
  std::set<std::string> answered;
  for (int i = 0; i < count; ++i) {
    const auto reply = site.device->next();
    ASSERT_TRUE(reply) << site.bridge->log();
    EXPECT_TRUE(reply->topic.ends_with("/accepted")) << reply->payload;
    answered.insert(token_of(*reply));
  }
  EXPECT_EQ(answered.size(), count);
}

TEST(BrokerOutageTest, RequestsFlowAgainAfterTheBrokerWasKilled) {
  Site site;
  site.start_next("lamp");
  for (int round = 0; round < 3; ++round) {
    const auto said = site.bridge->log().size();
    site.broker->stop(SIGKILL);
    site.broker->start();
    ASSERT_TRUE(site.bridge->wait_until_ready(said)) << site.bridge->log();
    const auto device = site.connect_device("again");
    device->subscribe(start_next_topic("lamp") + "/+");
    device->publish(start_next_topic("lamp"), with_token(round));
    const auto reply = device->next();
    ASSERT_TRUE(reply) << site.bridge->log();
    EXPECT_EQ(token_of(*reply), std::to_string(round));
  }
}

TEST(BrokerOutageTest, BridgeStartsWithoutABrokerAndServesOnceItIsThere) {
  Site site;
  ASSERT_EQ(site.bridge->stop(), 0);
  site.broker->stop(SIGTERM);
  site.bridge.emplace(site.bridge_settings(), BridgeProcess::Wait::not_at_all);
  ASSERT_TRUE(site.bridge->process().wait_for_output("Connection refused")) << site.bridge->log();
  EXPECT_EQ(site.bridge->log().find("ready for requests"), std::string::npos);
  site.broker->start();
  ASSERT_TRUE(site.bridge->wait_until_ready()) << site.bridge->log();
  site.device = site.connect_device("again");
  site.device->subscribe(start_next_topic("lamp") + "/+");
  EXPECT_EQ(site.start_next("lamp").topic, start_next_topic("lamp") + "/accepted");
}

}  // namespace
}  // namespace jobs_bridge::testing_support
