#pragma once

#include <mqtt/async_client.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "adapters/mqtt/client.h"
#include "adapters/mqtt/paho/filtered_sockets.h"
#include "adapters/mqtt/paho/paho_options.h"

namespace jobs_bridge::mqtt {

/// A client of Paho that translates its callbacks into a Connection's events. No exception may
/// pass: one that reaches Paho's C library ends the process.
///
/// It is used for one connection, because Paho's automatic reconnect hides the new CONNACK, and
/// with it the Receive Maximum and whether the broker still has our session, and waits for a second
/// at least. When the broker has lost the session Paho drops unacknowledged publications and
/// reports only their tokens. Besides, Paho's threads end with its last client, and new threads
/// connect faster: they poll after 10 ms at first, old ones after a second.
class PahoClient final : public Client, private ::mqtt::callback {
 public:
  PahoClient(Client::Options options, const std::string& address, Client::Events& events);

  ConnectResult connect(const std::function<bool()>& stopping) override;
  [[nodiscard]] std::chrono::seconds keep_alive() const override {
    return paho_keep_alive(settings_.keep_alive);
  }
  std::optional<std::string> subscribe() override;
  Sender::Link::SendResult publish(Outbox::Sequence sequence, const Publication& publication,
                                   int qos, Refusal& why) noexcept override;
  void send_gathered() noexcept override {}  // Paho's thread sends everything immediately
  void disconnect() noexcept override;

 private:
  /// Gets the result of each publication.
  class Publishing final : public ::mqtt::iaction_listener {
   public:
    explicit Publishing(Client::Events& events) : events_(events) {}
    void on_success(const ::mqtt::token& token) override;
    void on_failure(const ::mqtt::token& token) override;

   private:
    Client::Events& events_;
  };

  /// Gets the result of each SUBSCRIBE; reports after the last one.
  class Subscribing final : public ::mqtt::iaction_listener {
   public:
    explicit Subscribing(Client::Events& events) : events_(events) {}
    /// To be called before the first of so many requests; all earlier ones must have been answered.
    void begin(std::size_t filters);
    void on_success(const ::mqtt::token& token) override;
    void on_failure(const ::mqtt::token& token) override;

   private:
    void answered(const ::mqtt::token& token, int reason);

    Client::Events& events_;
    std::size_t unanswered_ = 0;
    std::vector<Client::SubscriptionResult> answers_;
  };

  void message_arrived(::mqtt::const_message_ptr message) override;
  void connection_lost(const std::string& cause) override;

  const BrokerSettings& settings_;
  const bool mqtt_5_;
  const bool clean_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  const std::vector<std::string>& filters_;
  Client::Events& events_;
  const FilteredPeer peer_;
  Publishing publishing_;
  Subscribing subscribing_;
  ::mqtt::async_client paho_;  ///< last: destroyed, and with it every callback ended, first
};

}  // namespace jobs_bridge::mqtt
