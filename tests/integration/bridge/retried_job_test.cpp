#include <chrono>
#include <csignal>
#include <optional>

#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

/// A job whose failed executions the service follows by another: whose failure is it?
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class RetriedJobTest : public testing::Test {
 protected:
  RetriedJobTest() {
    site_.device->subscribe("$aws/things/+/jobs/+/+/accepted");
    site_.endpoint->create_job("job-1", {"lamp"}, "{}", /*retries=*/5);
  }
  static constexpr const char* update_topic = "$aws/things/lamp/jobs/job-1/update";

  void expect_accepted(const std::optional<MqttDevice::Received>& reply) {
    ASSERT_TRUE(reply) << site_.bridge->log();
    EXPECT_EQ(reply->topic, std::string(update_topic) + "/accepted") << reply->payload;
  }
  void fail(const std::string& payload = R"({"status":"FAILED"})") {
    expect_accepted(site_.ask(update_topic, payload));
  }
  std::string status_of(int execution) {
    const auto reply = site_.ask("$aws/things/lamp/jobs/job-1/get",
                                 R"({"executionNumber":)" + std::to_string(execution) + "}");
    const auto payload = payload_of(reply);
    return payload.contains("execution") ? payload.at("execution").value("status", "") : "none";
  }
  /// The next update breaks, before or after it is carried out.
  void break_the_next(bool carried_out) {
    site_.endpoint->set_fault({{"kind", "reset"},
                               {"count", 1},
                               {"carried_out", carried_out},
                               {"operation", "UpdateJobExecution"}});
  }
  int updates() { return site_.endpoint->calls().at("operations").value("UpdateJobExecution", 0); }

  TemporaryDirectory directory_;
  Site site_{{.settings = {"journal.path=" + directory_.file("journal"), "log.level=info"}}};
};

TEST_F(RetriedJobTest, AFailureWhoseCallBrokeReachesTheExecutionThatItIsFor) {
  fail();
  break_the_next(false);
  fail();
  EXPECT_EQ(status_of(2), "FAILED");
  break_the_next(false);
  fail(R"({"status":"FAILED","expectedVersion":1})");
  EXPECT_EQ(status_of(3), "FAILED");
  break_the_next(false);
  fail(R"({"status":"FAILED","executionNumber":4})");
  EXPECT_EQ(status_of(4), "FAILED");
  break_the_next(false);
  fail(R"({"status":"FAILED","statusDetails":{"why":"disk"}})");
  EXPECT_EQ(status_of(5), "FAILED");
  EXPECT_EQ(status_of(6), "QUEUED");
}

TEST_F(RetriedJobTest, AFailureWhoseAnswerWasLostEndsNoFurtherExecution) {
  break_the_next(true);
  fail();
  EXPECT_EQ(status_of(1), "FAILED");
  EXPECT_EQ(status_of(2), "QUEUED");
  break_the_next(true);
  fail();
  EXPECT_EQ(status_of(2), "FAILED");
  EXPECT_EQ(status_of(3), "QUEUED");
  EXPECT_EQ(updates(), 2);
}

TEST_F(RetriedJobTest, AFailureThatWasNotCarriedOutBeforeAKillIsAfterIt) {
  const auto failed = std::chrono::steady_clock::now();
  fail();
  // Three stamps of whole seconds are compared: within three seconds the failures cannot be told
  // apart.
  ASSERT_TRUE(wait_until([&] { return std::chrono::steady_clock::now() - failed > 4s; }));
  site_.endpoint->set_fault({{"kind", "hang"}, {"operation", "UpdateJobExecution"}});
  site_.device->publish(update_topic, R"({"status":"FAILED"})");
  ASSERT_TRUE(wait_until([&] { return updates() >= 2; })) << site_.bridge->log();
  site_.bridge->process().signal(SIGKILL);
  site_.bridge->process().wait();
  site_.endpoint->clear_faults();
  site_.bridge.emplace(site_.bridge_settings());
  // The execution after it is not looked at: what the broker has no acknowledgement of when the
  // bridge is killed comes once more, and is a failure of its own.
  EXPECT_TRUE(wait_until([&] { return status_of(2) == "FAILED"; })) << site_.bridge->log();
}

TEST_F(RetriedJobTest, AFailureThatWasCarriedOutBeforeAKillIsNotRepeatedAfterIt) {
  site_.endpoint->set_fault(
      {{"kind", "hang"}, {"carried_out", true}, {"operation", "UpdateJobExecution"}});
  site_.device->publish(update_topic, R"({"status":"FAILED"})");
  ASSERT_TRUE(wait_until([&] { return updates() >= 1; })) << site_.bridge->log();
  site_.bridge->process().signal(SIGKILL);
  site_.bridge->process().wait();
  site_.endpoint->clear_faults();
  site_.bridge.emplace(site_.bridge_settings());
  expect_accepted(site_.device->next());
  EXPECT_EQ(status_of(1), "FAILED");
  EXPECT_EQ(status_of(2), "QUEUED");
  EXPECT_EQ(updates(), 1);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
