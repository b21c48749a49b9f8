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

/// Whether messages flow through the broker to us, connection after connection: what the Canary
/// finds, how long nothing flowed, and how long what arrives may have waited for us: at the broker
/// while there was no connection, or on its way while we stood still (stopped by a signal, a
/// suspended machine, a host without memory).
///
/// What we published last comes last, so a canary that was sent since then shows that we have
/// caught up. Where canaries tell nothing, nothing is said to have waited.
///
/// Any thread may call anything. Its lock is a leaf: nothing is called with it held.
class Flow {
 public:
  /// `on_news`: step() is worth calling before it is due. Called from within what the MQTT
  /// library's callbacks call. The rest: as Canary has it.
  Flow(std::string canary_topic, std::string nonce, std::function<void()> on_news);

  /// `on_return` is called for each canary that comes back, where on_news is; `sent`: when it was,
  /// by a clock that goes on while the machine is suspended. There are then canaries over every
  /// connection. To be called before any other.
  void report_returns(std::function<void(MonotonicTime sent)> on_return) {
    on_return_ = std::move(on_return);
  }

  /// We are about to connect. From now on what arrives may have waited for us, until our canary
  /// shows that we have caught up. Says whether to subscribe to the canary's topic.
  bool connecting(MonotonicTime now);
  /// `kept`: whether the broker may have kept something. Whether it says that it knows our session
  /// is not enough: some say that they do not, and send what they kept nevertheless.
  void connected(bool kept);
  /// The broker has answered our subscriptions, this one as the link says.
  void subscribed(MonotonicTime now, const Canary::Link& link);
  /// The connection has ended; `lost`: when it was seen to be.
  void ended(MonotonicTime now, MonotonicTime lost);

  struct Step {
    std::optional<BrokerFault> dead;    ///< why to connect anew
    std::optional<Publication> canary;  ///< to be published
    bool flows = false;                 ///< from now on, on this connection
    std::optional<Duration> gone;       ///< if `flows`: for how long nothing did, if that is known
    Duration round_trip{};
    std::string fault;  ///< Canary::fault()
  };
  /// `suspended`: how long the machine has been suspended since it booted, which `now` does not
  /// count. `hold`: no canary is to be published for the moment.
  Step step(MonotonicTime now, Duration suspended, bool hold = false);
  /// When to call step() again.
  [[nodiscard]] MonotonicTime due() const;

  /// A message arrived. True: it was a canary, and nobody else's concern. Otherwise it is told how
  /// long it may have been kept.
  bool arrived(MonotonicTime now, Duration suspended, Message& message);
  /// Whether what arrives from now on has not waited, as far as we know.
  [[nodiscard]] bool caught_up() const;
  /// A request of our own came back, with Message::arrival or without. Nobody but the broker's
  /// plugin can have set it there. A broker that does not is not to be believed about the requests
  /// of devices: they would be from the devices themselves.
  void tested(bool stamped);
  /// As Canary has them.
  void answered();
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
  const std::function<void()> on_news_;
  std::function<void(MonotonicTime)> on_return_;
  mutable std::mutex mutex_;
  Canary canary_;
  /// Whether we have stood still since the last time; notes it.
  bool note_standstill(MonotonicTime now, std::optional<Duration> suspended);

  bool told_flowing_ = false;
  bool stamps_ = true;                       ///< those of the plugin, as far as is known
  std::optional<MonotonicTime> gone_since_;  ///< no message has been seen to flow since then
  /// What arrives may have waited for us since then; min(): nobody knows since when.
  std::optional<MonotonicTime> kept_since_;
  MonotonicTime fresh_from_{};  ///< a canary sent from then on shows that we have caught up
  MonotonicTime looked_{};
  std::optional<Duration> suspended_;
};

}  // namespace jobs_bridge::mqtt
