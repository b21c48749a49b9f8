#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <set>

#include "tests/integration/bridge/site.h"
#include "tests/support/process_usage.h"
#include "tests/support/sanitized.h"

namespace jobs_bridge::testing_support {
namespace {

class LoadOverTest : public testing::TestWithParam<Wires> {};

INSTANTIATE_TEST_SUITE_P(Wires, LoadOverTest, testing::ValuesIn(all_wires()),
                         [](const auto& test) { return to_string(test.param); });

/// The broker's limits are its own: 20 replies on their way, 1,000 messages waiting.
TEST_P(LoadOverTest, ThousandThingsAtOnceOnADefaultBrokerAllHearTheirOwnReplyOnce) {
  Site site({.wires = GetParam(),
             .settings = {"limits.deadline=60s"},
             .endpoint_arguments = {"--things", "lamp:1000:1"},
             .broker = {.no_delay = false}});
  const auto devices = site.connect_device("devices");
  constexpr std::size_t count = 1000;
  for (std::size_t i = 1; i <= count; ++i) {
    const auto thing = "lamp-" + std::to_string(i);
    devices->publish(start_next_topic(thing), asked_by(thing));
  }
  ASSERT_TRUE(devices->flush());
  ASSERT_TRUE(site.device->wait_for(count)) << site.device->count();
  std::set<std::string> things;
  while (!site.device->received().empty()) {
    const auto reply = site.device->next();
    const auto payload = payload_of(*reply);
    ASSERT_TRUE(payload.contains("execution")) << reply->payload;
    const auto thing = payload["execution"]["statusDetails"]["asker"].get<std::string>();
    EXPECT_EQ(payload["clientToken"], thing);
    EXPECT_EQ(reply->topic, start_next_topic(thing) + "/accepted");
    things.insert(thing);
  }
  EXPECT_EQ(things.size(), count);
  EXPECT_TRUE(site.has_no_more_replies());
  EXPECT_EQ(site.endpoint->start_next_calls().size(), count + 1);
}

/// The quota holds back nearly each of them, for 5 ms, while nothing else happens that would cause
/// a wake-up. A request without a wake-up waits for seconds.
TEST(LoadTest, OneRequestAfterAnotherIsHeldBackByItsQuotaAlone) {
  using std::chrono::steady_clock;
  Site site({.settings = {"limits.writes_per_second=200"}});
  site.start_next("lamp");  // connects
  auto longest = steady_clock::duration::zero();
  for (int i = 0; i < 2000; ++i) {
    const auto asked = steady_clock::now();
    site.start_next("lamp");
    longest = std::max(longest, steady_clock::now() - asked);
  }
  std::cout << "longest " << std::chrono::duration_cast<std::chrono::milliseconds>(longest).count()
            << " ms" << std::endl;
  EXPECT_LT(longest, std::chrono::seconds(1));
}

TEST(LoadTest, CallsInFlightNeverExceedTheConnections) {
  Site site({.settings = {"endpoint.connections=7", "limits.deadline=60s"}});
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 20}});
  constexpr std::size_t count = 200;
  for (std::size_t i = 0; i < count; ++i) {
    site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
  }
  ASSERT_TRUE(site.device->wait_for(count));
  std::set<int> connections;
  for (const auto& call : site.endpoint->start_next_calls()) {
    connections.insert(call["connection"].get<int>());
  }
  EXPECT_EQ(connections.size(), 7U);  // all of them, and kept alive
}

TEST(LoadTest, FaultsLeaveNoDescriptorsThreadsOrMemoryBehind) {
  Site site({.settings = {"endpoint.connections=8", "limits.deadline=60s"}});
  const auto id = site.bridge->process().id();
  const auto entries = [&](const std::string& folder) {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(id) + "/" + folder);
    return std::distance(begin(all), end(all));
  };
  nlohmann::json faults = nlohmann::json::array();
  for (const auto* kind : {"reset", "truncate", "garbage", "close_idle", "extra_bytes"}) {
    faults.push_back({{"kind", kind}, {"probability", 0.2}});
  }
  site.endpoint->set_fault(faults);
  const auto ask_all = [&] {
    const auto before = site.device->count();
    constexpr std::size_t count = 1000;
    for (std::size_t i = 0; i < count; ++i) {
      site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
    }
    return site.device->wait_for(before + count);
  };
  ASSERT_TRUE(ask_all());  // now everything is there that ever will be
  const auto descriptors = entries("fd");
  const auto threads = entries("task");
  const auto memory = resident_memory(id);
  for (int round = 0; round < 4; ++round) ASSERT_TRUE(ask_all());
  EXPECT_LE(entries("fd"), descriptors + 8);  // connections come and go
  EXPECT_LE(entries("task"), threads);
  EXPECT_LE(resident_memory(id), memory_bound(memory + (4U << 20)));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
