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

/// Proves that requests come in and replies go out, which a canary on a topic of its own does not:
/// an ACL may let that one pass and the Jobs topics not, and some brokers drop whatever is
/// published below $aws.
///
/// On every connection, and now and then on one that lasts, we publish on request topics of our own
/// (the level of the thing can be no thing's name), which must come back by our subscriptions to
/// everybody's requests; and on reply topics of our own, which the broker must take. MQTT 5 has it
/// say whether it does. Over MQTT 3.1.1 it acknowledges what it drops, so we subscribe to those
/// topics and see whether they come back.
///
/// A broker need not allow us any of that, nor say so. So a test that fails where it may be the
/// test alone that is not allowed proves nothing, and what real requests and replies show counts
/// more. What has passed once is allowed, though; and where over MQTT 3.1.1 nothing at all comes
/// back, nothing but requests of devices makes us believe that any can.
///
/// One publication at a time is under way. A broker may end the connection over one: then the test
/// rests. Knows no clock and no connection; time must not go backwards. Any thread may call
/// anything; its lock is a leaf.
class TopicTest {
 public:
  struct Topics {
    std::vector<std::string> requests;  ///< empty: there is no test
    std::vector<std::string> replies;
    std::vector<std::string> reply_filters;  ///< which bring in the replies and no request
    std::string reserved;  ///< what such topics begin with, our own and those of other instances
    /// The broker may hand a request to another instance than the one that it is from.
    bool shared = false;
    /// A group of shared subscriptions that nobody else is in; empty: none. Whoever shares its own
    /// requests with nobody must be handed all of them, or this broker's shared subscriptions do
    /// not work: some grant them and deliver nothing, on topics that begin with $ or on any.
    std::string own_group = {};
  };
  /// `nonce` tells ours from those of another process. `mqtt_5`: the broker says what it refuses.
  TopicTest(Topics topics, std::string nonce, bool mqtt_5);

  /// A connection is about to be made. What to subscribe to besides.
  std::vector<std::string> ask(MonotonicTime now);
  /// The connection is there, and its subscriptions have been answered. `answers`: the broker
  /// answers publications. `granted`: and has granted what ask() said.
  void begin(MonotonicTime now, bool answers, bool granted = true);
  /// The connection is gone.
  void end(MonotonicTime now);

  /// What to publish now, if it is time for that.
  std::optional<Publication> next(MonotonicTime now);
  /// When next() is worth calling again.
  [[nodiscard]] MonotonicTime due() const;

  /// A message arrived. True: it is part of a test, of ours or of another's, and nobody else's
  /// concern.
  bool arrived(MonotonicTime now, std::string_view topic, std::string_view payload);
  /// The broker has taken what next() said. Something may have to be published at once.
  void accepted(MonotonicTime now);
  /// It has answered that it does not.
  void refused(MonotonicTime now, const Refusal& why);

  /// The broker has answered a real reply.
  void reply_accepted();
  void reply_refused(const Refusal& why);

  enum class Verdict : std::uint8_t {
    off,       ///< there is no test
    untested,  ///< it is not over, or has no place beside the replies
    good,
    unseen,  ///< whether it works cannot be told
    bad,
  };
  /// What the operator can do about what is not good.
  static constexpr std::string_view requests_hint =
      "let the bridge's user read and write the request topics in the broker's ACL (in mosquitto: "
      "\"topic readwrite $aws/things/+/jobs/start-next\", and so on, with topics.base in place of "
      "$aws/...); if the broker drops topics that begin with $, or deals none of them out to "
      "shared "
      "subscriptions, set topics.base to one without, or take another broker";
  static constexpr std::string_view replies_hint =
      "let the bridge's user write replies in the broker's ACL (in mosquitto: \"topic write "
      "$aws/things/+/jobs/#\"); over MQTT 3.1.1 also read those of its self-test (\"topic read "
      "$aws/things/~self-test~<client id>/jobs/start-next/+\", and likewise jobs/get/+ and "
      "jobs/self-test/+/+)";
  struct State {
    Verdict requests = Verdict::off;
    std::string requests_cause;  ///< of `unseen` and `bad`
    Verdict replies = Verdict::off;
    std::string replies_cause;
    bool operator==(const State&) const = default;
  };
  [[nodiscard]] State state() const;

 private:
  struct Probe {
    std::string topic;
    bool is_request = false;
    /// `untestable`: publishing there, or what comes before, is the end of connections.
    enum class Outcome : std::uint8_t {
      untested,
      passed,
      refused,
      absent,
      untestable
    } outcome = {};
    std::string cause = {};  ///< of `refused`
    bool open = false;       ///< in this round: it has not come to anything yet
    /// Ever: so the test is allowed, and if it fails, something else is wrong.
    bool has_passed = false;
    /// Of a request: one of a device has come. If it has_passed, then since the last round began.
    bool seen_for_real = false;
  };
  [[nodiscard]] std::string payload() const;
  [[nodiscard]] bool is_open() const;
  void conclude(MonotonicTime now);
  void begin_round();
  void note_real_request(std::string_view topic);
  void summarize();
  void summarize_requests();
  void summarize_replies();

  const Topics topics_;
  const std::string nonce_;
  const bool mqtt_5_;

  mutable std::mutex mutex_;
  std::vector<Probe> probes_;  ///< requests, then replies
  State state_;
  /// A real one. If a reply of the test has ever passed, then since the last round began.
  bool reply_taken_ = false;
  std::optional<std::string> real_refusal_;  ///< why the last real one was not
  std::size_t real_requests_missing_ = 0;    ///< how many are not seen_for_real
  int fatal_in_a_row_ = 0;
  std::string fatal_topic_;
  MonotonicTime rests_until_ = MonotonicTime::min();

  // Of the present connection.
  bool asked_ = false;
  bool on_ = false;
  bool answers_ = true;
  bool dealt_ = false;  ///< our requests may have been handed to another
  bool in_round_ = false;
  std::size_t next_probe_ = 0;  ///< of this round
  bool under_way_ = false;      ///< the one before
  MonotonicTime next_at_{};
  MonotonicTime last_event_{};  ///< something was sent, answered, or arrived
  MonotonicTime all_sent_at_{};
  std::uint64_t round_ = 0;
};

}  // namespace jobs_bridge::mqtt
