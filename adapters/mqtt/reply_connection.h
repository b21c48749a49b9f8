#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/mqtt/connection.h"

namespace jobs_bridge::mqtt {

/// A second connection to the broker for replies only, for as long as the first one lasts.
///
/// Brokers process one packet of each client in turn. If one device floods us with requests, we owe
/// the broker an acknowledgement for each, and over a single connection the reply to another device
/// waits behind thousands of them, for seconds. Neither MQTT library can send it before those. A
/// client of its own, which has no acknowledgements to send, gets its turn immediately.
///
/// Not thread-safe; its events come like those of a Connection, except that it has no messages and
/// no subscriptions.
class ReplyConnection {
 public:
  ReplyConnection(const BrokerSettings& settings, fibers::EventLoop& loop, Client::Events& events)
      : settings_(settings_for_replies(settings)), loop_(loop), events_(events) {}

  /// See Connection::connect(); nothing if it is connected.
  std::optional<BrokerFault> connect(const std::string& address, int qos,
                                     const std::function<bool()>& stopping) {
    events_.begin();
    connection_.emplace(Client::Options{.settings = settings_,
                                        .filters = no_filters_,
                                        .loop = loop_,
                                        .clean = true,
                                        .accepted_before = true,
                                        .qos = qos},
                        address, events_);
    auto fault = connection_->connect(stopping);
    if (!fault) fault = events_.pass_on_ends();
    if (fault) connection_.reset();
    return fault;
  }
  /// Null if there is none.
  [[nodiscard]] Connection* connection() { return connection_ ? &*connection_ : nullptr; }
  [[nodiscard]] const std::string& client_id() const { return settings_.client_id; }

 private:
  class Replies final : public Client::Events {
   public:
    explicit Replies(Client::Events& events) : events_(events) {}
    void begin() {
      const std::lock_guard lock(mutex_);
      passes_on_ends_ = false;
      ended_.reset();
    }
    /// From now on the end of this connection also ends the first one. Before that, its end counts
    /// as a failure to connect, which connect() returns; some MQTT libraries report both. Returns a
    /// fault if it has ended already.
    std::optional<BrokerFault> pass_on_ends() {
      const std::lock_guard lock(mutex_);
      passes_on_ends_ = !ended_;
      return ended_;
    }
    void arrived(Message) override {}
    void subscribed(std::vector<Client::SubscriptionResult>) override {}
    void acknowledged(Outbox::Sequence sequence) override { events_.acknowledged(sequence); }
    void unmatched(Outbox::Sequence sequence) override { events_.unmatched(sequence); }
    void refused(Outbox::Sequence sequence, const Refusal& why) override {
      events_.refused(sequence, why);
    }
    void too_large(std::size_t bytes) override { events_.too_large(bytes); }
    void lost(BrokerFault fault, Evidence evidence) override {
      {
        const std::lock_guard lock(mutex_);
        if (!ended_) ended_ = fault;
        if (!passes_on_ends_) return;
      }
      events_.lost(std::move(fault), evidence);
    }
    void failed(const std::string& cause) noexcept override { events_.failed(cause); }

   private:
    Client::Events& events_;
    std::mutex mutex_;
    bool passes_on_ends_ = false;
    std::optional<BrokerFault> ended_;
  };

  static BrokerSettings settings_for_replies(BrokerSettings settings) {
    settings.client_id += "-replies";
    settings.session_expiry = {};
    return settings;
  }

  const BrokerSettings settings_;
  const std::vector<std::string> no_filters_;
  fibers::EventLoop& loop_;
  Replies events_;
  std::optional<Connection> connection_;
};

}  // namespace jobs_bridge::mqtt
