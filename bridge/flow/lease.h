#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bridge/time.h"

namespace jobs_bridge {

/// Whether this instance may make calls, where a standby can take its place at the broker.
///
/// An instance and its standby connect to the broker as the same client, of which a broker has one
/// at a time: whoever connects ends the other's connection and is handed what the session keeps.
/// But who has lost his connection may not know it yet, or stand still and go on much later. So:
///
/// 1. A call is begun only while a message to ourselves is known to have come back that was sent
///    less than half a lease ago, and ends within half a lease: it is given two fifths of one, and
///    a tenth to be late.
/// 2. Who connects makes no call for a whole lease, unless his own last such message was sent less
///    than half a lease before.
///
/// What came back was sent before the broker accepted a successor, so by rule 1 all calls have
/// ended a lease after that, when by rule 2 the successor's begin. If he has been connected for
/// half a lease, rule 2 has his predecessor, when that comes back, wait as well; if for less, he
/// has not come to make a call, and cannot later: it would take a message that came back.
///
/// A standby keeps a second connection, under a name of its own, on which it hears the messages of
/// whoever has the place. It takes the place once a message to itself has come back over that
/// connection which was sent half a lease after the last of theirs came; and leaves it when its
/// connection ends, for good if it then hears one of theirs.
///
/// Knows no clock and no connection. All times are of a clock that goes on while the process or the
/// machine stands still. Not thread-safe; time must not go backwards.
class Lease {
 public:
  /// `length`: more than a message to ourselves and a call take together, several times over.
  Lease(Duration length, bool standby);

  /// The broker has accepted us in the place.
  void connected(MonotonicTime now);
  /// That connection is over.
  void disconnected(MonotonicTime now);
  /// A message to ourselves has come back over that connection.
  void came_back(MonotonicTime sent);

  /// Likewise over the standby's second connection, whose subscription to the others' is granted.
  void watch_came_back(MonotonicTime now, MonotonicTime sent);
  /// That one is over.
  void watch_ended();
  /// A message of whoever has the place has come over it.
  void heard(MonotonicTime now);

  enum class State : std::uint8_t {
    standby,     ///< another has the place, or we cannot see whether
    connecting,  ///< not connected, and not to make calls
    waiting,     ///< connected, until calls that another has begun are over
    active,      ///< calls may be begun
    unproven,    ///< no message to ourselves has come back of late: no call may be begun
  };
  [[nodiscard]] State state(MonotonicTime now) const;
  [[nodiscard]] bool may_call(MonotonicTime now) const { return state(now) == State::active; }
  /// When the wait is over, if nothing happens before; max(): there is none.
  [[nodiscard]] MonotonicTime due(MonotonicTime now) const;
  /// How long a call may take.
  [[nodiscard]] Duration longest_call() const { return length_ * 2 / 5; }
  /// Whether to be connected in the place.
  [[nodiscard]] bool wants_place() const { return wants_place_; }

 private:
  [[nodiscard]] bool is_recent(MonotonicTime now, const std::optional<MonotonicTime>& sent) const {
    return sent && now - *sent < length_ / 2;
  }
  [[nodiscard]] bool holds(MonotonicTime now) const;

  const Duration length_;
  const bool standby_;
  bool wants_place_;
  bool held_ = false;                         ///< rule 2 is fulfilled
  std::optional<MonotonicTime> connected_;    ///< since when we are
  std::optional<MonotonicTime> proven_;       ///< when the last message that came back was sent
  std::optional<MonotonicTime> quiet_since_;  ///< the others' place, as far as we can see
  Duration patience_;                         ///< how long it is to be before we take it
};

/// A word of [a-z], for programs.
std::string_view to_string(Lease::State state);

}  // namespace jobs_bridge
