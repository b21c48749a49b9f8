#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;

namespace jobs_bridge::testing_support {

/// A device: an MQTT client that is not Paho. It connects again by itself and takes up its
/// subscriptions again. Any thread may use it. Everything throws std::runtime_error when the broker
/// refuses or does not answer.
class Device {
 public:
  struct Options {
    std::uint16_t port = 0;
    bool mqtt_5 = true;
    std::string client_id = "device";
    std::string username = {};
    std::string password = {};
    std::string ca_file = {};  ///< not empty: TLS
    /// The broker keeps its session, and with a persistent one all that it was sent meanwhile.
    bool lasting = false;
  };
  struct Message {
    std::string topic;
    std::string payload;
    int qos = 1;
    bool retained = false;
    std::string response_topic = {};
    std::string correlation_data = {};
  };

  /// Returns when it is connected.
  explicit Device(Options options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Returns when the broker has granted it.
  void subscribe(const std::string& filter, int qos = 1);
  /// Returns at once.
  void publish(const Message& message);
  void publish(const std::string& topic, const std::string& payload) {
    publish(Message{.topic = topic, .payload = payload});
  }
  /// Waits until the broker has acknowledged all that was published.
  bool flush(std::chrono::milliseconds limit = patience);

  /// How many have come in all.
  [[nodiscard]] std::size_t count() const;
  bool wait_for(std::size_t count, std::chrono::milliseconds limit = patience);
  /// Takes the oldest, waiting for one if there is none.
  std::optional<Message> next(std::chrono::milliseconds limit = patience);
  /// Takes all that have come.
  std::vector<Message> take_all();

 private:
  struct Callbacks;
  friend struct Callbacks;

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Message> messages_;
  std::size_t count_ = 0;
  std::size_t published_ = 0;
  std::size_t acknowledged_ = 0;
  std::vector<std::pair<std::string, int>> subscriptions_;
  std::optional<int> connack_;
  std::optional<int> suback_;
  std::unique_ptr<mosquitto, void (*)(mosquitto*)> client_;
};

}  // namespace jobs_bridge::testing_support
