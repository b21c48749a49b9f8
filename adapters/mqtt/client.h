#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/fibers/event_loop.h"
#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/mqtt/outbox.h"
#include "adapters/mqtt/sender.h"
#include "bridge/jobs/message.h"

namespace jobs_bridge::mqtt {

/// What a Connection needs of an MQTT library: one connection, used once. It is implemented in the
/// folder named after the library.
///
/// The library only transports packets: it must not reconnect, resend or delay a publication by
/// itself. It acknowledges a message at QoS 1 only after Events::arrived() has returned: the
/// message that the broker may then forget is in the journal.
class Client {
 public:
  /// The broker's answer to a subscription: the code in the SUBACK, and the text with it.
  struct SubscriptionResult {
    std::string filter;
    int code = 0;  ///< the QoS that it grants, or a Reason
    BrokerWords words = {};
  };

  /// Called with the MQTT library's lock held, on its threads or, where it has none, on the event
  /// loop: must not throw, and may wait only as long as a Journal may take to record an update. No
  /// more calls once the Client is destroyed.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void arrived(Message message) = 0;
    /// `sequence` is Outbox::canary for a canary, and Outbox::topic_test for a TopicTest.
    virtual void acknowledged(Outbox::Sequence sequence) = 0;
    /// The same, but its topic has no subscribers (MQTT 5, if the broker reports it).
    virtual void unmatched(Outbox::Sequence sequence) = 0;
    /// The broker has refused it.
    virtual void refused(Outbox::Sequence sequence, const Refusal& why) = 0;
    /// All the answers to subscribe().
    virtual void subscribed(std::vector<SubscriptionResult> results) = 0;
    /// The broker has sent a packet of so many bytes or a few more, which exceeds the limit. lost()
    /// follows.
    virtual void too_large(std::size_t bytes) = 0;
    /// The connection is over. May be called more than once, the best cause first. `evidence`: what
    /// this tells about unacknowledged publications.
    virtual void lost(BrokerFault fault, Evidence evidence) = 0;
    /// One of the functions above has thrown.
    virtual void failed(const std::string& cause) noexcept = 0;
  };

  /// What a connection needs; must outlive it.
  struct Options {
    const BrokerSettings& settings;
    const std::vector<std::string>& filters;
    /// For a library that has no threads of its own.
    fibers::EventLoop& loop;
    /// Whether the broker is to discard our session: subscriptions and queued messages.
    bool clean = false;
    /// Whether it has accepted us before, with the same settings.
    bool accepted_before = false;
    /// The QoS to publish at, if the broker allows it.
    int qos = 1;
  };
  /// Uses the library chosen in the settings. `address`: the literal address to connect to. Throws
  /// std::exception for settings that no connection can be made with.
  static std::unique_ptr<Client> make(Options options, const std::string& address, Events& events);

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
  struct ConnectResult {
    std::optional<Connack> accepted = {};
    std::optional<BrokerFault> fault =
        {};  ///< why it is not connected; nothing: the library does not tell
  };
  /// Blocks for a little more than the connect timeout at most, and returns early when `stopping`
  /// becomes true.
  virtual ConnectResult connect(const std::function<bool()>& stopping) = 0;

  /// The keep-alive in our CONNECT: chosen so that the library pings often enough, and so less than
  /// the setting.
  [[nodiscard]] virtual std::chrono::seconds keep_alive() const = 0;

  /// Sends a request for each filter; the answers come as one event. Returns the library's error
  /// text if it cannot be sent.
  virtual std::optional<std::string> subscribe() = 0;

  /// The publication has been checked already. See Sender::Link for this and the next function.
  virtual Sender::Link::SendResult publish(Outbox::Sequence sequence,
                                           const Publication& publication, int qos,
                                           Refusal& why) noexcept = 0;
  virtual void send_gathered() noexcept = 0;

  /// Sends DISCONNECT, without waiting for acknowledgements. Blocks for a second at most.
  virtual void disconnect() noexcept = 0;
};

/// One for each library that is built. See Client::make().
std::unique_ptr<Client> make_paho_client(Client::Options options, const std::string& address,
                                         Client::Events& events);
std::unique_ptr<Client> make_mosquitto_client(Client::Options options, const std::string& address,
                                              Client::Events& events);

}  // namespace jobs_bridge::mqtt
