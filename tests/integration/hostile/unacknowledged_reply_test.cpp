#include <atomic>
#include <csignal>
#include <memory>
#include <mutex>
#include <utility>

#include "tests/integration/hostile/broker_side.h"
#include "tests/support/wait_until.h"

/// A broker that takes its time with the acknowledgement of a reply, and a bridge that ends
/// meanwhile.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;

constexpr auto kUpdateTopic = "$aws/things/lamp/jobs/job-1/update";
constexpr auto kUpdatePayload = R"({"status":"SUCCEEDED","clientToken":"t-1"})";

/// Sends one update over the first connection. What it hears it acknowledges over later ones only.
class UnacknowledgedReplyTest : public testing::Test {
 protected:
  UnacknowledgedReplyTest()
      : broker_([this](Connection& connection, std::size_t number) { play(connection, number); }) {
    endpoint_.create_job("job-1", {"lamp"});
    start();
  }

  void start() {
    bridge_ = std::make_unique<BridgeProcess>(
        std::vector<std::string>{"broker.url=mqtt://127.0.0.1:" + std::to_string(broker_.port()),
                                 "endpoint.url=" + endpoint_.url(), "log.level=info",
                                 "notify.enabled=false",
                                 "journal.path=" + directory_.file("journal")},
        BridgeProcess::Wait::not_at_all);
  }
  [[nodiscard]] std::vector<std::string> heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  [[nodiscard]] std::size_t updates_carried_out() {
    const auto calls = endpoint_.calls();
    return static_cast<std::size_t>(std::ranges::count_if(calls.at("calls"), [](const auto& call) {
      return call.at("operation") == "UpdateJobExecution" && call.at("status") == 200;
    }));
  }
  /// Every reply so far is the acceptance of the update, word for word but for the time.
  void expect_acceptances(std::size_t count) {
    const auto replies = heard();
    ASSERT_EQ(replies.size(), count) << bridge_->log();
    for (const auto& reply : replies) {
      EXPECT_THAT(reply, testing::HasSubstr(std::string(kUpdateTopic) + "/accepted"));
      EXPECT_THAT(reply, testing::HasSubstr("t-1"));
    }
  }

  std::atomic<bool> acknowledges_{false};
  TemporaryDirectory directory_;
  JobsEndpoint endpoint_;

 private:
  void play(Connection& connection, std::size_t number) {
    connection.accept();
    while (const auto packet = connection.read()) {
      if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
      if (packet->type == Packet::subscribe) {
        grant(connection, *packet);
        if (number == 0 && !std::exchange(asked_, true)) {
          connection.send_bytes(publish(kUpdateTopic, 7, true, '\x32', kUpdatePayload));
        }
      }
      if (packet->type != Packet::publish) continue;
      const bool reply = is_for_a_device(*packet);
      if (reply) {
        const std::lock_guard lock(mutex_);
        heard_.push_back(packet->body);
      }
      if (!reply || acknowledges_) connection.acknowledge(packet->publish_id());
    }
  }

  bool asked_ = false;  ///< the broker's thread's own
  std::mutex mutex_;
  std::vector<std::string> heard_;
  ScriptedBroker broker_;

 protected:
  std::unique_ptr<BridgeProcess> bridge_;
};

TEST_F(UnacknowledgedReplyTest, AfterAKillTheDeviceHearsTheAnswerAndTheUpdateHasHadOneEffect) {
  ASSERT_TRUE(wait_until([&] { return heard().size() == 1; })) << bridge_->log();
  bridge_->process().signal(SIGKILL);
  bridge_->process().wait();
  acknowledges_ = true;
  start();
  ASSERT_TRUE(wait_until([&] { return heard().size() == 2; })) << bridge_->log();
  expect_acceptances(2);
  EXPECT_EQ(updates_carried_out(), 1U);
  // And it is settled: the next start has nothing to say.
  EXPECT_EQ(bridge_->stop(), 0);
  EXPECT_THAT(bridge_->log(), testing::HasSubstr("replies_left=0"));
  start();
  ASSERT_TRUE(bridge_->wait_until_subscribed()) << bridge_->log();
  EXPECT_EQ(bridge_->stop(), 0);
  EXPECT_THAT(bridge_->log(), testing::Not(testing::HasSubstr("taken over from the journal")));
  expect_acceptances(2);
}

TEST_F(UnacknowledgedReplyTest, AtAnOrderlyEndIsCountedAndPublishedByTheNextStart) {
  ASSERT_TRUE(wait_until([&] { return heard().size() == 1; })) << bridge_->log();
  EXPECT_EQ(bridge_->stop(), 0);
  EXPECT_THAT(bridge_->log(), testing::HasSubstr("replies_left=1 replies_kept_in_journal=1"));
  acknowledges_ = true;
  start();
  ASSERT_TRUE(wait_until([&] { return heard().size() == 2; })) << bridge_->log();
  expect_acceptances(2);
  EXPECT_EQ(updates_carried_out(), 1U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
