#pragma once

#include <mqtt/async_client.h>

#include <cstddef>
#include <string>
#include <vector>

#include "adapters/mqtt/session.h"

namespace jobs_bridge::mqtt {

/// Turns Paho's callbacks into a Session's events. No exception passes: one that reaches Paho's C
/// library ends the process.
class Session::Client final : private ::mqtt::callback {
 public:
  Client(Wanted wanted, const std::string& address, Events& events);

  ::mqtt::token_ptr connect(const ::mqtt::connect_options& options) {
    return paho_.connect(options);
  }
  void subscribe();
  void publish(Outbox::Sequence sequence, const ::mqtt::const_message_ptr& message);
  /// Does not wait for acknowledgements: Paho would, for ten seconds if the broker is silent.
  ::mqtt::token_ptr disconnect() { return paho_.disconnect(0); }

 private:
  /// Told of each publication's end.
  class Publishing final : public ::mqtt::iaction_listener {
   public:
    explicit Publishing(Events& events) : events_(events) {}
    void on_success(const ::mqtt::token& token) override;
    void on_failure(const ::mqtt::token& token) override;

   private:
    Events& events_;
  };

  /// Told of each SUBSCRIBE's end; tells of the last.
  class Subscribing final : public ::mqtt::iaction_listener {
   public:
    explicit Subscribing(Events& events) : events_(events) {}
    /// Before the first of so many requests; all earlier ones have been answered.
    void begin(std::size_t filters);
    void on_success(const ::mqtt::token& token) override;
    void on_failure(const ::mqtt::token& token) override;

   private:
    void answered(const ::mqtt::token& token, int reason);

    Events& events_;
    std::size_t unanswered_ = 0;
    std::vector<Refusal> refused_;
  };

  void message_arrived(::mqtt::const_message_ptr message) override;
  void connection_lost(const std::string& cause) override;

  const bool mqtt_5_;
  const std::vector<std::string>& filters_;
  Events& events_;
  Publishing publishing_;
  Subscribing subscribing_;
  ::mqtt::async_client paho_;  ///< last: destroyed, and with it every callback ended, first
};

}  // namespace jobs_bridge::mqtt
