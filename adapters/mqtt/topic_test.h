#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/mqtt/refusal.h"
#include "bridge/jobs/message.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Proves that requests arrive and replies are delivered, which a canary on a topic of its own does
/// not: an ACL may allow that one and not the Jobs topics, and some brokers drop whatever is
/// published below $aws.
///
/// On every connection, and periodically on one that lasts, we publish to request topics of our own
/// (with a level that cannot be a thing's name), which must come back through our subscriptions to
/// all requests; and to reply topics of our own, which the broker must accept. With MQTT 5 it
/// reports whether it does. Over MQTT 3.1.1 it acknowledges even what it drops, so we subscribe to
/// those topics and check whether they come back.
///
/// A broker need not allow us any of that, nor report that it does not. So a test that may fail
/// only because the test itself is not allowed proves nothing, and evidence from real requests and
/// replies takes precedence. A topic that has worked once is allowed, though; and if nothing at all
/// comes back over MQTT 3.1.1, only requests of devices prove that requests can arrive. Once one of
/// the test's replies has been accepted, the test is allowed, and a real reply says something only
/// of replies of its own kind.
///
/// One publication at a time is under way. A broker may close the connection because of one: then
/// the test is suspended. Uses neither a clock nor a connection; time must not go backwards. Any
/// thread may call any function; nothing is called while its lock is held.
class TopicTest {
 public:
  struct Topics {
    std::vector<std::string> requests;  ///< empty: there is no test
    std::vector<std::string> replies;
    std::vector<std::string> reply_filters;  ///< which match the replies and no request
    std::string reserved;  ///< the prefix of such topics, ours and those of other instances
    /// The broker may deliver a request to another instance than the one that published it.
    bool shared = false;
    /// A group of shared subscriptions with no other member; empty: none. The only member of a
    /// group must receive all its own requests, or this broker's shared subscriptions do not work:
    /// some brokers grant them and deliver nothing, on topics that begin with $ or on any.
    std::string own_group = {};
    /// For hints alone, see AclHints: the filters of all requests, and one that matches every Jobs
    /// topic.
    std::vector<std::string> request_filters = {};
    std::string everything = {};
  };
  /// `nonce` distinguishes our messages from those of another process. `mqtt_5`: the broker reports
  /// what it refuses.
  TopicTest(Topics topics, std::string nonce, bool mqtt_5);

  /// A connection is about to be made. Returns additional topic filters to subscribe to.
  std::vector<std::string> ask(MonotonicTime now);
  /// The connection is established, and its subscriptions have been answered. `answers`: the broker
  /// acknowledges publications. `granted`: it has granted the filters of ask().
  void begin(MonotonicTime now, bool answers, bool granted = true);
  /// The connection has ended.
  void end(MonotonicTime now);

  /// What to publish now, if something is due.
  std::optional<Publication> next(MonotonicTime now);
  /// When next() should be called again.
  [[nodiscard]] MonotonicTime due() const;

  /// A message arrived. True: it is part of a test, ours or another bridge's, and is not to be
  /// processed further.
  bool arrived(MonotonicTime now, std::string_view topic, std::string_view payload);
  /// The broker has accepted what next() returned. Another publication may be due at once.
  void accepted(MonotonicTime now);
  /// The broker has refused what next() returned.
  void refused(MonotonicTime now, const Refusal& why);

  /// Whether it matters that a real reply is accepted. If not, reply_accepted() need not be called.
  [[nodiscard]] bool awaits_replies() const;
  /// The broker has accepted a real reply; the next function: it has refused one.
  void reply_accepted(std::string_view topic);
  bool reply_refused(MonotonicTime now, std::string_view topic, const Refusal& why);
  /// The broker has refused something else that the bridge published. Its ACL may have changed, so
  /// the next round begins soon, as it does after reply_refused(). Both return whether due() is
  /// sooner than it was.
  bool other_refused(MonotonicTime now);

  enum class Verdict : std::uint8_t {
    off,       ///< there is no test
    untested,  ///< it is not finished, or the Receive Maximum leaves no place for it
    good,
    undecided,  ///< it cannot be determined whether it works
    bad,
  };
  struct State {
    Verdict requests = Verdict::off;
    std::string requests_cause;  ///< of `undecided` and `bad`
    Verdict replies = Verdict::off;
    std::string replies_cause;
    bool operator==(const State&) const = default;
    /// Whether it has ended, or there is none, and nothing is blocked.
    [[nodiscard]] bool has_passed() const {
      const auto passes = [](Verdict verdict) {
        return verdict != Verdict::untested && verdict != Verdict::bad;
      };
      return passes(requests) && passes(replies);
    }
  };
  [[nodiscard]] State state() const;

 private:
  struct Probe {
    std::string topic;
    bool is_request = false;
    /// `untestable`: publishing there, or an earlier publication of the test, ends connections.
    enum class Outcome : std::uint8_t {
      untested,
      passed,
      refused,
      absent,
      untestable
    } outcome = {};
    std::string cause = {};  ///< of `refused`
    bool open = false;       ///< in this round it has no outcome yet
    /// Has ever passed: the test is allowed, then, and a failure has another cause.
    bool has_passed = false;
    /// For a request: a request of a device has arrived; if has_passed, since the last round began.
    bool real_request_seen = false;
    /// For a reply: one of this kind to a device was accepted; if has_passed, since the last round
    /// began.
    bool real_reply_accepted = false;
    std::optional<std::string> real_refusal = {};  ///< why the last such one was refused
  };
  [[nodiscard]] std::string payload() const;
  [[nodiscard]] bool is_open() const;
  bool begin_soon(MonotonicTime now);
  void conclude(MonotonicTime now);
  void begin_round();
  void note_real_request(std::string_view topic);
  void note_passed(Probe& probe);
  [[nodiscard]] bool test_is_allowed() const;
  void summarize();
  void summarize_requests();
  void summarize_replies();

  const Topics topics_;
  const std::string nonce_;
  const bool mqtt_5_;

  mutable std::mutex mutex_;
  std::vector<Probe> probes_;  ///< requests, then replies
  State state_;
  bool real_reply_accepted_ = false;       ///< of any kind
  std::size_t real_requests_missing_ = 0;  ///< how many probes are not real_request_seen
  int fatal_in_a_row_ = 0;
  std::string fatal_topic_;
  MonotonicTime paused_until_ = MonotonicTime::min();

  // State of the present connection.
  bool asked_ = false;
  bool on_ = false;
  bool answers_ = true;
  bool maybe_delivered_elsewhere_ =
      false;  ///< our requests may have been delivered to another instance
  bool in_round_ = false;
  std::size_t next_probe_ = 0;  ///< of this round
  bool under_way_ = false;      ///< the previous probe
  MonotonicTime next_at_{};
  MonotonicTime last_event_{};  ///< when something was last sent, answered, or received
  MonotonicTime all_sent_at_{};
  MonotonicTime concluded_at_{};  ///< the last round
  std::uint64_t round_ = 0;
};

}  // namespace jobs_bridge::mqtt
