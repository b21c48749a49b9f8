// Brokers of every set-up with our plugin: listeners, names, ACLs, several bridges, and lines at
// fault.

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/integration/mosquitto_plugin/plugin_site.h"
#include "tests/support/free_port.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using testing::HasSubstr;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

MqttDevice device_of(const MosquittoBroker& broker, const std::string& client_id,
                     const std::string& username = "", unsigned short port = 0) {
  return MqttDevice({.port = port != 0 ? port : broker.port(),
                     .client_id = client_id,
                     .username = username,
                     .password = username});
}

/// Why the broker does not start.
std::string refusal(const std::vector<std::string>& plugin_options,
                    const std::string& configuration = "") {
  try {
    const MosquittoBroker broker(
        {.with_plugin = true, .plugin_options = plugin_options, .configuration = configuration});
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it has started";
}

TEST(PluginConfigurationTest, LineAtFaultKeepsTheBrokerFromStartingAndTheLogSaysWhy) {
  EXPECT_THAT(refusal({"subscribers true"}), HasSubstr("unknown option plugin_opt_subscribers"));
  EXPECT_THAT(refusal({"topics_base a/b"}),
              HasSubstr("plugin_opt_topics_base must contain the level {thing} exactly once"));
  EXPECT_THAT(refusal({}, "plugin " JOBS_BRIDGE_MOSQUITTO_PLUGIN),
              HasSubstr("loaded twice for the same listener"));
}

TEST(PluginConfigurationTest, SubscribersHearRepliesToOthersWhereTheyAreToldTo) {
  Site site(with_plugin({.broker = {.plugin_options = {"also_subscribers true"}}}));
  auto lamp = device_of(*site.broker, "lamp");
  lamp.publish(start_next_topic("lamp-1"), "{}", {.correlation_data = "own"});
  const auto asker_heard = lamp.next();
  const auto other_heard = site.device->next();
  for (const auto& heard : {asker_heard, other_heard}) {
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->topic, start_next_topic("lamp-1") + "/accepted");
    EXPECT_EQ(heard->correlation_data, "own");
    EXPECT_EQ(heard->qos, 1);
  }
  EXPECT_TRUE(has_heard_all(lamp));
}

TEST(PluginConfigurationTest, OtherBaseOfTheTopicsIsServed) {
  Site site(with_plugin({.settings = {"topics.base=fleet/{thing}/jobs"},
                         .broker = {.plugin_options = {"topics_base fleet/{thing}/jobs"}}}));
  auto lamp = device_of(*site.broker, "lamp");
  auto watcher = device_of(*site.broker, "watcher");
  watcher.subscribe("#");
  EXPECT_EQ(reply_to(lamp, "fleet/lamp-1/jobs/get").topic, "fleet/lamp-1/jobs/get/accepted");
  EXPECT_EQ(reply_to(lamp, "fleet/lamp-1/jobs/get").topic, "fleet/lamp-1/jobs/get/accepted");
  // Every subscriber of # hears requests; what follows them is not a reply.
  for (int i = 0; i < 2; ++i) {
    const auto heard =
        watcher.take([](const auto& message) { return message.topic.starts_with("fleet/"); });
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->topic, "fleet/lamp-1/jobs/get");
  }
  for (const auto& heard : watcher.received()) EXPECT_THAT(heard.topic, HasSubstr("canary"));
}

TEST(PluginConfigurationTest, SeveralBridgesOnOneBrokerAreServed) {
  Site site(with_plugin({.settings = {"broker.client_id=gateway-1", "broker.partition=1/2"},
                         .broker = {.plugin_options = {"bridge gateway-1", "bridge gateway-2"}}}));
  const BridgeProcess second(
      site.bridge_settings({"broker.client_id=gateway-2", "broker.partition=2/2"}));
  auto lamp = device_of(*site.broker, "lamp");
  for (int i = 0; i < 20; ++i) {
    const auto topic = start_next_topic("lamp-" + std::to_string(i));
    EXPECT_EQ(reply_to(lamp, topic).topic, topic + "/accepted");
  }
  EXPECT_TRUE(site.has_no_more_replies());
  EXPECT_THAT(second.log(), HasSubstr("thing=lamp-"));
  EXPECT_THAT(site.bridge->log(), HasSubstr("thing=lamp-"));
}

TEST(PluginConfigurationTest, BridgeThatIsNotNamedIsHeardBySubscribersAsEver) {
  Site site(with_plugin({.settings = {"broker.client_id=unknown"}}));
  auto lamp = device_of(*site.broker, "lamp");
  lamp.publish(start_next_topic("lamp-1"), "{}");
  const auto heard = site.device->next();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->topic, start_next_topic("lamp-1") + "/accepted");
}

/// A site whose bridge is the user jobs-bridge and whose device is the user device.
class SiteWithUsers {
 public:
  explicit SiteWithUsers(MosquittoBroker::Options broker,
                         const std::string& client_id = "jobs-bridge")
      : broker_([&] {
          broker.with_plugin = true;
          for (const auto* name : {"jobs-bridge", "lamp", "radio"}) {
            broker.users.emplace_back(name, name);
          }
          return std::move(broker);
        }()) {
    const auto password = directory_.file("password");
    std::ofstream(password) << "jobs-bridge\n";
    std::filesystem::permissions(
        password, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    bridge_.emplace(std::vector<std::string>{
        "broker.url=" + broker_.url(), "broker.username=jobs-bridge",
        "broker.password_file=" + password, "broker.client_id=" + client_id,
        "endpoint.url=" + endpoint_.url()});
  }
  [[nodiscard]] MosquittoBroker& broker() { return broker_; }
  [[nodiscard]] MqttDevice connect(const std::string& username,
                                   const std::string& client_id) const {
    return device_of(broker_, client_id, username);
  }

 private:
  TemporaryDirectory directory_;
  MosquittoBroker broker_;
  JobsEndpoint endpoint_;
  std::optional<BridgeProcess> bridge_;
};

TEST(PluginConfigurationTest, DeviceNeedsNoRightToReadReplies) {
  const SiteWithUsers site({.acl = "user jobs-bridge\ntopic readwrite #\ntopic readwrite $aws/#\n"
                                   "user lamp\ntopic write $aws/things/lamp/jobs/start-next\n"});
  auto lamp = site.connect("lamp", "lamp");
  EXPECT_EQ(reply_to(lamp, start_next_topic("lamp")).topic, start_next_topic("lamp") + "/accepted");
}

TEST(PluginConfigurationTest, RequestThatTheAclForbidsReachesNobody) {
  const SiteWithUsers site({.acl = "user jobs-bridge\ntopic readwrite #\ntopic readwrite $aws/#\n"
                                   "user lamp\ntopic write $aws/things/lamp/jobs/start-next\n"});
  auto lamp = site.connect("lamp", "lamp");
  lamp.publish(start_next_topic("radio"), "{}");
  EXPECT_EQ(reply_to(lamp, start_next_topic("lamp")).topic, start_next_topic("lamp") + "/accepted");
  EXPECT_EQ(lamp.count(), 1U);
}

TEST(PluginConfigurationTest, DevicesAreToldApartByTheNamesThatTheBrokerGivesThem) {
  const SiteWithUsers site({.configuration = "use_username_as_clientid true"}, "anything");
  auto lamp = site.connect("lamp", "device");
  auto radio = site.connect("radio", "device");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(reply_to(lamp, start_next_topic("lamp")).topic,
              start_next_topic("lamp") + "/accepted");
    EXPECT_EQ(reply_to(radio, start_next_topic("radio")).topic,
              start_next_topic("radio") + "/accepted");
  }
  EXPECT_EQ(lamp.count(), 10U);
  EXPECT_EQ(radio.count(), 10U);
}

TEST(PluginConfigurationTest, ListenersWithSettingsOfTheirOwnEachLoadIt) {
  const auto port = free_port();
  const auto second_listener = "listener " + std::to_string(port) + " 127.0.0.1\n";
  const std::string plugin = "plugin " JOBS_BRIDGE_MOSQUITTO_PLUGIN "\n";
  Site site(with_plugin(
      {.broker = {.per_listener = true,
                  .configuration = second_listener + "allow_anonymous true\n" + plugin}}));
  auto lamp = device_of(*site.broker, "lamp", "", port);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reply_to(lamp, start_next_topic("lamp")).topic,
              start_next_topic("lamp") + "/accepted");
  }
  EXPECT_TRUE(site.has_no_more_replies());
}

TEST(PluginConfigurationTest, ListenerWithoutItHearsRepliesBySubscription) {
  const auto port = free_port();
  Site site(with_plugin({.broker = {.per_listener = true,
                                    .configuration = "listener " + std::to_string(port) +
                                                     " 127.0.0.1\nallow_anonymous true\n"}}));
  auto lamp = device_of(*site.broker, "lamp", "", port);
  lamp.subscribe("$aws/things/lamp/jobs/start-next/accepted");
  const auto reply = reply_to(lamp, start_next_topic("lamp"));
  EXPECT_EQ(reply.topic, start_next_topic("lamp") + "/accepted");
}

TEST(PluginConfigurationTest,
     BridgeOnMqtt311IsNamedInTheLogOncePerConnectionAndHeardBySubscribers) {
  const std::string warning = "the bridge jobs-bridge speaks MQTT 3.1.1, which has no properties";
  Site site(with_plugin({.wires = {.mqtt_5 = false}}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(site.start_next("lamp").topic, start_next_topic("lamp") + "/accepted");
  }
  EXPECT_TRUE(wait_until([&] { return count_of(site.broker->log(), warning) == 1; }));
  EXPECT_EQ(site.bridge->stop(), 0);
  site.bridge.emplace(site.bridge_settings());
  EXPECT_EQ(site.start_next("lamp").topic, start_next_topic("lamp") + "/accepted");
  EXPECT_TRUE(wait_until([&] { return count_of(site.broker->log(), warning) == 2; }));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
