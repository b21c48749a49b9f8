#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace jobs_bridge::testing_support {

/// An MQTT packet, as far as these tests look into it.
struct Packet {
  enum Type : std::uint8_t {
    connect = 1,
    connack = 2,
    publish = 3,
    puback = 4,
    subscribe = 8,
    suback = 9,
    pingreq = 12,
    pingresp = 13,
    disconnect = 14
  };
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::string body;

  /// The two bytes at `offset` of the body as a number; 0 if there are none: the bridge looks what
  /// answers there, and says things that are no MQTT.
  [[nodiscard]] std::uint16_t number_at(std::size_t offset) const;
  /// Of a PUBLISH at QoS 1.
  [[nodiscard]] std::string topic() const;
  [[nodiscard]] std::uint16_t publish_id() const;
};

/// A broker whose every byte a test decides, for what a real one cannot be made to do. It takes one
/// connection after another, or all at once, and plays the script with each.
class ScriptedBroker {
 public:
  /// One connection, seen from the broker. Used by the script's thread.
  class Connection {
   public:
    explicit Connection(int socket) : socket_(socket) {}
    /// The next packet; nothing: the client has closed, or said nothing for ten seconds.
    std::optional<Packet> read();
    /// The next packet of this type; PINGREQs on the way are answered, others are skipped.
    std::optional<Packet> read(Packet::Type type);
    /// Whether the client sends something within this time.
    bool has_data(std::chrono::milliseconds limit);
    void send(std::uint8_t type, std::string_view body);
    void send_with_flags(std::uint8_t type, std::uint8_t flags, std::string_view body);
    /// Sends these bytes unchanged, whether they are a packet or not. False if the client has
    /// disconnected.
    bool send_bytes(std::string_view bytes);
    /// Takes a CONNECT and accepts it; `properties` are a CONNACK's of MQTT 5, without their
    /// length. Over 3.1.1: nullopt.
    void accept(const std::optional<std::string>& properties = "", bool session_present = false);
    /// Takes a SUBSCRIBE and answers with these codes, one for each filter.
    void answer_subscribe(std::string_view codes, bool mqtt_5 = true);
    /// MQTT 5: with a reason.
    void acknowledge(std::uint16_t id, std::uint8_t reason = 0);

   private:
    bool read_exactly(char* data, std::size_t size);
    int socket_;
  };
  using Script = std::function<void(Connection&, std::size_t number)>;

  enum class Takes { one_by_one, at_once };
  /// With `at_once` the script runs in a thread for each connection.
  explicit ScriptedBroker(Script script, Takes takes = Takes::one_by_one);
  ~ScriptedBroker();
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  void run(const Script& script);
  void serve(const Script& script, int socket, std::size_t number);

  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<std::size_t> connections_{0};
  std::mutex mutex_;
  bool ending_ = false;
  std::set<int> open_;
  const Takes takes_;
  std::vector<std::thread> at_once_;  ///< the thread's own
  std::thread thread_;
};

}  // namespace jobs_bridge::testing_support
