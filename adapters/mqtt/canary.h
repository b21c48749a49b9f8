#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/jobs/message.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Proves that messages really flow: we publish to ourselves from time to time and check whether
/// the message comes back. "Connected" proves nothing: a link can be silently dead, and a broker
/// can have lost our subscription and still answer every ping.
///
/// Published and subscribed at QoS 1, as requests and replies are: it then takes the same way
/// through the broker and waits in the same queue, and the broker's acknowledgement shows that the
/// link works in both directions even if the broker does not deliver the canary. So a missing
/// acknowledgement and a missing return are distinguished.
///
/// A broker may refuse it with a reason, silently, or by closing the connection. That must not cost
/// the bridge its connection: the canary then proves nothing, see fault().
///
/// Uses neither a clock nor a connection: the caller publishes what it returns and tells it what
/// happens. Not thread-safe; time must not go backwards.
class Canary {
 public:
  /// `topic`: the topic that we publish and subscribe to; empty: no canary. `nonce` distinguishes
  /// our messages from those of other publishers and of an earlier process.
  Canary(std::string topic, std::string nonce);

  [[nodiscard]] const std::string& topic() const { return topic_; }
  /// A connection is about to be made. Returns whether it should subscribe to the topic. `needed`:
  /// subscribe even if connections have repeatedly ended because of it.
  bool ask(MonotonicTime now, bool needed = false);

  struct Link {
    /// A dead link is detected within one and a half times this, if it is two seconds or more.
    Duration keep_alive = {};
    /// Whether the broker acknowledges a canary, which it does not at QoS 0.
    bool answers = true;
    std::string refusal = {};  ///< why the subscription was not granted; empty if it was
  };
  /// The connection is established, and its subscription has been answered.
  void begin(MonotonicTime now, const Link& link);
  /// The connection has ended.
  void end(MonotonicTime now);

  /// The process was stopped or the machine suspended: what arrived meanwhile has not been
  /// processed yet, and the next canary is to be published at once.
  void stood_still(MonotonicTime now);
  /// No canary is to be published for the moment: next() should be called again a little later.
  void hold(MonotonicTime now);
  /// The canary to publish now, if one is due. `suspended`: see last_sent().
  std::optional<Publication> next(MonotonicTime now, Duration suspended = {});

  /// A message of any kind arrived. Returns whether it is a canary, which is not to be processed
  /// further.
  bool arrived(MonotonicTime now, std::string_view topic, std::string_view payload);
  /// The broker has acknowledged a publication other than a canary: the link works, although
  /// messages may not reach us.
  void acknowledged();
  /// The broker has accepted a canary.
  void accepted(MonotonicTime now);
  /// The broker refuses to pass on a canary. `reason`: see Refusal::detail.
  void refused(MonotonicTime now, const std::string& reason);

  enum class Finding {
    fine,
    silent,          ///< nothing is acknowledged: reconnect
    not_delivering,  ///< publications are acknowledged, but neither a canary nor any other message
                     ///< arrives: reconnect
  };
  /// Returns what has been found since the last call.
  Finding check(MonotonicTime now);
  /// When next() and check() should be called again.
  [[nodiscard]] MonotonicTime due() const;

  /// Whether there is a connection that carries canaries.
  [[nodiscard]] bool is_on() const { return on_; }
  /// Whether a canary has come back on this connection.
  [[nodiscard]] bool flowing() const { return flowing_; }
  /// When one last came back, on any connection.
  [[nodiscard]] std::optional<MonotonicTime> flowed() const { return flowed_; }
  /// The total number that have come back.
  [[nodiscard]] std::uint64_t returns() const { return returns_; }
  /// Whether one has been under way for longer than a connection that works takes.
  [[nodiscard]] bool is_overdue(MonotonicTime now) const;
  /// The round trip of the last one.
  [[nodiscard]] Duration round_trip() const { return round_trip_; }
  /// When that one was sent, plus the `suspended` that was passed then.
  [[nodiscard]] MonotonicTime last_sent() const { return last_sent_; }
  /// When a message of any kind last arrived on this connection, or else when the connection began.
  [[nodiscard]] MonotonicTime last_arrival() const { return last_arrival_; }
  /// Why it cannot be determined whether messages flow, as a message for the operator; empty if it
  /// can, or soon will be.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  struct Sent {
    std::uint64_t sequence;
    MonotonicTime at;
    Duration suspended;
  };
  std::string prefix() const;
  void forget_connection();
  void note_own_answer();
  [[nodiscard]] MonotonicTime silent_at() const;
  [[nodiscard]] MonotonicTime not_delivering_at() const;

  const std::string topic_;
  const std::string nonce_;

  std::optional<MonotonicTime> flowed_;
  std::uint64_t returns_ = 0;
  Duration round_trip_{};
  MonotonicTime last_sent_{};
  std::string fault_;
  /// Consecutive connections given up as not delivering: after some of them, reconnecting again is
  /// unlikely to help.
  int not_delivering_in_a_row_ = 0;
  /// Consecutive connections that ended after a subscription or a canary without an answer.
  int fatal_in_a_row_ = 0;
  MonotonicTime paused_until_ = MonotonicTime::min();

  // State of the present connection.
  bool asked_ = false;  ///< the subscription was requested and not answered so far
  bool on_ = false;
  bool answers_ = true;
  bool flowing_ = false;
  bool own_answered_ = false;  ///< a canary was acknowledged, not only other publications
  bool refused_ = false;
  bool verdict_given_up_ =
      false;  ///< it cannot be determined whether the connection delivers messages
  Duration keep_alive_{};
  std::uint64_t connection_ = 0;
  std::uint64_t sequence_ = 0;
  std::deque<Sent> under_way_;
  MonotonicTime next_at_{};
  MonotonicTime checked_{};
  MonotonicTime last_arrival_{};
  std::optional<MonotonicTime> last_message_;      ///< other than a canary
  std::optional<MonotonicTime> unanswered_since_;  ///< nothing was acknowledged since this was sent
  std::optional<MonotonicTime> undelivered_since_;  ///< no canary came back since this was sent
};

}  // namespace jobs_bridge::mqtt
