// Which clients receive a reply when the broker has loaded our plugin: only the one that sent the
// request.

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/mosquitto_plugin/plugin_site.h"

namespace jobs_bridge::testing_support {
namespace {

using testing::IsEmpty;

class AskerTest : public testing::TestWithParam<Wires> {
 protected:
  AskerTest() : site_(with_plugin({.endpoint_arguments = {"--things", "lamp:9:2"}})) {}

  [[nodiscard]] std::unique_ptr<MqttDevice> connect(const std::string& client_id,
                                                    bool persistent = false) const {
    return std::make_unique<MqttDevice>(MqttDevice::Options{.port = site_.broker->port(),
                                                            .version_5 = GetParam().mqtt_5,
                                                            .client_id = client_id,
                                                            .persistent = persistent});
  }

  Site site_;
};

INSTANTIATE_TEST_SUITE_P(Wires, AskerTest,
                         testing::Values(Wires{.mqtt_5 = true}, Wires{.mqtt_5 = false}),
                         [](const auto& wires) { return to_string(wires.param); });

TEST_P(AskerTest, DeviceThatSubscribesToNothingHearsEveryReplyToItself) {
  const auto lamp = connect("lamp");
  const auto start_next = reply_to(*lamp, start_next_topic("lamp-1"), R"({"clientToken":"a"})");
  EXPECT_EQ(start_next.topic, start_next_topic("lamp-1") + "/accepted");
  EXPECT_EQ(token_of(start_next), "a");
  const std::string job = payload_of(start_next).at("execution").at("jobId");
  EXPECT_EQ(reply_to(*lamp, "$aws/things/lamp-1/jobs/get").topic,
            "$aws/things/lamp-1/jobs/get/accepted");
  EXPECT_EQ(reply_to(*lamp, "$aws/things/lamp-1/jobs/$next/get").topic,
            "$aws/things/lamp-1/jobs/$next/get/accepted");
  EXPECT_EQ(reply_to(*lamp, update_topic("lamp-1", job), R"({"status":"SUCCEEDED"})").topic,
            update_topic("lamp-1", job) + "/accepted");
  EXPECT_EQ(code_of(reply_to(*lamp, start_next_topic("lamp-1"), "no JSON")), "InvalidJson");
  EXPECT_TRUE(has_heard_all(*lamp));
  EXPECT_TRUE(site_.has_no_more_replies());
}

TEST_P(AskerTest, DeviceThatIsSubscribedHearsEachReplyOnce) {
  for (const auto& filter :
       {start_next_topic("lamp-1") + "/accepted", std::string("$aws/things/+/jobs/start-next/+"),
        std::string("$aws/things/lamp-1/#")}) {
    const auto lamp = connect("lamp");
    lamp->subscribe(filter);
    lamp->publish(start_next_topic("lamp-1"), "{}");
    // With # it hears its own request too, as from any broker.
    if (filter.ends_with('#')) {
      const auto request = lamp->next();
      ASSERT_TRUE(request);
      EXPECT_EQ(request->topic, start_next_topic("lamp-1"));
    }
    const auto reply = lamp->next();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->topic, start_next_topic("lamp-1") + "/accepted");
    EXPECT_TRUE(has_heard_all(*lamp)) << filter;
  }
}

TEST_P(AskerTest, TwoClientsOfOneThingHearRepliesToTheirOwnRequestsOnly) {
  const auto first = connect("first");
  const auto second = connect("second");
  const int rounds = 20;
  for (int i = 0; i < rounds; ++i) {
    const auto number = std::to_string(i);
    first->publish(start_next_topic("lamp-1"), R"({"clientToken":"first-)" + number + "\"}");
    second->publish(start_next_topic("lamp-1"), R"({"clientToken":"second-)" + number + "\"}");
  }
  for (auto* asker : {first.get(), second.get()}) {
    const std::string name = asker == first.get() ? "first-" : "second-";
    for (int i = 0; i < rounds; ++i) {
      const auto reply = asker->next();
      ASSERT_TRUE(reply) << name << i;
      EXPECT_THAT(token_of(*reply), testing::StartsWith(name));
    }
    EXPECT_TRUE(has_heard_all(*asker));
  }
}

TEST_P(AskerTest, ReplyHasTheQosOfTheRequestUpToTheBridges) {
  const auto lamp = connect("lamp");
  for (const auto& [asked, expected] : {std::pair{0, 0}, std::pair{1, 1}, std::pair{2, 1}}) {
    EXPECT_EQ(reply_to(*lamp, start_next_topic("lamp-1"), "{}", asked).qos, expected) << asked;
  }
}

TEST_P(AskerTest, NobodyElseHearsAReply) {
  const auto lamp = connect("lamp");
  const auto watcher = connect("watcher");
  watcher->subscribe("#");
  watcher->subscribe("$aws/things/+/jobs/start-next/accepted");
  watcher->subscribe("+/+/lamp-1/jobs/start-next/accepted");
  reply_to(*lamp, start_next_topic("lamp-1"));
  EXPECT_TRUE(has_heard_all(*watcher));
  EXPECT_TRUE(site_.has_no_more_replies());
}

TEST_P(AskerTest, NotificationsGoToSubscribersAsEver) {
  Site site(with_plugin({.settings = {"notify.enabled=true", "notify.interval=1s"}}));
  const MqttDevice::Options options{
      .port = site.broker->port(), .version_5 = GetParam().mqtt_5, .client_id = "lamp"};
  MqttDevice lamp(options);
  lamp.subscribe("$aws/things/lamp-1/jobs/notify-next");
  EXPECT_EQ(reply_to(lamp, start_next_topic("lamp-1")).topic,
            start_next_topic("lamp-1") + "/accepted");
  site.endpoint->create_job("job", {"lamp-1"});
  const auto notice = lamp.next(std::chrono::seconds(20));
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->topic, "$aws/things/lamp-1/jobs/notify-next");
  EXPECT_THAT(notice->correlation_data, IsEmpty());
}

}  // namespace
}  // namespace jobs_bridge::testing_support
