#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/sanitized.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class ConcurrencyTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, ConcurrencyTest,
                         testing::Values(Protocol::v5, Protocol::v3_1_1), protocol_name);

/// As the dispatcher does it: workers take the engine's lock, queue under it and flush after it;
/// the callback, with Paho's lock held, takes the engine's lock, queues and flushes as well.
TEST_P(ConcurrencyTest, CallbackAndWorkersAtFullSpeedNeitherDeadlockNorMixUpTheOrder) {
  MosquittoBroker broker({.configuration = "max_queued_messages 0\nmax_inflight_messages 0"});
  std::mutex engine;
  int echoed = 0;
  BridgeEnd bridge(settings_for(broker.port(), GetParam()), {"in/#"},
                   [&](BrokerConnection& connection, const Message&) {
                     {
                       const std::lock_guard lock(engine);
                       connection.queue({.topic = "out/echo", .payload = std::to_string(echoed++)});
                     }
                     connection.flush();
                   });
  ASSERT_TRUE(bridge.start());
  MqttDevice listener({.port = broker.port(), .client_id = "listener"});
  listener.subscribe("out/#");
  MqttDevice device({.port = broker.port()});

  constexpr int workers = 4;
  constexpr int each = 3000;
  std::vector<std::thread> threads;
  for (int worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      for (int i = 0; i < each; ++i) {
        {
          const std::lock_guard lock(engine);
          bridge.connection.queue(
              {.topic = "out/" + std::to_string(worker), .payload = std::to_string(i)});
        }
        bridge.connection.flush();
      }
    });
  }
  for (int i = 0; i < each; ++i) device.publish("in/a", "x");
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(bridge.wait_for(each));
  ASSERT_TRUE(bridge.connection.drain(60s));
  ASSERT_TRUE(listener.wait_for((workers + 1) * each, 60s)) << listener.count();
  std::map<std::string, int> next;
  for (const auto& message : listener.received()) {
    EXPECT_EQ(message.payload, std::to_string(next[message.topic]++)) << message.topic;
  }
}

/// queue() and flush() of a worker while the broker answers nothing: a callback that came now would
/// have to wait for them.
TEST_P(ConcurrencyTest, QueueAndFlushDoNotWaitForABrokerThatHangs) {
  MosquittoBroker broker;
  BridgeEnd bridge(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  broker.freeze();
  auto longest = steady_clock::duration::zero();
  for (int i = 0; i < 2000; ++i) {
    const auto before = steady_clock::now();
    bridge.publish("out/a", std::string(10000, 'x'));
    longest = std::max(longest, steady_clock::now() - before);
  }
  EXPECT_LT(longest, 1s);
  broker.thaw();
  EXPECT_TRUE(bridge.connection.drain(wait_limit));
}

TEST_P(ConcurrencyTest, NoCallbackAfterStopInAFlood) {
  MosquittoBroker broker({.configuration = "max_queued_messages 0\nmax_inflight_messages 0"});
  std::atomic<bool> stopped = false;
  std::atomic<bool> late = false;
  BridgeEnd bridge(settings_for(broker.port(), GetParam()), {"in/#"},
                   [&](BrokerConnection& connection, const Message& message) {
                     if (stopped) late = true;
                     echo(connection, message);
                   });
  ASSERT_TRUE(bridge.start());
  std::atomic<bool> enough = false;
  std::thread flood([&] {
    MqttDevice device({.port = broker.port()});
    while (!enough) {
      for (int i = 0; i < 100; ++i) device.publish("in/a", "x");
      device.flush();
    }
  });
  ASSERT_TRUE(bridge.wait_for(1000));
  const auto before = steady_clock::now();
  bridge.connection.stop();
  stopped = true;
  EXPECT_LT(steady_clock::now() - before, 3s * slowdown);
  const auto came = bridge.messages().size();
  // Queueing goes on to be allowed, and the broker has more for us.
  bridge.publish("out/late", "");
  enough = true;
  flood.join();
  EXPECT_EQ(bridge.messages().size(), came);
  EXPECT_FALSE(late);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
