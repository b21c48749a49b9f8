#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/mqtt/session.h"

namespace jobs_bridge::mqtt {

/// What a Session needs of an MQTT library: one connection, used once. The folder named after the
/// library has it.
///
/// The library only moves bytes: it must not connect again, nor send again, nor keep back a
/// publication by itself. It acknowledges a message at QoS 1 only once Events::arrived() has
/// returned: what the broker may forget is then in the journal.
class Session::Client {
 public:
  /// As Session has it, with the library of the settings. Throws std::exception for settings that
  /// no connection can be made with.
  static std::unique_ptr<Client> make(Wanted wanted, const std::string& address, Events& events);

  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// Waits for callbacks in progress: never to be called from one.
  virtual ~Client() = default;

  /// What a CONNACK says; of what it does not say there is nothing, as always over MQTT 3.1.1.
  struct Connack {
    bool session_present = false;
    std::optional<std::uint16_t> receive_maximum;
    std::optional<std::uint32_t> maximum_packet_size;
    std::optional<std::uint8_t> maximum_qos;
    std::optional<std::chrono::seconds> server_keep_alive;  ///< 0: it uses none
    std::optional<std::chrono::seconds> session_expiry;     ///< in place of what we ask for
    bool retained_messages = true;
    bool wildcard_subscriptions = true;
    bool subscription_identifiers = true;
    bool shared_subscriptions = true;
  };
  struct Outcome {
    std::optional<Connack> accepted = {};
    std::optional<BrokerFault> fault = {};  ///< why it is not; nothing: the library does not say
  };
  /// Blocks for a little more than the connect timeout at most, and not when `stopping` comes true.
  virtual Outcome connect(const std::function<bool()>& stopping) = 0;

  /// What our CONNECT carries: what a library needs to ping often enough, so less than the settings
  /// say.
  [[nodiscard]] virtual std::chrono::seconds keep_alive() const = 0;

  /// A request for each filter; the answers come as one event. Says what went wrong if it cannot be
  /// sent, in the library's words.
  virtual std::optional<std::string> subscribe() = 0;

  /// The publication has been checked. As Sender::Link has both.
  virtual Sender::Link::Handed publish(Outbox::Sequence sequence, const Publication& publication,
                                       int qos, Refusal& why) noexcept = 0;
  virtual void send_gathered() noexcept = 0;

  /// Says good-bye, without waiting for acknowledgements. Blocks for a second at most.
  virtual void disconnect() noexcept = 0;
};

/// One for each library, where it is built. As Client::make().
std::unique_ptr<Session::Client> make_paho_client(Session::Wanted wanted,
                                                  const std::string& address,
                                                  Session::Events& events);
std::unique_ptr<Session::Client> make_mosquitto_client(Session::Wanted wanted,
                                                       const std::string& address,
                                                       Session::Events& events);

}  // namespace jobs_bridge::mqtt
