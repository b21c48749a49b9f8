#include <chrono>
#include <csignal>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {
namespace {

TEST(DeliveryTest, ResponseTopicOfTheThingAndCorrelationDataAreHonoured) {
  Site site;
  const std::string topic = "$aws/things/lamp/jobs/mine/reply";
  const std::string correlation("\0\1id\xff", 5);
  site.device->subscribe(topic);
  for (const auto* payload : {"{}", "no json"}) {  // accepted and rejected
    site.device->publish(start_next_topic("lamp"), payload,
                         {.response_topic = topic, .correlation_data = correlation});
    const auto reply = site.device->next();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->topic, topic);
    EXPECT_EQ(reply->correlation_data, correlation);
    EXPECT_EQ(payload_of(*reply).contains("code"), std::string(payload) != "{}");
  }
  EXPECT_TRUE(site.has_no_more_replies());  // none on the default topic besides
}

TEST(DeliveryTest, CorrelationDataComesBackOnTheDefaultTopic) {
  Site site;
  for (const auto* payload : {"{}", "no json"}) {
    site.device->publish(start_next_topic("lamp"), payload, {.correlation_data = "id"});
    const auto reply = site.device->next();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->correlation_data, "id");
    EXPECT_TRUE(reply->topic.starts_with(start_next_topic("lamp") + "/"));
  }
}

TEST(DeliveryTest, ResponseTopicOfAnotherThingIsRejectedOnTheDefaultTopic) {
  Site site;
  site.device->subscribe("elsewhere");
  for (const auto* topic :
       {"$aws/things/other/jobs/start-next/accepted", "elsewhere", "$aws/things/lamp/jobs",
        "$aws/things/lamp/jobs/", "$aws/things/lamp/jobs/start-next",
        "$aws/things/lamp/jobs/job-1/update", "$aws/things/lamp2/jobs/reply"}) {
    site.device->publish(start_next_topic("lamp"), R"({"clientToken":"t"})",
                         {.response_topic = topic, .correlation_data = "id"});
    const auto reply = site.device->next();
    ASSERT_TRUE(reply) << topic;
    EXPECT_EQ(code_of(*reply), "InvalidRequest") << topic;
    EXPECT_EQ(reply->topic, start_next_topic("lamp") + "/rejected");
    EXPECT_EQ(reply->correlation_data, "id");
    EXPECT_EQ(token_of(*reply), "t");
  }
  EXPECT_TRUE(site.has_no_more_replies());
  EXPECT_EQ(site.endpoint->start_next_calls().size(), 1U);  // the last question's
}

class QualityOfServiceTest : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Versions, QualityOfServiceTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Mqtt5" : "Mqtt311"; });

TEST_P(QualityOfServiceTest, ReplyHasOneWhateverTheRequestHad) {
  Site site({.wires = {.mqtt_5 = GetParam()}});
  for (const int qos : {0, 1, 2}) {
    const auto reply = site.ask(start_next_topic("lamp"), "{}", qos);
    EXPECT_EQ(reply.qos, 1) << qos;
    EXPECT_EQ(reply.topic, start_next_topic("lamp") + "/accepted");
  }
  EXPECT_TRUE(site.has_no_more_replies());
}

/// The broker passes a live copy on without the flag; what it keeps and replays carries it.
TEST_P(QualityOfServiceTest, RetainedRequestsAreNotCarriedOutAgain) {
  Site site({.wires = {.mqtt_5 = GetParam()}});
  site.device->publish(start_next_topic("lamp"), "{}", 1, /*retained=*/true);
  ASSERT_TRUE(site.device->next());
  ASSERT_EQ(site.bridge->stop(), 0);
  // A bridge that the broker has never seen is sent what it keeps.
  site.bridge.emplace(site.bridge_settings({"broker.client_id=new"}));
  EXPECT_TRUE(site.has_no_more_replies());
  EXPECT_EQ(site.endpoint->calls()["things"]["lamp"]["StartNextPendingJobExecution"], 1);
}

TEST_P(QualityOfServiceTest, RepliesOfTheBridgeAreNoRequestsToIt) {
  Site site({.wires = {.mqtt_5 = GetParam()}});
  for (const auto* suffix : {"accepted", "rejected"}) {
    site.device->publish(start_next_topic("lamp") + "/" + suffix, "{}");
    ASSERT_TRUE(site.device->next());  // itself
  }
  EXPECT_TRUE(site.has_no_more_replies());
}

TEST(DelayTest, SequentialRequestsDoNotWaitForDelayedAcknowledgements) {
  Site site;
  site.start_next("lamp");
  std::vector<std::chrono::steady_clock::duration> times;
  for (int i = 0; i < 50; ++i) {
    const auto before = std::chrono::steady_clock::now();
    site.start_next("lamp");
    times.push_back(std::chrono::steady_clock::now() - before);
  }
  std::ranges::sort(times);
  // The stall to be caught is 40 ms each time; without it this takes well under one.
  EXPECT_LT(times[times.size() / 2], std::chrono::milliseconds(20));
}

TEST(PartitionTest, EveryThingIsServedByExactlyOneOfTwoBridges) {
  Site site({.settings = {"broker.partition=1/2"}});
  BridgeProcess second(site.bridge_settings({"broker.client_id=second", "broker.partition=2/2"}));
  constexpr std::size_t count = 100;
  for (std::size_t i = 0; i < count; ++i) {
    site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
  }
  ASSERT_TRUE(site.device->wait_for(count));
  while (!site.device->received().empty()) site.device->next();
  EXPECT_TRUE(site.has_no_more_replies());
  EXPECT_EQ(site.device->count(), count + 1);
  const auto log = second.log();
  EXPECT_NE(log.find("lamp-"), std::string::npos) << log;  // it had its share
  EXPECT_NE(site.bridge->log().find("lamp-"), std::string::npos);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
