#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
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

/// One connection to the broker, from connecting to its end. What it needs of an MQTT library is in
/// client.h; nothing here knows which library that is.
///
/// A new client of the library for every connection, because what one keeps of an old connection
/// does not help: it would send again what was unacknowledged all at once, whatever the Receive
/// Maximum of the new one. The Outbox knows what is to be sent again.
class Session final : public Sender::Link {
 public:
  /// The broker's answer to a subscription: a SUBACK's code, and what it says besides.
  struct Answer {
    std::string filter;
    int code = 0;  ///< the QoS that it grants, or a Reason
    BrokerWords words = {};
  };

  /// Called with the MQTT library's lock held, on its threads or, where it has none, on the event
  /// loop: must not block, nor throw. No more calls once the Session is destroyed.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void arrived(Message message) = 0;
    /// Of a canary: Outbox::nobody; of a TopicTest: Outbox::topic_test.
    virtual void acknowledged(Outbox::Sequence sequence) = 0;
    /// Likewise, but nobody subscribes to its topic (MQTT 5, if the broker says so).
    virtual void unmatched(Outbox::Sequence sequence) = 0;
    /// The broker has answered that it does not take it.
    virtual void refused(Outbox::Sequence sequence, const Refusal& why) = 0;
    /// The answers to subscribe(), all of them.
    virtual void subscribed(std::vector<Answer> answers) = 0;
    /// The broker has sent a packet of so many bytes or a few more, which is past the limit. lost()
    /// follows.
    virtual void too_large(std::size_t bytes) = 0;
    /// The connection is over. May be called more than once, the best cause first. `evidence`: what
    /// that says of what was unacknowledged.
    virtual void lost(BrokerFault fault, Evidence evidence) = 0;
    /// One of the above has thrown.
    virtual void failed(const std::string& cause) noexcept = 0;
  };

  /// What a session is made of; must outlive it.
  struct Wanted {
    const BrokerSettings& settings;
    const std::vector<std::string>& filters;
    /// For a library that has no threads of its own.
    fibers::EventLoop& loop;
    /// Whether the broker is to forget our subscriptions and what it keeps for us.
    bool clean = false;
    /// Whether it has accepted us before, by the same settings.
    bool has_spoken = false;
    /// The QoS to publish at, if the broker allows it.
    int qos = 1;
  };
  /// `address`: the literal one to connect to. Throws std::exception for settings that no
  /// connection can be made with.
  Session(Wanted wanted, const std::string& address, Events& events);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Waits for callbacks in progress: never to be called from one.
  ~Session() override;

  /// Connects; says what went wrong. Blocks for a little more than twice the connect timeout at
  /// most, and not when `stopping` comes true.
  std::optional<BrokerFault> connect(const std::function<bool()>& stopping);

  /// From the CONNACK.
  [[nodiscard]] bool session_present() const { return session_present_; }
  /// The most publications that may be unacknowledged, canaries included.
  [[nodiscard]] std::size_t receive_maximum() const { return receive_maximum_; }
  /// The same without the places of a canary and of a topic test, as far as there are these.
  [[nodiscard]] std::size_t window_beside(bool canary, bool topic_test) const {
    const int places = (canary ? canary_qos() : 0) + (topic_test ? topic_test_qos() : 0);
    return receive_maximum_ - static_cast<std::size_t>(places);
  }
  /// What the broker wants instead of the keep-alive in our CONNECT, if it wants less; never 0,
  /// which demands nothing. This connection goes on with ours, and the broker may then end it.
  [[nodiscard]] std::optional<std::chrono::seconds> server_keep_alive() const {
    return server_keep_alive_;
  }

  /// Subscribes to all filters at QoS 1; the answers come as one event. Says what
  /// went wrong if it cannot be sent.
  std::optional<BrokerFault> subscribe();

  /// What the broker does not do as it should, by its CONNACK.
  [[nodiscard]] const std::vector<BrokerFault>& shortcomings() const { return shortcomings_; }
  /// What else it says that it does not have, and the bridge does not need; empty: nothing.
  [[nodiscard]] const std::string& not_missed() const { return not_missed_; }

  /// From now on nothing is published at a higher QoS.
  void limit_qos(int qos) { qos_ = std::min<int>(qos_, qos); }

  Handed hand_over(Outbox::Sequence sequence, const Publication& publication,
                   Refusal& why) noexcept override;
  void send_gathered() noexcept override;

  /// Publishes a canary, past the Outbox: it must not wait behind what it is to vouch for, and one
  /// that a connection takes with it is not missed. One at a time takes a place in the Receive
  /// Maximum, see window_beside(). Failing to is left to its absence to show.
  void publish_canary(const Publication& canary) noexcept;
  /// Whether the broker answers a canary. It does not where it takes QoS 0 only, or where a reply
  /// needs the only place there is.
  [[nodiscard]] bool canary_is_answered() const { return canary_qos() > 0; }

  /// The same for a publication of a TopicTest.
  void publish_topic_test(const Publication& publication) noexcept;
  [[nodiscard]] bool topic_test_is_answered() const { return topic_test_qos() > 0; }

  /// Says good-bye, so that the broker keeps the session for as long as agreed. Blocks for a second
  /// at most.
  void disconnect();

  class Client;  ///< the MQTT library's part

 private:
  /// Why the broker is of no use to us, as its CONNACK has it.
  [[nodiscard]] std::optional<BrokerFault> unfit(bool no_wildcards, bool no_shared) const;
  [[nodiscard]] int canary_qos() const { return receive_maximum_ > 1 ? qos_.load() : 0; }
  [[nodiscard]] int topic_test_qos() const { return receive_maximum_ > 2 ? qos_.load() : 0; }
  Handed send(Outbox::Sequence sequence, const Publication& publication, int qos,
              Refusal& why) noexcept;

  const BrokerSettings& settings_;
  const std::vector<std::string>& filters_;
  const std::string address_;
  const bool has_spoken_;
  bool session_present_ = false;
  std::size_t receive_maximum_ = 65535;
  std::size_t maximum_packet_size_;
  std::optional<std::chrono::seconds> server_keep_alive_;
  std::atomic<int> qos_;
  std::vector<BrokerFault> shortcomings_;
  std::string not_missed_;
  std::unique_ptr<Client> client_;
};

}  // namespace jobs_bridge::mqtt
