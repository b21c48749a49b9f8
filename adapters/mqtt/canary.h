#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/jobs/message.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Proves that messages really flow: we publish to ourselves, now and then, and look whether it
/// comes back. "Connected" proves nothing: a link can be dead without a word, and a broker can have
/// lost our subscription and answer every ping.
///
/// Published and subscribed at QoS 1, as requests and replies are: it then takes their way through
/// the broker, waits in the same queue, and the broker's answer to it shows that the link lives in
/// both directions even where the broker does not let it come back. So a missing answer and a
/// missing return are told apart.
///
/// A broker may refuse it, with a reason, without a word, or by ending the connection. That must
/// not cost the bridge its connection: the canary is then without a verdict, see fault().
///
/// Knows no clock and no connection: whoever uses it publishes what it says and tells it what
/// happens. Not thread-safe; time must not go backwards.
class Canary {
 public:
  /// `topic`: where we publish to and subscribe; empty: there is no canary. `nonce` tells ours from
  /// those of whoever else publishes there, and of an earlier process.
  Canary(std::string topic, std::string nonce);

  [[nodiscard]] const std::string& topic() const { return topic_; }
  /// A connection is about to be made. Whether it is to subscribe to the topic. `needed`: also where
  /// connection after connection has ended over it.
  bool ask(MonotonicTime now, bool needed = false);

  struct Link {
    /// A dead link is noticed within one and a half times this, if it is two seconds or more.
    Duration keep_alive = {};
    /// Whether the broker answers a canary, which it does not at QoS 0.
    bool answers = true;
    std::string refusal = {};  ///< why the subscription is not granted; empty: it is
  };
  /// The connection is there, and its subscription has been answered.
  void begin(MonotonicTime now, const Link& link);
  /// The connection is gone.
  void end(MonotonicTime now);

  /// We stood still: what was sent or arrived meanwhile has not been seen yet, and the next is to
  /// be published at once.
  void stood_still(MonotonicTime now);
  /// None is to be published for a moment: next() is worth asking again a little later.
  void hold(MonotonicTime now);
  /// What to publish now, if it is time for one. `suspended`: see last_sent().
  std::optional<Publication> next(MonotonicTime now, Duration suspended = {});

  /// A message arrived, whatever it was. Whether it is a canary, which is nobody else's concern.
  bool arrived(MonotonicTime now, std::string_view topic, std::string_view payload);
  /// The broker has answered a publication that is no canary: the link lives, though nothing may
  /// flow to us.
  void answered();
  /// The broker has taken a canary.
  void accepted(MonotonicTime now);
  /// The broker refuses to pass on a canary.
  void refused(MonotonicTime now, const std::string& reason);

  enum class Finding {
    fine,
    silent,  ///< nothing is answered: connect anew
    deaf,    ///< publications are answered, but none comes back, nor anything else: connect anew
  };
  /// Says what there is to say since the last time it was asked.
  Finding look(MonotonicTime now);
  /// When next() and look() are worth asking again.
  [[nodiscard]] MonotonicTime due() const;

  /// Whether there is a connection that carries any.
  [[nodiscard]] bool is_on() const { return on_; }
  /// Whether a canary has come back on this connection.
  [[nodiscard]] bool flowing() const { return flowing_; }
  /// When one came back last, on whatever connection.
  [[nodiscard]] std::optional<MonotonicTime> flowed() const { return flowed_; }
  /// How many have come back, ever.
  [[nodiscard]] std::uint64_t returns() const { return returns_; }
  /// How long the last one took.
  [[nodiscard]] Duration round_trip() const { return round_trip_; }
  /// When that one was sent, with what was given as `suspended` then.
  [[nodiscard]] MonotonicTime last_sent() const { return last_sent_; }
  /// When a message last arrived on this connection, of whatever kind, or else when it began.
  [[nodiscard]] MonotonicTime last_arrival() const { return last_arrival_; }
  /// Why it cannot be seen whether messages flow, in words for an operator; empty: it can, or will
  /// soon.
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
  [[nodiscard]] MonotonicTime deaf_at() const;

  const std::string topic_;
  const std::string nonce_;

  std::optional<MonotonicTime> flowed_;
  std::uint64_t returns_ = 0;
  Duration round_trip_{};
  MonotonicTime last_sent_{};
  std::string fault_;
  /// So many connections in a row were given up as deaf; reconnecting is no cure for ever.
  int deaf_in_a_row_ = 0;
  /// So many connections in a row ended after a subscription, or a canary, that had no answer.
  int fatal_in_a_row_ = 0;
  MonotonicTime rests_until_ = MonotonicTime::min();

  // Of the present connection.
  bool asked_ = false;  ///< for the subscription, without an answer so far
  bool on_ = false;
  bool answers_ = true;
  bool flowing_ = false;
  bool own_answered_ = false;  ///< a canary was, not only something else
  bool refused_ = false;
  bool verdict_given_up_ = false;  ///< whether it is deaf cannot be told
  Duration keep_alive_{};
  std::uint64_t connection_ = 0;
  std::uint64_t sequence_ = 0;
  std::deque<Sent> under_way_;
  MonotonicTime next_at_{};
  MonotonicTime looked_{};
  MonotonicTime last_arrival_{};
  std::optional<MonotonicTime> last_message_;       ///< no canary
  std::optional<MonotonicTime> unanswered_since_;   ///< nothing was answered since this was sent
  std::optional<MonotonicTime> undelivered_since_;  ///< none came back since this was sent
};

}  // namespace jobs_bridge::mqtt
