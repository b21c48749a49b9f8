#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/jobs/message.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Proves that messages really flow: we publish to ourselves, now and then, and look whether it
/// comes back. "Connected" proves nothing: a link can be dead without a word, and a broker can have
/// lost our subscriptions.
///
/// Knows no clock and no connection: whoever uses it publishes what it says and tells it what
/// happens. Not thread-safe; time must not go backwards.
class Canary {
 public:
  /// `topic`: where we publish to and subscribe; empty: there is no canary. `nonce` tells ours from
  /// those of whoever else publishes there, and of an earlier process. `keep_alive`: a dead link is
  /// noticed within about as much.
  Canary(std::string topic, std::string nonce, Duration keep_alive);

  [[nodiscard]] const std::string& topic() const { return topic_; }

  /// A new connection is there, with the subscription granted or not.
  void begin(MonotonicTime now, bool granted);
  /// The connection is gone.
  void end();

  /// What to publish now, if it is time for one.
  std::optional<Publication> next(MonotonicTime now);

  /// A message arrived, whatever it was. Whether it is a canary, which is nobody else's concern.
  bool arrived(MonotonicTime now, std::string_view topic, std::string_view payload);
  /// The broker acknowledged something: the link lives, though nothing may flow to us.
  void acknowledged();

  enum class Finding {
    fine,
    dead,        ///< nothing comes back any more: connect anew
    impossible,  ///< on this link no canary ever came back, although it lives: it tells nothing
  };
  /// Says what there is to say since the last time it was asked.
  Finding look(MonotonicTime now);
  /// When next() and look() are worth asking again.
  [[nodiscard]] MonotonicTime due() const;

  /// Whether a canary has come back on this connection, and when last; and how long it took.
  [[nodiscard]] bool flowing() const { return last_return_.has_value(); }
  [[nodiscard]] std::optional<MonotonicTime> last_return() const { return last_return_; }
  [[nodiscard]] Duration round_trip() const { return round_trip_; }
  [[nodiscard]] bool is_on() const { return on_; }

 private:
  const std::string topic_;
  const std::string nonce_;
  const Duration every_;
  const Duration patience_;
  bool on_ = false;
  std::uint64_t sequence_ = 0;
  std::optional<MonotonicTime> outstanding_;  ///< when the first was sent that is not back
  MonotonicTime next_at_{};
  /// Since when a canary has had no answer of any kind.
  std::optional<MonotonicTime> unanswered_since_;
  MonotonicTime last_arrival_{};  ///< any message
  std::optional<MonotonicTime> last_return_;
  Duration round_trip_{};
};

}  // namespace jobs_bridge::mqtt
