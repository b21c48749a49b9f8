#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/mqtt/session.h"

namespace jobs_bridge::mqtt {

/// What a Session needs of an MQTT library: one connection, used once. It is implemented in the
/// folder named after the library.
///
/// The library only transports packets: it must not reconnect, resend or delay a publication by
/// itself. It acknowledges a message at QoS 1 only after Events::arrived() has returned: the
/// message that the broker may then forget is in the journal.
class Session::Client {
 public:
  /// See Session's constructor; uses the library chosen in the settings. Throws std::exception for
  /// settings that no connection can be made with.
  static std::unique_ptr<Client> make(Wanted wanted, const std::string& address, Events& events);

  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// Waits for callbacks in progress, so it must not be called from one.
  virtual ~Client() = default;

  /// The contents of a CONNACK; what it does not contain is absent, as always over MQTT 3.1.1.
  struct Connack {
    bool session_present = false;
    std::optional<std::uint16_t> receive_maximum;
    std::optional<std::uint32_t> maximum_packet_size;
    std::optional<std::uint8_t> maximum_qos;
    std::optional<std::chrono::seconds> server_keep_alive;  ///< 0: the broker uses none
    std::optional<std::chrono::seconds> session_expiry;     ///< replaces the one that we requested
    bool retained_messages = true;
    bool wildcard_subscriptions = true;
    bool subscription_identifiers = true;
    bool shared_subscriptions = true;
  };
  struct Outcome {
    std::optional<Connack> accepted = {};
    std::optional<BrokerFault> fault =
        {};  ///< why it is not connected; nothing: the library does not tell
  };
  /// Blocks for a little more than the connect timeout at most, and returns early when `stopping`
  /// becomes true.
  virtual Outcome connect(const std::function<bool()>& stopping) = 0;

  /// The keep-alive in our CONNECT: chosen so that the library pings often enough, and so less than
  /// the setting.
  [[nodiscard]] virtual std::chrono::seconds keep_alive() const = 0;

  /// Sends a request for each filter; the answers come as one event. Returns the library's error
  /// text if it cannot be sent.
  virtual std::optional<std::string> subscribe() = 0;

  /// The publication has been checked already. See Sender::Link for this and the next function.
  virtual Sender::Link::Handed publish(Outbox::Sequence sequence, const Publication& publication,
                                       int qos, Refusal& why) noexcept = 0;
  virtual void send_gathered() noexcept = 0;

  /// Sends DISCONNECT, without waiting for acknowledgements. Blocks for a second at most.
  virtual void disconnect() noexcept = 0;
};

/// One for each library that is built. See Client::make().
std::unique_ptr<Session::Client> make_paho_client(Session::Wanted wanted,
                                                  const std::string& address,
                                                  Session::Events& events);
std::unique_ptr<Session::Client> make_mosquitto_client(Session::Wanted wanted,
                                                       const std::string& address,
                                                       Session::Events& events);

}  // namespace jobs_bridge::mqtt
