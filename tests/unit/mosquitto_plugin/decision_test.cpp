#include "adapters/mosquitto_plugin/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "adapters/mosquitto_plugin/asker_mark.h"

namespace jobs_bridge::mosquitto_plugin {
namespace {

const std::string start_next = "$aws/things/lamp/jobs/start-next";

class DecisionTest : public testing::Test {
 protected:
  [[nodiscard]] Decision decision(const Published& published) const {
    const auto decision = decide(options_, published);
    if (!concerns_us(options_, published.topic)) {
      EXPECT_TRUE(std::holds_alternative<LeaveAlone>(decision)) << published.topic;
    }
    return decision;
  }
  /// The Correlation Data with which the bridge's reply comes.
  [[nodiscard]] std::string marked(const Published& request) const {
    const auto decision = decide(options_, request);
    const auto* mark = std::get_if<MarkRequest>(&decision);
    return mark != nullptr ? mark->correlation_data.value_or("") : "";
  }
  [[nodiscard]] bool leaves_alone(const Published& published) const {
    return std::holds_alternative<LeaveAlone>(decision(published));
  }

  Options options_ = read_options({}).value();
};

TEST_F(DecisionTest, ReplyToAMarkedRequestIsDeliveredToWhoeverAsked) {
  for (const auto& topic : {start_next, std::string("$aws/things/lamp/jobs/get"),
                            std::string("$aws/things/lamp/jobs/$next/get"),
                            std::string("$aws/things/lamp/jobs/job/update")}) {
    const auto data =
        marked({.client_id = "asker", .topic = topic, .qos = 1, .correlation_data = "own"});
    for (const auto* end : {"/accepted", "/rejected"}) {
      const auto reply = decision({.client_id = "jobs-bridge",
                                   .mqtt_5 = true,
                                   .topic = topic + end,
                                   .qos = 1,
                                   .correlation_data = data});
      ASSERT_TRUE(std::holds_alternative<DeliverReply>(reply)) << topic << end;
      EXPECT_EQ(std::get<DeliverReply>(reply).client_id, "asker");
      EXPECT_EQ(std::get<DeliverReply>(reply).qos, 1);
      EXPECT_EQ(std::get<DeliverReply>(reply).correlation_data, "own");
      EXPECT_FALSE(std::get<DeliverReply>(reply).also_subscribers);
    }
  }
}

TEST_F(DecisionTest, ReplyOnAResponseTopicIsDeliveredToo) {
  const auto data = marked({.client_id = "asker", .topic = start_next, .qos = 1});
  const auto reply = decision({.client_id = "jobs-bridge",
                               .mqtt_5 = true,
                               .topic = "$aws/things/lamp/jobs/here/please",
                               .qos = 1,
                               .correlation_data = data});
  ASSERT_TRUE(std::holds_alternative<DeliverReply>(reply));
  EXPECT_FALSE(std::get<DeliverReply>(reply).correlation_data);
}

TEST_F(DecisionTest, QosIsTheLowerOfRequestAndReply) {
  const auto qos = [&](int request, int reply) {
    const auto data = marked({.client_id = "asker", .topic = start_next, .qos = request});
    const auto decided = decision({.client_id = "jobs-bridge",
                                   .mqtt_5 = true,
                                   .topic = start_next + "/accepted",
                                   .qos = reply,
                                   .correlation_data = data});
    return std::get<DeliverReply>(decided).qos;
  };
  EXPECT_EQ(qos(0, 1), 0);
  EXPECT_EQ(qos(1, 1), 1);
  EXPECT_EQ(qos(2, 1), 1);
  EXPECT_EQ(qos(1, 0), 0);
}

TEST_F(DecisionTest, RequestThatTheBridgeRejectsIsMarkedToo) {
  for (const auto* topic :
       {"$aws/things/no thing/jobs/start-next", "$aws/things/lamp/jobs/no job/get",
        "$aws/things//jobs/get", "$aws/things/lamp/jobs/$next/update"}) {
    EXPECT_FALSE(marked({.client_id = "asker", .topic = topic}).empty()) << topic;
  }
}

TEST_F(DecisionTest, MarkThatDoesNotFitIsLeftOut) {
  const std::string own(max_correlation_data, 'x');
  const auto request =
      decision({.client_id = "asker", .topic = start_next, .correlation_data = own});
  ASSERT_TRUE(std::holds_alternative<MarkRequest>(request));
  EXPECT_FALSE(std::get<MarkRequest>(request).correlation_data);
}

TEST_F(DecisionTest, WhatIsNeitherRequestNorReplyIsLeftAlone) {
  const auto data = marked({.client_id = "asker", .topic = start_next, .qos = 1});
  for (const auto* topic : {"", "/", "$aws", "$aws/things/lamp/jobs", "$aws/things/lamp/shadow/get",
                            "other/topic", "jobs-bridge/canary/jobs-bridge",
                            "$aws/things/lamp/jobs/", "$aws/things/lamp/jobs/notify"}) {
    EXPECT_TRUE(leaves_alone({.client_id = "asker", .topic = topic, .correlation_data = data}))
        << topic;
  }
  EXPECT_TRUE(leaves_alone({.client_id = "jobs-bridge",
                            .mqtt_5 = true,
                            .topic = "elsewhere/accepted",
                            .correlation_data = data}));
}

TEST_F(DecisionTest, OnlyABridgesReplyIsDelivered) {
  const auto data = marked({.client_id = "asker", .topic = start_next, .qos = 1});
  for (const auto* forger :
       {"device", "jobs-bridge-2", "jobs-bridg", "JOBS-BRIDGE", "", "device-replies"}) {
    EXPECT_TRUE(leaves_alone({.client_id = forger,
                              .mqtt_5 = true,
                              .topic = start_next + "/accepted",
                              .correlation_data = data}))
        << forger;
  }
}

TEST_F(DecisionTest, ReplyOverTheBridgesSecondConnectionIsDelivered) {
  const auto data = marked({.client_id = "asker", .topic = start_next, .qos = 1});
  EXPECT_TRUE(std::holds_alternative<DeliverReply>(decision({.client_id = "jobs-bridge-replies",
                                                             .mqtt_5 = true,
                                                             .topic = start_next + "/accepted",
                                                             .correlation_data = data})));
  EXPECT_TRUE(leaves_alone({.client_id = "-replies",
                            .mqtt_5 = true,
                            .topic = start_next + "/accepted",
                            .correlation_data = data}));
}

TEST_F(DecisionTest, BridgesMessageWithoutAMarkIsLeftAlone) {
  for (const auto* topic :
       {"$aws/things/lamp/jobs/notify-next", "$aws/things/lamp/jobs/get/accepted"}) {
    EXPECT_TRUE(leaves_alone({.client_id = "jobs-bridge", .mqtt_5 = true, .topic = topic}));
    EXPECT_TRUE(leaves_alone({.client_id = "jobs-bridge",
                              .mqtt_5 = true,
                              .topic = topic,
                              .correlation_data = "the device's own"}));
  }
}

TEST_F(DecisionTest, BridgeWithoutPropertiesIsNoticed) {
  EXPECT_TRUE(std::holds_alternative<BridgeWithoutProperties>(
      decision({.client_id = "jobs-bridge", .mqtt_5 = false, .topic = start_next + "/accepted"})));
  EXPECT_TRUE(leaves_alone(
      {.client_id = "jobs-bridge", .mqtt_5 = false, .topic = "jobs-bridge/canary/jobs-bridge"}));
}

TEST_F(DecisionTest, EverythingFollowsTheBaseOfTheTopics) {
  options_ = read_options({{"topics_base", "fleet/{thing}/jobs"}}).value();
  const std::string get = "fleet/lamp/jobs/get";
  const auto data = marked({.client_id = "asker", .topic = get, .qos = 1});
  EXPECT_TRUE(std::holds_alternative<DeliverReply>(decision({.client_id = "jobs-bridge",
                                                             .mqtt_5 = true,
                                                             .topic = get + "/accepted",
                                                             .qos = 1,
                                                             .correlation_data = data})));
  EXPECT_TRUE(leaves_alone({.client_id = "asker", .topic = start_next}));
}

}  // namespace
}  // namespace jobs_bridge::mosquitto_plugin
