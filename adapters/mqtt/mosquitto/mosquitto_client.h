#pragma once

#include <mosquitto.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/mqtt/client.h"
#include "adapters/mqtt/mosquitto/handle.h"
#include "adapters/mqtt/mosquitto/loop.h"

namespace jobs_bridge::mqtt {

/// A client of libmosquitto that translates its callbacks into a Connection's events. They come
/// from the Loop, except the one that reports that a publication at QoS 0 is written: it comes from
/// the code that writes. No exception passes into the library, which is C.
class MosquittoClient final : public Client {
 public:
  MosquittoClient(Client::Options options, const std::string& address, Client::Events& events);

  ConnectResult connect(const std::function<bool()>& stopping) override;
  [[nodiscard]] std::chrono::seconds keep_alive() const override {
    return mosquitto_keep_alive(settings_.keep_alive);
  }
  std::optional<std::string> subscribe() override;
  Sender::Link::SendResult publish(Outbox::Sequence sequence, const Publication& publication,
                                   int qos, Refusal& why) noexcept override;
  void send_gathered() noexcept override { loop_.send_queued(); }
  void disconnect() noexcept override;

 private:
  /// What libmosquitto calls.
  struct Callbacks;

  void connected(int code, bool session_present, const mosquitto_property* properties);
  void arrived(const mosquitto_message& message, const mosquitto_property* properties);
  void published(int id, int reason, const mosquitto_property* properties);
  void subscribed(int id, int reason, const mosquitto_property* properties);
  void disconnected(int reason);
  void ended(std::optional<BrokerFault> fault);

  const BrokerSettings& settings_;
  const bool mqtt_5_;
  const std::vector<std::string>& filters_;
  const std::string address_;
  Client::Events& events_;
  Handle handle_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<ConnectResult> connect_result_;  ///< of connecting
  std::optional<BrokerFault> disconnect_;        ///< the broker's DISCONNECT
  Evidence disconnect_evidence_ = Evidence::none;

  /// Held while a request is made: its answer may come before libmosquitto has returned its
  /// identifier. Only libmosquitto is called while it is held.
  std::mutex requests_;
  struct UnderWay {
    int id;
    Outbox::Sequence sequence;
  };
  std::deque<UnderWay> under_way_;    ///< brokers acknowledge in order
  std::map<int, std::string> asked_;  ///< filters, by the SUBSCRIBE's identifier
  std::vector<Client::SubscriptionResult> answers_;

  Loop loop_;  ///< last: destroyed, and with it every callback ended, first
};

}  // namespace jobs_bridge::mqtt
