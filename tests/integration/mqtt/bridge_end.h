#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/mqtt/broker_connection.h"
#include "tests/support/process.h"
#include "tests/support/recording_log.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {

using mqtt::BrokerConnection;
using mqtt::BrokerFault;
using mqtt::BrokerSettings;
using Kind = BrokerFault::Kind;
using Protocol = BrokerSettings::Protocol;

/// As the environment would have it for a bridge.
inline mqtt::Library library_under_test() {
  const char* const name = std::getenv("JOBS_BRIDGE_BROKER_LIBRARY");
  if (name == nullptr) return mqtt::default_library;
  return std::string_view(name) == "paho" ? mqtt::Library::paho : mqtt::Library::mosquitto;
}

inline BrokerSettings settings_for(std::uint16_t port, Protocol protocol = Protocol::v5) {
  BrokerSettings settings;
  settings.host = "127.0.0.1";
  settings.port = port;
  settings.protocol = protocol;
  settings.library = library_under_test();
  settings.client_id = "bridge";
  return settings;
}

/// For the names of parameterised tests.
inline std::string protocol_name(const testing::TestParamInfo<Protocol>& parameter) {
  return parameter.param == Protocol::v5 ? "V5" : "V311";
}

/// The bridge's side of the broker: the connection under test, its log and what has come.
class BridgeEnd {
 public:
  using OnMessage = std::function<void(BrokerConnection&, const Message&)>;

  /// `on_message` is called after the message was counted.
  explicit BridgeEnd(BrokerSettings settings, std::vector<std::string> filters = {"in/#"},
                     OnMessage on_message = nullptr)
      : on_message_(std::move(on_message)),
        connection(
            std::move(settings), std::move(filters),
            [this](Message message) { take(std::move(message)); }, loop_, log) {}

  /// Starts the connection and waits until requests can come.
  bool start() {
    connection.start();
    return wait_until_subscribed();
  }
  bool wait_until_subscribed() {
    return wait_until([&] { return connection.state().subscribed; }, wait_limit);
  }
  bool wait_until_flowing() {
    return wait_until([&] { return connection.state().flowing; }, wait_limit);
  }
  bool wait_until_disconnected() {
    return wait_until([&] { return !connection.state().connected; }, wait_limit);
  }
  void publish(std::string topic, std::string payload) {
    connection.queue({.topic = std::move(topic), .payload = std::move(payload)});
    connection.flush();
  }

  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, wait_limit, [&] { return messages_.size() >= count; });
  }
  std::vector<Message> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }

 private:
  void take(Message message) {
    {
      const std::lock_guard lock(mutex_);
      messages_.push_back(message);
      changed_.notify_all();
    }
    if (on_message_) on_message_(connection, message);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Message> messages_;
  const OnMessage on_message_;
  fibers::EventLoop loop_;

 public:
  RecordingLog log;
  BrokerConnection connection;  ///< last: its callbacks use the rest
};

/// Starts it and says why it does not come to a connection; a failure if it does.
inline BrokerFault fault_of(BridgeEnd& bridge) {
  bridge.connection.start();
  EXPECT_TRUE(wait_until([&] { return bridge.connection.state().fault.has_value(); }, wait_limit));
  EXPECT_EQ(bridge.connection.state().connections, 0U);
  return bridge.connection.state().fault.value_or(BrokerFault{Kind::interrupted});
}

/// Sends every message back on out/..., as the bridge does a reply.
inline void echo(BrokerConnection& connection, const Message& message) {
  connection.queue({.topic = "out/" + message.topic.substr(message.topic.find('/') + 1),
                    .payload = message.payload,
                    .correlation_data = message.correlation_data});
  connection.flush();
}

}  // namespace jobs_bridge::testing_support
