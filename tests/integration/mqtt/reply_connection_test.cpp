#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/integration/mqtt/scripted_broker.h"

/// A broker that acknowledges late, as one under a flood does: replies go another way.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using Connection = ScriptedBroker::Connection;

/// Acknowledges late what comes from the first client, and at once what others send.
class LateBroker {
 public:
  enum class Second { taken, refused, ends_the_first };

  explicit LateBroker(Second second)
      : second_(second),
        scripted_([this](Connection& connection, std::size_t) { play(connection); },
                  ScriptedBroker::Takes::at_once) {}

  [[nodiscard]] std::uint16_t port() const { return scripted_.port(); }
  /// Topics that came from the client of that name, in order.
  [[nodiscard]] std::vector<std::string> from(const std::string& client) {
    const std::lock_guard lock(mutex_);
    return topics_[client];
  }
  [[nodiscard]] std::size_t seen(const std::string& client) {
    const std::lock_guard lock(mutex_);
    return seen_[client];
  }
  void be_quick() { quick_ = true; }

 private:
  void play(Connection& connection) {
    const auto connect = connection.read(Packet::connect);
    if (!connect) return;
    // Behind the protocol's name, its version, flags, the keep-alive and the properties.
    const auto at = 11U + static_cast<unsigned char>(connect->body.at(10));
    const auto client = connect->body.substr(at + 2, connect->number_at(at));
    {
      const std::lock_guard lock(mutex_);
      ++seen_[client];
    }
    const bool first = client == "bridge";
    const bool refuses = !first && second_ == Second::refused;
    connection.send(Packet::connack, std::string{0, static_cast<char>(refuses ? 0x87 : 0), 0});
    if (refuses) return;
    if (!first && second_ == Second::ends_the_first) end_first_ = true;
    if (first) end_first_ = false;
    while (true) {
      if (first && end_first_) return;
      if (!connection.has_data(10ms)) continue;
      const auto packet = connection.read();
      if (!packet) return;
      if (packet->type == Packet::pingreq) connection.send(Packet::pingresp, "");
      if (packet->type == Packet::subscribe) {
        connection.send(Packet::suback, packet->body.substr(0, 2) + std::string("\0\1", 2));
      }
      if (packet->type != Packet::publish) continue;
      {
        const std::lock_guard lock(mutex_);
        topics_[client].push_back(packet->topic());
      }
      if (first && !quick_) std::this_thread::sleep_for(250ms);  // the lateness itself
      connection.acknowledge(packet->publish_id());
    }
  }

  const Second second_;
  std::atomic<bool> quick_{false};
  std::atomic<bool> end_first_{false};
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> topics_;
  std::map<std::string, std::size_t> seen_;
  ScriptedBroker scripted_;
};

constexpr auto kSecond = "bridge-replies";

TEST(ReplyConnectionTest, RepliesGoApartOnceTheBrokerAcknowledgesLateAndStayInOrder) {
  LateBroker broker(LateBroker::Second::taken);
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start());
  std::size_t published = 0;
  ASSERT_TRUE(wait_until([&] {
    bridge.publish("out/" + std::to_string(published++), "x");
    EXPECT_TRUE(bridge.connection.drain(wait_limit));
    return !broker.from(kSecond).empty();
  })) << bridge.log.text();
  EXPECT_EQ(bridge.log.count("replies now go over a connection of their own"), 1U);
  auto all = broker.from("bridge");
  EXPECT_GE(all.size(), 2U);
  const auto apart = broker.from(kSecond);
  all.insert(all.end(), apart.begin(), apart.end());
  ASSERT_EQ(all.size(), published);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], "out/" + std::to_string(i));
  EXPECT_EQ(bridge.connection.state().connections, 1U);
}

TEST(ReplyConnectionTest, WhereASecondClientIsRefusedAllGoesOnOverTheFirst) {
  LateBroker broker(LateBroker::Second::refused);
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start());
  const auto publish = [&] {
    bridge.publish("out/x", "x");
    EXPECT_TRUE(bridge.connection.drain(wait_limit));
  };
  ASSERT_TRUE(wait_until([&] {
    publish();
    return bridge.log.count("the second connection for replies failed") > 0;
  })) << bridge.log.text();
  const auto before = broker.from("bridge").size();
  for (int i = 0; i < 4; ++i) publish();
  EXPECT_EQ(broker.from("bridge").size(), before + 4) << bridge.log.text();
  EXPECT_EQ(broker.seen(kSecond), 1U);
  EXPECT_EQ(bridge.log.count("the second connection for replies failed", Severity::warning), 1U);
  EXPECT_EQ(bridge.connection.state().connections, 1U);
}

TEST(ReplyConnectionTest, WhereASecondClientEndsTheFirstItIsGivenUp) {
  LateBroker broker(LateBroker::Second::ends_the_first);
  BridgeEnd bridge(settings_for(broker.port()));
  ASSERT_TRUE(bridge.start());
  ASSERT_TRUE(wait_until([&] {
    bridge.publish("out/x", "x");
    bridge.connection.drain(1s);
    return broker.seen(kSecond) == 2;
  })) << bridge.log.text();
  ASSERT_TRUE(wait_until([&] { return broker.seen("bridge") == 3; })) << bridge.log.text();
  ASSERT_TRUE(bridge.wait_until_subscribed());
  for (int i = 0; i < 4; ++i) {
    bridge.publish("out/y", "y");
    EXPECT_TRUE(bridge.connection.drain(wait_limit));
  }
  EXPECT_EQ(broker.seen(kSecond), 2U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
