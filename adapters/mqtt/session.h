#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/mqtt/broker_connection.h"
#include "adapters/mqtt/outbox.h"
#include "bridge/jobs/message.h"

namespace jobs_bridge::mqtt {

/// One connection to the broker, from connecting to its end: a Paho client that is used once.
///
/// A new client for every connection, because what Paho keeps of an old one does not help: its
/// automatic reconnect hides the new CONNACK (and with it the Receive Maximum and whether the
/// broker still has our session), and when the broker has lost the session Paho forgets what was
/// unacknowledged without saying so. The Outbox knows all that; Paho only moves bytes.
class Session {
 public:
  /// Called on Paho's threads with its lock held: must not block, nor throw. No more calls once the
  /// Session is destroyed.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void arrived(Message message) = 0;
    virtual void acknowledged(Outbox::Sequence sequence) = 0;
    /// The broker refuses it for good.
    virtual void refused(Outbox::Sequence sequence, const std::string& cause) = 0;
    virtual void lost(const std::string& cause) = 0;
  };

  /// Throws mqtt::exception only for settings that no connection can be made with.
  Session(const BrokerSettings& settings, Events& events);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Waits for callbacks in progress: never to be called from one.
  ~Session();

  /// Connects; says what went wrong. Blocks for the connect timeout at most, and not when
  /// `stopping` comes true.
  std::optional<std::string> connect(const std::function<bool()>& stopping);

  /// From the CONNACK.
  [[nodiscard]] bool session_present() const { return session_present_; }
  /// The most publications that may be unacknowledged.
  [[nodiscard]] std::size_t receive_maximum() const { return receive_maximum_; }
  /// The largest packet that the broker takes, in bytes.
  [[nodiscard]] std::size_t maximum_packet_size() const { return maximum_packet_size_; }

  struct Subscribed {
    std::vector<std::string> refused;  ///< filters, each with the broker's reason
    std::string fault;                 ///< the whole request failed; empty: it did not
  };
  /// Subscribes to all filters in one request, at QoS 1. Blocks for the connect timeout at most.
  Subscribed subscribe(const std::vector<std::string>& filters);

  enum class Handed { over, later, never };
  /// Gives a publication to Paho without waiting for anything but its lock. `later`: not taken now,
  /// but a later connection will. `never`: this one cannot be published; `cause` says why.
  Handed publish(Outbox::Sequence sequence, const Publication& publication, std::string& cause);

  /// Says good-bye, so that the broker publishes no will and keeps the session. Blocks for a second
  /// at most.
  void disconnect();

 private:
  class Client;
  std::unique_ptr<Client> client_;
  const BrokerSettings& settings_;
  bool session_present_ = false;
  std::size_t receive_maximum_ = 65535;
  std::size_t maximum_packet_size_ = 268435460;
};

}  // namespace jobs_bridge::mqtt
