#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/jobs/message.h"
#include "bridge/ports.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

struct BrokerSettings {
  enum class Protocol { v5, v3_1_1 };

  std::string host;
  std::uint16_t port = 1883;
  bool tls = false;
  Protocol protocol = Protocol::v5;
  std::string client_id;
  std::string username;  ///< empty: none
  std::string password;
  std::string ca_file;           ///< PEM; empty: the system's authorities
  std::string certificate_file;  ///< PEM, for mutual TLS; empty: none
  std::string private_key_file;
  /// How long the broker keeps our subscriptions, and what arrives on them, while we are away.
  /// Over MQTT 3.1.1, where there is no such number, anything but 0 means: as long as it likes.
  std::chrono::seconds session_expiry{3600};
  /// A link that is dead without a word is noticed within 1.5 times this.
  std::chrono::seconds keep_alive{15};
  std::chrono::seconds connect_timeout{5};
  /// Bounds of what waits to be published. Past one, the oldest reply is dropped.
  std::size_t max_queued_publications = 20000;
  std::size_t max_queued_bytes = std::size_t{64} << 20;
};

/// The connection to the local broker. It connects, subscribes and stays so: a broker that is not
/// there, or goes away, is tried again for ever, after pauses that grow from 0.1 to 10 seconds.
///
/// What was queued for publishing outlives the connection: it is sent once the broker is back, in
/// order, and again if its acknowledgement was lost. (At least once, as MQTT QoS 1 has it.)
class BrokerConnection final : public Publisher {
 public:
  using OnMessage = std::function<void(Message)>;

  /// `on_message` is called for every message, one at a time, on a thread of the MQTT library that
  /// holds the library's lock. It must not block and not throw; it may call queue() and flush().
  /// `log` must outlive the connection.
  BrokerConnection(BrokerSettings settings, std::vector<std::string> topic_filters,
                   OnMessage on_message, Log& log);
  BrokerConnection(const BrokerConnection&) = delete;
  BrokerConnection& operator=(const BrokerConnection&) = delete;
  ~BrokerConnection() override;

  /// Returns at once; connecting goes on in the background.
  void start();

  void queue(Publication publication) override;
  void flush() override;

  struct State {
    bool connected = false;
    /// Connected, and the broker has granted every subscription.
    bool subscribed = false;
    std::size_t connections = 0;  ///< how often it has connected
    std::size_t waiting = 0;      ///< publications that have not been sent
    std::size_t unacknowledged = 0;
    std::size_t dropped = 0;           ///< publications that will never be sent: no room, too large
    std::vector<std::string> refused;  ///< topic filters that the broker did not grant
    std::string last_fault;            ///< why the last attempt or connection ended
  };
  [[nodiscard]] State state() const;

  /// Waits until everything queued has been acknowledged; false if that took too long.
  bool drain(Duration patience);

  /// Disconnects and keeps the session. After it has returned `on_message` is not called again.
  /// To be called by the owner, never from `on_message`.
  void stop();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace jobs_bridge::mqtt
