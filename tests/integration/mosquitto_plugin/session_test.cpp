// Replies to askers that have gone, and over restarts of the bridge and the broker.

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "tests/integration/mosquitto_plugin/plugin_site.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

class SessionTest : public testing::TestWithParam<Wires> {
 protected:
  SessionTest()
      : site_(with_plugin({.settings = {"journal.path=" + directory_.file("journal")},
                           .endpoint_arguments = {"--things", "lamp:9:2"},
                           .broker = {.persistence = true, .configuration = "sys_interval 1"}})) {}

  [[nodiscard]] std::unique_ptr<MqttDevice> connect(const std::string& client_id,
                                                    bool persistent) const {
    return std::make_unique<MqttDevice>(MqttDevice::Options{.port = site_.broker->port(),
                                                            .version_5 = GetParam().mqtt_5,
                                                            .client_id = client_id,
                                                            .persistent = persistent});
  }
  /// The job that lamp-1 has started.
  [[nodiscard]] std::string start_job(MqttDevice& lamp) const {
    return payload_of(reply_to(lamp, start_next_topic("lamp-1"))).at("execution").at("jobId");
  }
  /// Asks, goes away while the endpoint thinks, and returns when the broker has the reply.
  void ask_and_leave(bool persistent, int qos) {
    site_.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 3000}});
    auto lamp = connect("lamp", persistent);
    lamp->publish(start_next_topic("lamp-1"), R"({"clientToken":"late"})", qos);
    ASSERT_TRUE(lamp->flush());
    lamp.reset();
    ASSERT_TRUE(site_.broker->process().wait_for_output("Client lamp disconnected"));
    ASSERT_FALSE(has_reply_arrived(start_next_topic("lamp-1"), 0ms)) << "the test is too slow";
    ASSERT_TRUE(has_reply_arrived(start_next_topic("lamp-1"), 30s)) << site_.bridge->log();
    // The broker hands on what a plugin publishes before it looks at its connections again.
    const auto one_more = connect("one-more", false);
    site_.endpoint->clear_faults();
  }
  /// Whether the broker has the bridge's reply.
  [[nodiscard]] bool has_reply_arrived(const std::string& topic, std::chrono::milliseconds limit) {
    return site_.broker->process().wait_for_output("'" + topic + "/accepted'", limit);
  }
  void kill_and_restart_bridge() {
    site_.bridge->process().signal(SIGKILL);
    site_.bridge->process().wait();
    site_.bridge.emplace(site_.bridge_settings());
  }
  /// Returns when the update is held, since the endpoint fails.
  void hold_update(MqttDevice& lamp, const std::string& job) {
    site_.endpoint->set_fault({{"kind", "status"}, {"status", 503}});
    lamp.publish(update_topic("lamp-1", job), R"({"status":"SUCCEEDED","clientToken":"held"})");
    ASSERT_TRUE(lamp.flush());
    ASSERT_TRUE(wait_until([&] { return site_.endpoint->calls().at("total") > 1; }));
  }

  TemporaryDirectory directory_;
  Site site_;
};

INSTANTIATE_TEST_SUITE_P(Wires, SessionTest,
                         testing::Values(Wires{.mqtt_5 = true}, Wires{.mqtt_5 = false}),
                         [](const auto& wires) { return to_string(wires.param); });

TEST_P(SessionTest, PersistentSessionHearsTheReplyWhenItIsBack) {
  ask_and_leave(true, 1);
  const auto lamp = connect("lamp", true);
  const auto reply = lamp->next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->topic, start_next_topic("lamp-1") + "/accepted");
  EXPECT_EQ(token_of(*reply), "late");
  EXPECT_TRUE(has_heard_all(*lamp));
}

TEST_P(SessionTest, CleanSessionDoesNotHearWhatItsPredecessorAsked) {
  ask_and_leave(false, 1);
  const auto lamp = connect("lamp", false);
  EXPECT_TRUE(has_heard_all(*lamp));
}

TEST_P(SessionTest, ReplyOfQosZeroIsNotKept) {
  ask_and_leave(true, 0);
  const auto lamp = connect("lamp", true);
  EXPECT_TRUE(has_heard_all(*lamp));
}

TEST_P(SessionTest, RepliesOfQosZeroThatNobodyHearsLeaveNothingInTheBroker) {
  site_.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 1500}});
  auto lamp = connect("lamp", true);
  const int requests = 100;
  for (int i = 0; i < requests; ++i) {
    lamp->publish(start_next_topic("thing-" + std::to_string(i)), "{}", 0);
  }
  const auto arrived = [&] { return site_.endpoint->calls().at("total") > 30; };
  ASSERT_TRUE(wait_until(arrived));
  lamp.reset();
  ASSERT_TRUE(has_reply_arrived(start_next_topic("thing-" + std::to_string(requests - 1)), 30s));
  site_.endpoint->clear_faults();
  const auto observer = connect("observer", false);
  observer->subscribe("$SYS/broker/store/messages/count");
  // Only a count that has changed is published.
  observer->publish("something", "retained", 1, true);
  const auto count = observer->take([](const auto& message) { return !message.retained; });
  ASSERT_TRUE(count);
  // Some fifty belong to $SYS itself; what is kept in vain would be a hundred.
  EXPECT_LT(std::stoi(count->payload), 90);
}

TEST_P(SessionTest, UpdateHeldOverAKillOfTheBridgeIsAnsweredToWhoeverAsked) {
  const auto lamp = connect("lamp", false);
  const auto job = start_job(*lamp);
  hold_update(*lamp, job);
  kill_and_restart_bridge();
  site_.endpoint->clear_faults();
  const auto reply = lamp->next(60s);
  ASSERT_TRUE(reply) << site_.bridge->log();
  EXPECT_EQ(reply->topic, update_topic("lamp-1", job) + "/accepted");
  EXPECT_EQ(token_of(*reply), "held");
  EXPECT_TRUE(has_heard_all(*lamp));
}

TEST_P(SessionTest, UpdateHeldOverAKillOfTheBrokerIsAnsweredToWhoeverAsked) {
  auto lamp = connect("lamp", true);
  const auto job = start_job(*lamp);
  hold_update(*lamp, job);
  site_.broker->stop(SIGKILL);
  const auto before = site_.bridge->log().size();
  site_.broker->start();
  ASSERT_TRUE(site_.bridge->wait_until_ready(before, 60s));
  lamp = connect("lamp", true);
  site_.endpoint->clear_faults();
  const auto reply = lamp->next(60s);
  ASSERT_TRUE(reply) << site_.bridge->log();
  EXPECT_EQ(reply->topic, update_topic("lamp-1", job) + "/accepted");
}

TEST_P(SessionTest, ReplyWaitsOverARestartOfTheBrokerForAPersistentSession) {
  ask_and_leave(true, 1);
  const auto before = site_.bridge->log().size();
  site_.broker->stop();
  site_.broker->start();
  ASSERT_TRUE(site_.bridge->wait_until_ready(before, 60s));
  const auto lamp = connect("lamp", true);
  const auto reply = lamp->next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(token_of(*reply), "late");
  EXPECT_EQ(reply->correlation_data, "") << "what the broker has stored has no mark in it";
}

TEST_P(SessionTest, RequestOfTheTimeWhenTheBridgeWasAwayIsAnsweredToWhoeverAsked) {
  const auto lamp = connect("lamp", false);
  reply_to(*lamp, start_next_topic("lamp-1"));
  site_.bridge->process().signal(SIGKILL);
  site_.bridge->process().wait();
  lamp->publish(start_next_topic("lamp-2"), R"({"clientToken":"meanwhile"})");
  ASSERT_TRUE(lamp->flush());
  site_.bridge.emplace(site_.bridge_settings());
  const auto reply = lamp->next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(token_of(*reply), "meanwhile");
}

TEST_P(SessionTest, RequestOfTheTimeWhenTheBridgeWasAwayIsCarriedOutWhileItsDeviceMayStillWait) {
  const auto lamp = connect("lamp", false);
  site_.bridge->process().signal(SIGKILL);
  site_.bridge->process().wait();
  lamp->publish(start_next_topic("lamp-1"), R"({"clientToken":"young"})");
  ASSERT_TRUE(lamp->flush());
  site_.bridge.emplace(site_.bridge_settings({"limits.deadline=60s"}));
  const auto young = lamp->next();
  ASSERT_TRUE(young);
  EXPECT_EQ(young->topic, start_next_topic("lamp-1") + "/accepted") << young->payload;

  site_.bridge->process().signal(SIGKILL);
  site_.bridge->process().wait();
  lamp->publish(start_next_topic("lamp-2"), R"({"clientToken":"old"})");
  if (GetParam().mqtt_5) {  // What it claims itself the plugin takes away.
    lamp->publish(start_next_topic("lamp-3"), R"({"clientToken":"forged"})",
                  {.user_properties = {{"jobs-bridge-received", "9999999999000"}}});
  } else {
    lamp->publish(start_next_topic("lamp-3"), R"({"clientToken":"old, too"})");
  }
  ASSERT_TRUE(lamp->flush());
  const auto before = site_.endpoint->calls().at("total");
  std::this_thread::sleep_for(1s);  // which is how old they are then
  site_.bridge.emplace(site_.bridge_settings({"limits.deadline=1s"}));
  for (const auto* thing : {"lamp-2", "lamp-3"}) {
    const auto old = lamp->next();
    ASSERT_TRUE(old);
    EXPECT_EQ(old->topic, start_next_topic(thing) + "/rejected") << old->payload;
    EXPECT_NE(old->payload.find("while the gateway was unavailable"), std::string::npos)
        << old->payload;
  }
  EXPECT_EQ(site_.endpoint->calls().at("total"), before);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
