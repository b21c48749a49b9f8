#include <chrono>
#include <csignal>
#include <iostream>

#include "tests/fault/updates.h"
#include "tests/support/wait_until.h"

/// Brokers that go away, freeze, or do not let everything pass.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Once the device is connected again. What it sends before it has noticed that the broker went
/// away is lost, so no try may wait for long.
bool subscribe_again(MqttDevice& device) {
  return wait_until([&] {
    try {
      device.subscribe("$aws/things/+/jobs/+/update/accepted", 1, 2s);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  });
}

TEST(BrokerFaultTest, AfterEachOfTenRestartsMessagesAreSeenToFlowAndUpdatesAreDelivered) {
  TemporaryDirectory directory;
  Site site({.settings = {"journal.path=" + directory.file("journal")},
             .broker = {.persistence = true, .configuration = "max_queued_messages 0"},
             .persistent_device = true});
  Updates updates(site, 20);
  const auto all_arrived = [&] {
    return wait_until([&] { return updates.arrived().whole == updates.sent(); }, 30s);
  };
  for (std::size_t restart = 1; restart <= 10; ++restart) {
    for (const auto& thing : updates.things()) updates.send(thing);
    ASSERT_TRUE(site.device->flush());
    // What the broker has taken it passes on after an orderly end; a kill loses what it had not
    // written, and that is the broker's affair.
    const bool orderly = restart % 2 == 0;
    if (!orderly) {
      ASSERT_TRUE(all_arrived());
    }
    site.broker->stop(orderly ? SIGTERM : SIGKILL);
    site.broker->start();
    // With its sessions it has lost what the device subscribed to.
    if (!orderly) {
      ASSERT_TRUE(subscribe_again(*site.device));
    }
    ASSERT_TRUE(wait_until(
        [&] { return count_of(site.bridge->log(), "messages flow again") == restart; }, 20s))
        << site.bridge->log();
    ASSERT_TRUE(all_arrived()) << "after restart " << restart << ": " << updates.arrived().whole
                               << " of " << updates.sent();
  }
  const auto arrived = updates.arrived();
  std::cout << "10 restarts of the broker: " << updates.sent() << " updates, " << arrived.whole
            << " carried out, " << arrived.repeated << " of them more than once, "
            << arrived.out_of_order << " out of order, " << site.device->count() << " replies\n";
  EXPECT_EQ(arrived.whole, updates.sent());
  EXPECT_EQ(arrived.out_of_order, 0U);
}

TEST(BrokerFaultTest, ALinkThatDiesSilentlyIsNoticedWithinOneAndAHalfKeepAlives) {
  Site site({.settings = {"broker.keep_alive=4s", "log.level=debug"}});
  ASSERT_TRUE(site.bridge->process().wait_for_output("messages flow"));
  const auto id = site.broker->process().id();
  kill(id, SIGSTOP);
  const auto frozen = std::chrono::steady_clock::now();
  EXPECT_TRUE(site.bridge->process().wait_for_output("the connection to the broker is lost", 20s));
  const auto noticed = std::chrono::steady_clock::now() - frozen;
  kill(id, SIGCONT);
  std::cout << "a broker that froze was noticed after "
            << std::chrono::duration<double>(noticed).count() << " s with a keep-alive of 4 s\n";
  EXPECT_LT(noticed, 6s);
  EXPECT_TRUE(site.bridge->process().wait_for_output("messages flow again", 20s))
      << site.bridge->log();
  EXPECT_TRUE(site.start_next("lamp").topic.ends_with("/accepted"));
}

TEST(BrokerFaultTest, ABrokerThatRefusesTheCanaryIsServedWithoutAndTheCureIsNamed) {
  for (const bool mqtt_5 : {true, false}) {
    Site site({.wires = {.mqtt_5 = mqtt_5},
               .settings = {"broker.keep_alive=4s"},
               .broker = {.acl = "topic readwrite $aws/#\n"}});
    EXPECT_TRUE(site.bridge->process().wait_for_output("cannot tell whether messages flow", 30s))
        << site.bridge->log();
    EXPECT_THAT(site.bridge->log(), HasSubstr("broker.canary_topic"));
    EXPECT_TRUE(site.start_next("lamp").topic.ends_with("/accepted"));
    EXPECT_EQ(count_of(site.bridge->log(), "ready for requests"), 1U) << "it stays connected";
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
