#include <chrono>

#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

class JobLifeTest : public testing::TestWithParam<bool> {
 protected:
  JobLifeTest() : site_({.wires = {.mqtt_5 = GetParam()}}) {
    site_.device->subscribe("$aws/things/+/jobs/+/+/accepted");
    site_.endpoint->create_job("job-1", {"lamp"});
  }
  MqttDevice::Received update(const std::string& payload) {
    return site_.ask("$aws/things/lamp/jobs/job-1/update", payload);
  }
  Site site_;
};

INSTANTIATE_TEST_SUITE_P(Versions, JobLifeTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Mqtt5" : "Mqtt311"; });

TEST_P(JobLifeTest, AnUpdateThatWasAppliedAndWhoseAnswerWasLostIsAccepted) {
  site_.start_next("lamp");
  site_.endpoint->set_fault(
      {{"kind", "reset"}, {"carried_out", true}, {"operation", "UpdateJobExecution"}});
  const auto reply =
      update(R"({"status":"SUCCEEDED","includeJobExecutionState":true,"clientToken":"t"})");
  EXPECT_TRUE(reply.topic.ends_with("/update/accepted")) << reply.payload;
  const auto payload = payload_of(reply);
  EXPECT_EQ(payload.at("executionState").at("status"), "SUCCEEDED");
  EXPECT_EQ(payload.at("clientToken"), "t");
}

TEST_P(JobLifeTest, AnUpdateThatWasNotAppliedAndHadNoAnswerIsSentAgain) {
  site_.start_next("lamp");
  site_.endpoint->set_fault({{"kind", "reset"}, {"operation", "UpdateJobExecution"}});
  site_.device->publish("$aws/things/lamp/jobs/job-1/update", R"({"status":"SUCCEEDED"})");
  ASSERT_TRUE(wait_until([&] {
    return site_.endpoint->calls().at("operations").value("UpdateJobExecution", 0) >= 2;
  }));
  EXPECT_TRUE(site_.has_no_more_replies());
  site_.endpoint->clear_faults();
  const auto reply = site_.device->next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->topic, "$aws/things/lamp/jobs/job-1/update/accepted");
}

TEST_P(JobLifeTest, AWrongVersionAndAWrongStateCarryTheExecutionState) {
  site_.start_next("lamp");
  auto reply = update(R"({"status":"IN_PROGRESS","expectedVersion":"99"})");
  EXPECT_EQ(code_of(reply), "VersionMismatch") << reply.payload;
  EXPECT_EQ(payload_of(reply).at("executionState"),
            json({{"status", "IN_PROGRESS"}, {"versionNumber", 2}}));
  EXPECT_TRUE(update(R"({"status":"SUCCEEDED"})").topic.ends_with("/accepted"));
  reply = update(R"({"status":"IN_PROGRESS"})");
  EXPECT_EQ(code_of(reply), "InvalidStateTransition") << reply.payload;
  EXPECT_EQ(payload_of(reply).at("executionState").at("status"), "SUCCEEDED");
}

TEST(CborTest, ADeviceMaySpeakCbor) {
  Site site({.endpoint_arguments = {"--things", "lamp:1:1"}});
  const auto bytes = json::to_cbor({{"clientToken", "t"}});
  site.device->publish(start_next_topic("lamp-1"), std::string(bytes.begin(), bytes.end()),
                       {.content_type = "application/cbor"});
  const auto reply = site.device->next();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->topic.ends_with("/accepted"));
  EXPECT_EQ(reply->content_type, "application/cbor");
  const auto payload = json::from_cbor(reply->payload);
  EXPECT_EQ(payload.at("clientToken"), "t");
  EXPECT_TRUE(payload.at("execution").at("jobDocument").is_object());
}

/// Firmware of the kind that subscribes to notify-next alone, as on AWS a reply needs no
/// subscription.
TEST(RepeatedReplyTest, FirmwareThatSubscribesToNoRepliesGetsItsJob) {
  Site site({.settings = {"notify.enabled=false", "notify.repeat_replies=[\"lamp-*\"]"},
             .endpoint_arguments = {"--things", "lamp:1:1"}});
  const auto firmware = site.connect_device("firmware");
  firmware->subscribe("$aws/things/lamp-1/jobs/notify-next");
  for (const auto* below : {"$next/get", "start-next"}) {
    firmware->publish("$aws/things/lamp-1/jobs/" + std::string(below), "{}");
    const auto heard = firmware->next();
    ASSERT_TRUE(heard) << below << site.bridge->log();
    const auto payload = payload_of(*heard);
    EXPECT_TRUE(payload.at("timestamp").is_number_integer());
    EXPECT_TRUE(payload.at("execution").at("jobDocument").is_object()) << heard->payload;
    EXPECT_FALSE(payload.at("execution").contains("thingName"));
  }
}

TEST(RepeatedReplyTest, TheReplyComesFirstAndThingsThatAreNotNamedHearItAlone) {
  Site site({.settings = {"notify.repeat_replies=[\"lamp-1\"]"},
             .endpoint_arguments = {"--things", "lamp:2:1"}});
  site.device->subscribe("$aws/things/+/jobs/notify-next");
  EXPECT_EQ(site.start_next("lamp-1").topic, start_next_topic("lamp-1") + "/accepted");
  const auto repeated = site.device->next();
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->topic, "$aws/things/lamp-1/jobs/notify-next");
  site.start_next("lamp-2");
  EXPECT_TRUE(site.has_no_more_replies());
}

TEST(LateRejectionTest, AnUpdateThatIsRejectedAfterAnOutageIsAnsweredWithoutItsClientToken) {
  Site site({.settings = {"limits.deadline=1500ms"}});
  site.endpoint->stop();
  site.device->publish("$aws/things/lamp/jobs/job-1/update",
                       R"({"status":"SUCCEEDED","clientToken":"forgotten"})");
  // They wait behind the update: when the second is rejected, the update's deadline has passed.
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(site.ask("$aws/things/lamp/jobs/get", "{}").topic.ends_with("/get/rejected"));
  }
  site.endpoint->start();  // without the job
  const auto reply = site.device->next();
  ASSERT_TRUE(reply) << site.bridge->log();
  EXPECT_EQ(reply->topic, "$aws/things/lamp/jobs/job-1/update/rejected");
  EXPECT_EQ(code_of(*reply), "ResourceNotFound");
  EXPECT_FALSE(payload_of(*reply).contains("clientToken")) << reply->payload;
  ASSERT_TRUE(site.bridge->process().wait_for_output("update rejected late")) << site.bridge->log();
  EXPECT_TRUE(site.bridge->process().wait_for_output("thing=lamp operation=update job=job-1"))
      << site.bridge->log();
  EXPECT_TRUE(site.bridge->process().wait_for_output("forgotten")) << "the log names it";

  const auto in_time =
      site.ask("$aws/things/lamp/jobs/job-1/update", R"({"status":"SUCCEEDED","clientToken":"t"})");
  EXPECT_EQ(token_of(in_time), "t");
}

class NotificationTest : public testing::Test {
 protected:
  NotificationTest() {
    site_.device->subscribe("$aws/things/+/jobs/+/+/accepted");
    site_.device->subscribe("$aws/things/+/jobs/notify");
    site_.device->subscribe("$aws/things/+/jobs/notify-next");
  }
  std::string next_topic() {
    const auto received = site_.device->next();
    EXPECT_TRUE(received) << site_.bridge->log();
    last_ = received.value_or(MqttDevice::Received{});
    return last_.topic.substr(std::min(last_.topic.size(), std::size_t{22}));
  }

  TemporaryDirectory directory_;
  Site site_{{.settings = {"notify.enabled=true", "notify.interval=1s",
                           "notify.path=" + directory_.path().string() + "/watched"}}};
  MqttDevice::Received last_;
};

TEST_F(NotificationTest, AJobThatIsQueuedIsAnnouncedAndItsEndIsFollowedByTheNext) {
  EXPECT_TRUE(site_.ask("$aws/things/lamp/jobs/$next/get", "{}").topic.ends_with("/accepted"));
  site_.endpoint->create_job("job-1", {"lamp"});
  EXPECT_EQ(next_topic(), "notify");
  EXPECT_EQ(next_topic(), "notify-next");
  EXPECT_EQ(payload_of(last_).at("execution").at("jobId"), "job-1");
  site_.start_next("lamp");
  site_.endpoint->create_job("job-2", {"lamp"});
  EXPECT_EQ(next_topic(), "notify");
  site_.device->publish("$aws/things/lamp/jobs/job-1/update", R"({"status":"SUCCEEDED"})");
  EXPECT_EQ(next_topic(), "job-1/update/accepted");
  EXPECT_EQ(next_topic(), "notify");
  EXPECT_EQ(next_topic(), "notify-next");
  EXPECT_EQ(payload_of(last_).at("execution").at("jobId"), "job-2");
}

TEST_F(NotificationTest, WhatChangedWhileTheBridgeWasAwayIsAnnouncedOnceItIsBack) {
  site_.ask("$aws/things/lamp/jobs/$next/get", "{}");
  site_.endpoint->create_job("job-1", {"lamp"});
  EXPECT_EQ(next_topic(), "notify");
  EXPECT_EQ(next_topic(), "notify-next");
  ASSERT_EQ(site_.bridge->stop(), 0) << site_.bridge->log();
  site_.endpoint->create_job("job-2", {"lamp"});
  site_.bridge.emplace(site_.bridge_settings());
  EXPECT_EQ(next_topic(), "notify") << "job-1 is not announced again";
  EXPECT_EQ(payload_of(last_).at("jobs").at("QUEUED").size(), 2U);
  EXPECT_TRUE(site_.has_no_more_replies());
}

}  // namespace
}  // namespace jobs_bridge::testing_support
