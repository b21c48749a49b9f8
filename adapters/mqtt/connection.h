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

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/mqtt/client.h"
#include "adapters/mqtt/outbox.h"
#include "adapters/mqtt/sender.h"
#include "bridge/jobs/message.h"

namespace jobs_bridge::mqtt {

/// One connection to the broker, from connecting to its end. What it needs of an MQTT library is in
/// client.h; nothing here knows which library that is.
///
/// Every connection uses a new client of the library, because the state that a client keeps from an
/// old connection is harmful: it would resend everything unacknowledged at once, whatever the
/// Receive Maximum of the new one. The Outbox knows what to send again.
class Connection final : public Sender::Link {
 public:
  /// `address`: the literal address to connect to. Throws std::exception for settings that no
  /// connection can be made with.
  Connection(Client::Options options, const std::string& address, Client::Events& events);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// Waits for callbacks in progress, so it must not be called from one.
  ~Connection() override;

  /// Connects; returns what went wrong. Blocks for a little more than twice the connect timeout at
  /// most, and returns early when `stopping` becomes true.
  std::optional<BrokerFault> connect(const std::function<bool()>& stopping);

  /// From the CONNACK.
  [[nodiscard]] bool session_present() const { return session_present_; }
  /// How many publications may be unacknowledged, canaries included.
  [[nodiscard]] std::size_t receive_maximum() const { return receive_maximum_; }
  /// The same minus the places for a canary and a topic test, if these are used.
  [[nodiscard]] std::size_t window_beside(bool canary, bool topic_test) const {
    const int places = (canary ? canary_qos() : 0) + (topic_test ? topic_test_qos() : 0);
    return receive_maximum_ - static_cast<std::size_t>(places);
  }
  /// The keep-alive that the broker requires instead of the one in our CONNECT, if it is shorter;
  /// never 0, which requires nothing. This connection continues with ours, and the broker may end
  /// it for that.
  [[nodiscard]] std::optional<std::chrono::seconds> server_keep_alive() const {
    return server_keep_alive_;
  }

  /// Subscribes to all filters at QoS 1; the answers come as one event. Returns what went wrong if
  /// it cannot be sent.
  std::optional<BrokerFault> subscribe();

  /// What the broker does not do as it should, according to its CONNACK.
  [[nodiscard]] const std::vector<BrokerFault>& shortcomings() const { return shortcomings_; }
  /// Other features that the broker reports as missing and the bridge does not need; empty if none.
  [[nodiscard]] const std::string& unneeded_missing_features() const {
    return unneeded_missing_features_;
  }

  /// From now on nothing is published at a higher QoS.
  void limit_qos(int qos) { qos_ = std::min<int>(qos_, qos); }

  SendResult hand_over(Outbox::Sequence sequence, const Publication& publication,
                       Refusal& why) noexcept override;
  void send_gathered() noexcept override;

  /// Publishes a canary, bypassing the Outbox: it must not wait behind the publications that it
  /// checks, and one lost with its connection need not be sent again. One at a time takes a place
  /// in the Receive Maximum, see window_beside(). A failure is not reported: the canary's absence
  /// shows it.
  void publish_canary(const Publication& canary) noexcept;
  /// Whether the broker acknowledges a canary. It does not if it supports QoS 0 only, or if a reply
  /// needs the only place in the Receive Maximum.
  [[nodiscard]] bool canary_is_answered() const { return canary_qos() > 0; }

  /// The same for a publication of a TopicTest.
  void publish_topic_test(const Publication& publication) noexcept;
  [[nodiscard]] bool topic_test_is_answered() const { return topic_test_qos() > 0; }

  /// Sends DISCONNECT, so that the broker keeps the session for as long as agreed. Blocks for a
  /// second at most.
  void disconnect();

 private:
  /// Why the broker cannot be used, according to its CONNACK.
  [[nodiscard]] BrokerFault add_missing_username(BrokerFault fault) const;
  [[nodiscard]] std::optional<BrokerFault> missing_feature(bool no_wildcards, bool no_shared) const;
  [[nodiscard]] int canary_qos() const { return receive_maximum_ > 1 ? qos_.load() : 0; }
  [[nodiscard]] int topic_test_qos() const { return receive_maximum_ > 2 ? qos_.load() : 0; }
  SendResult send(Outbox::Sequence sequence, const Publication& publication, int qos,
                  Refusal& why) noexcept;

  const BrokerSettings& settings_;
  const std::vector<std::string>& filters_;
  const std::string address_;
  const bool accepted_before_;
  bool session_present_ = false;
  std::size_t receive_maximum_ = 65535;
  std::size_t maximum_packet_size_;
  std::optional<std::chrono::seconds> server_keep_alive_;
  std::atomic<int> qos_;
  std::vector<BrokerFault> shortcomings_;
  std::string unneeded_missing_features_;
  std::unique_ptr<Client> client_;
};

}  // namespace jobs_bridge::mqtt
