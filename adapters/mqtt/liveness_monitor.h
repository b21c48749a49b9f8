#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/canary.h"
#include "bridge/jobs/message.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Tracks over all connections whether messages flow through the broker to us: what the Canary
/// finds, how long nothing flowed, and how long an arriving message may have waited: at the broker
/// while there was no connection, or on its way while the process stood still (stopped by a signal,
/// a suspended machine, a host without memory).
///
/// Messages arrive in order, so a canary that was sent after that time shows that we have caught
/// up. If canaries prove nothing, messages are assumed not to have waited.
///
/// Any thread may call anything. It calls nothing while it holds its lock.
class LivenessMonitor {
 public:
  /// `on_due_changed`: step() should be called before it is due; called from within the MQTT
  /// library's callbacks. For the other parameters see Canary.
  LivenessMonitor(std::string canary_topic, std::string nonce,
                  std::function<void()> on_due_changed);

  /// `on_canary_returned` is called for each canary that comes back, on the same threads as
  /// on_due_changed; `sent`: when it was sent, by a clock that goes on while the machine is
  /// suspended. Canaries are then used on every connection. To be called before any other function.
  void report_canary_returns(std::function<void(MonotonicTime sent)> on_canary_returned) {
    on_canary_returned_ = std::move(on_canary_returned);
  }

  /// We are about to connect. From now on messages may have waited for us, until our canary shows
  /// that we have caught up. Returns whether to subscribe to the canary's topic.
  bool connecting(MonotonicTime now);
  /// `kept`: whether the broker may have kept messages. Its Session Present flag is not enough:
  /// some brokers report no session and still send what they kept.
  void connected(bool kept);
  /// The broker has answered our subscriptions; `link` has its answer for the canary's.
  void subscribed(MonotonicTime now, const Canary::Link& link);
  /// The connection has ended; `lost`: when that was noticed.
  void ended(MonotonicTime now, MonotonicTime lost);

  struct Step {
    std::optional<BrokerFault> dead;    ///< why to reconnect
    std::optional<Publication> canary;  ///< to be published
    bool flows = false;                 ///< from now on, on this connection
    std::optional<Duration>
        silent_for;  ///< if `flows`: for how long nothing flowed, if that is known
    Duration round_trip{};
    std::string fault;  ///< Canary::fault()
  };
  /// `suspended`: how long the machine has been suspended since it booted, which `now` does not
  /// count. `hold`: no canary is to be published for the moment.
  Step step(MonotonicTime now, Duration suspended, bool hold = false);
  /// When to call step() again.
  [[nodiscard]] MonotonicTime due() const;

  /// A message arrived. True if it was a canary, which is not to be processed further. Otherwise
  /// its `kept_for` is set.
  bool arrived(MonotonicTime now, Duration suspended, Message& message);
  /// Whether messages that arrive from now on have not waited, as far as is known.
  [[nodiscard]] bool caught_up() const;
  /// A request of our own self-test came back, with or without Message::arrival. Only the broker's
  /// plugin can have set it there. If it is missing, Message::arrival of devices' requests cannot
  /// be trusted either: the devices themselves may have set it.
  void self_test_arrived(bool stamped);
  /// See Canary.
  void acknowledged();
  void accepted(MonotonicTime now);
  void refused(MonotonicTime now, const std::string& reason);

  struct State {
    bool flowing = false;
    bool canary = false;
    std::string fault;
    std::optional<MonotonicTime> flowed;
    Duration round_trip{};
  };
  [[nodiscard]] State state() const;

 private:
  const std::function<void()> on_due_changed_;
  std::function<void(MonotonicTime)> on_canary_returned_;
  mutable std::mutex mutex_;
  Canary canary_;
  /// Whether the process has stood still since the last call; notes it.
  bool note_standstill(MonotonicTime now, std::optional<Duration> suspended);

  bool reported_flowing_ = false;
  bool arrival_trusted_ = true;  ///< whether arrival times are the plugin's, as far as is known
  // MonotonicTime::min(): since an unknown time.
  std::optional<MonotonicTime> silent_since_;  ///< since when no message has been seen to flow
  std::optional<MonotonicTime> kept_since_;    ///< since when messages that arrive may have waited
  MonotonicTime caught_up_from_{};  ///< a canary sent from then on shows that we have caught up
  MonotonicTime checked_{};
  std::optional<Duration> suspended_;
};

}  // namespace jobs_bridge::mqtt
