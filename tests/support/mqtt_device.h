#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/process.h"

namespace jobs_bridge::testing_support {

/// A device: an MQTT client that is not Paho. What came stays in order until next() or take()
/// removes it. Any thread may use it. Everything throws std::exception when the broker refuses.
/// Under a sanitizer it waits longer than it is told to, by what everything takes longer then.
class MqttDevice {
 public:
  struct Options {
    unsigned short port = 0;
    bool version_5 = true;
    std::string ca_file = {};  ///< not empty: TLS
    std::string certificate_file = {};
    std::string private_key_file = {};
    std::string client_id = "device";
    std::string username = {};
    std::string password = {};
    /// Its session outlives its connection, which every device takes up again by itself: it misses
    /// nothing that a persistent broker keeps for it. Without this its subscriptions are lost.
    bool persistent = false;
  };
  struct Received {
    std::string topic;
    std::string payload;
    int qos = 0;
    bool retained = false;
    std::string correlation_data = {};
    std::string content_type = {};
    std::vector<std::pair<std::string, std::string>> user_properties = {};
  };
  struct Properties {
    std::string response_topic = {};
    std::string correlation_data = {};
    std::string content_type = {};
    std::optional<std::chrono::seconds> expires_after = {};
    std::vector<std::pair<std::string, std::string>> user_properties = {};
  };
  using Predicate = std::function<bool(const Received&)>;

  /// Returns when it is connected.
  explicit MqttDevice(Options options);
  ~MqttDevice();
  MqttDevice(const MqttDevice&) = delete;
  MqttDevice& operator=(const MqttDevice&) = delete;

  /// Returns when the broker has granted it.
  void subscribe(const std::string& filter, int qos = 1,
                 std::chrono::milliseconds limit = wait_limit);
  /// Returns at once.
  void publish(const std::string& topic, std::string_view payload, int qos = 1,
               bool retained = false);
  /// With properties of MQTT 5.
  void publish(const std::string& topic, std::string_view payload, const Properties& properties,
               int qos = 1);
  /// Waits until the broker has acknowledged all that was published.
  bool flush(std::chrono::milliseconds limit = wait_limit);

  /// What came and has not been taken, in order.
  [[nodiscard]] std::vector<Received> received() const;
  /// How many came in all.
  [[nodiscard]] std::size_t count() const;
  /// Waits until that many have come in all.
  bool wait_for(std::size_t count, std::chrono::milliseconds limit = wait_limit);
  /// Takes the oldest message; waits for one if there is none.
  std::optional<Received> next(std::chrono::milliseconds limit = wait_limit);
  /// Takes the oldest message for which the predicate holds; waits for one if there is none.
  std::optional<Received> take(const Predicate& predicate,
                               std::chrono::milliseconds limit = wait_limit);

 private:
  class Client;
  std::unique_ptr<Client> client_;
};

}  // namespace jobs_bridge::testing_support
