#include <chrono>
#include <csignal>
#include <iostream>
#include <random>
#include <set>
#include <string>

#include "tests/fault/updates.h"
#include "tests/support/sanitized.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

/// Updates that were rejected, as their devices hear it. A disk that does not complete a write in
/// time, as on a machine with much else to do, costs updates and says so: that is no loss.
class Rejections {
 public:
  explicit Rejections(const Site& site)
      : device_({.port = site.broker->port(), .client_id = "rejections"}) {
    device_.subscribe("$aws/things/+/jobs/+/update/rejected");
  }
  [[nodiscard]] std::size_t by_the_disk() const {
    std::set<std::string> tokens;
    for (const auto& reply : device_.received()) {
      if (is_by_the_disk(reply)) tokens.insert(token_of(reply));
    }
    return tokens.size();
  }
  [[nodiscard]] bool has_heard_of(const std::string& thing) const {
    return std::ranges::any_of(device_.received(), [&](const auto& reply) {
      return reply.topic.starts_with("$aws/things/" + thing + "/");
    });
  }
  /// One that was rejected for another reason; empty: none was.
  [[nodiscard]] std::string others() const {
    for (const auto& reply : device_.received()) {
      const bool is_last = reply.topic.starts_with("$aws/things/last/");
      if (!is_last && !is_by_the_disk(reply)) return reply.topic + " " + reply.payload;
    }
    return "";
  }

 private:
  static bool is_by_the_disk(const MqttDevice::Received& reply) {
    return reply.payload.find("waiting for its disk") != std::string::npos;
  }
  MqttDevice device_;
};

TEST(KillTest, TwoHundredKillsUnderLoadLoseNoUpdateAndKeepTheOrder) {
  TemporaryDirectory directory;
  Site site({.settings = {"journal.path=" + directory.file("journal"), "log.level=info"}});
  Updates updates(site, 20);
  const Rejections rejections(site);
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 2}, {"jitter_ms", 10}});
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same test every time
  constexpr int kills = 200;
  for (int kill = 0; kill < kills; ++kill) {
    const auto replies = site.device->count();
    const auto count = 10 + random() % 50;
    for (std::size_t i = 0; i < count; ++i) {
      updates.send(updates.things()[random() % updates.things().size()]);
    }
    // Somewhere between the first and the last of them.
    site.device->wait_for(replies + 1 + random() % count, 5s);
    site.bridge->process().signal(SIGKILL);
    site.bridge->process().wait();
    site.bridge.emplace(site.bridge_settings());
  }
  ASSERT_TRUE(site.device->flush());
  EXPECT_TRUE(wait_until(
      [&] { return updates.arrived().whole + rejections.by_the_disk() >= updates.sent(); }, 30s))
      << site.bridge->log();
  const auto arrived = updates.arrived();
  std::cout << kills << " kills, " << updates.sent() << " updates: " << arrived.whole
            << " carried out, " << arrived.repeated << " of them more than once, "
            << arrived.out_of_order << " out of order, " << rejections.by_the_disk()
            << " refused by a disk that was too busy, " << site.device->count() << " replies\n";
  EXPECT_GE(arrived.whole + rejections.by_the_disk(), updates.sent());
  EXPECT_EQ(rejections.others(), "");
  EXPECT_EQ(arrived.out_of_order, 0U);
}

TEST(KillTest, TwentyFiveThousandHeldUpdatesAreTakenOverInTime) {
  TemporaryDirectory directory;
  Site site({.settings = {"journal.path=" + directory.file("journal"), "log.level=info",
                          "limits.queue=30000", "limits.queue_per_thing=100"}});
  Updates updates(site, 500);
  const Rejections rejections(site);
  site.endpoint->set_fault({{"kind", "reset"}});
  for (int i = 0; i < 50; ++i) {
    for (const auto& thing : updates.things()) updates.send(thing);
    ASSERT_TRUE(site.device->flush());
  }
  // All of them have been handed over once the last message, which is no JSON, has its reply.
  site.device->publish("$aws/things/last/jobs/job-1/update", "{");
  ASSERT_TRUE(site.device->take([](const auto& reply) {
    return reply.topic == "$aws/things/last/jobs/job-1/update/rejected";
  }));
  ASSERT_TRUE(wait_until([&] { return rejections.has_heard_of("last"); }));
  site.bridge->process().signal(SIGKILL);
  site.bridge->process().wait();
  const auto start = std::chrono::steady_clock::now();
  // Not ready, for the endpoint is down; but it serves: this is no JSON.
  site.bridge.emplace(site.bridge_settings(), BridgeProcess::Wait::until_subscribed);
  site.device->publish("$aws/things/last/jobs/job-1/update", "{");
  ASSERT_TRUE(site.device->take([](const auto& reply) {
    return reply.topic == "$aws/things/last/jobs/job-1/update/rejected";
  }));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);
  const auto held = 25000 - rejections.by_the_disk();
  EXPECT_TRUE(site.bridge->process().wait_for_output("updates=" + std::to_string(held)))
      << site.bridge->log();
  std::cout << held << " updates in the journal (of 25,000; a disk that was too busy refused the "
            << "others): ready after " << took.count() << " ms\n";
  EXPECT_EQ(rejections.others(), "");
  EXPECT_LT(took, 10s * slowdown) << "2 s are promised, on a machine with nothing else to do";
  site.endpoint->clear_faults();
  EXPECT_TRUE(wait_until([&] { return updates.arrived().whole == held; }, 120s));
  EXPECT_EQ(updates.arrived().out_of_order, 0U);
}

TEST(KillTest, AfterAnOrderlyEndTheNextStartDeliversWhatWasLeftToTheJournal) {
  TemporaryDirectory directory;
  Site site({.settings = {"journal.path=" + directory.file("journal"), "log.level=info"}});
  Updates updates(site, 50);
  site.endpoint->set_fault({{"kind", "reset"}});
  for (const auto& thing : updates.things()) updates.send(thing);
  ASSERT_TRUE(site.device->flush());
  ASSERT_TRUE(wait_until([&] { return site.endpoint->calls().at("total") > 4; }));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(site.bridge->stop(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  EXPECT_THAT(site.bridge->log(), testing::HasSubstr("updates_left_in_journal=50"));
  EXPECT_EQ(site.device->count(), 0U) << "their outcome is not known";
  site.endpoint->clear_faults();
  site.bridge.emplace(site.bridge_settings());
  EXPECT_TRUE(site.device->wait_for(50));
  EXPECT_EQ(updates.arrived().whole, 50U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
