#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bridge/time.h"

namespace jobs_bridge {

/// Decides whether this instance may make calls, if a standby can take its place at the broker.
///
/// An instance and its standby connect to the broker with the same client id, for which a broker
/// allows one connection at a time: a new connection ends the other one and gets the messages kept
/// in the session. But the instance that has lost its connection may not know it yet, or may be
/// stopped and continue much later. So:
///
/// 1. A call is begun only while a canary sent less than half a lease ago is known to have come
///    back, and ends within half a lease: it gets two fifths of a lease, and a tenth is left for
///    delays.
/// 2. An instance that connects makes no call for a whole lease, unless its own last canary that
///    came back was sent less than half a lease before.
///
/// A canary that came back was sent before the broker accepted a successor, so by rule 1 all calls
/// have ended one lease after that, which is when the successor's begin by rule 2. If the successor
/// has been connected for half a lease, rule 2 makes its predecessor wait too when that one
/// reconnects; if for less, the successor has made no call yet, and cannot later without a canary
/// that comes back.
///
/// A standby keeps a second connection, under a name of its own, on which it receives the canaries
/// of the instance that has the place. It takes the place once a canary of its own has come back
/// over that connection that was sent half a lease after the last one of the other instance
/// arrived. It gives the place up when its connection ends, permanently if it then receives a
/// canary of the other instance.
///
/// Uses neither a clock nor a connection. All times are of a clock that goes on while the process
/// is stopped or the machine suspended. Not thread-safe; time must not go backwards.
class Lease {
 public:
  /// `length`: several times as long as a canary and a call take together.
  Lease(Duration length, bool standby);

  /// The broker has accepted us in the place.
  void connected(MonotonicTime now);
  /// That connection has ended.
  void disconnected(MonotonicTime now);
  /// A canary has come back over that connection.
  void came_back(MonotonicTime sent);

  /// A canary has come back over the standby's second connection, whose subscription to the other
  /// instance's canaries has been granted.
  void watch_came_back(MonotonicTime now, MonotonicTime sent);
  /// The second connection has ended.
  void watch_ended();
  /// A canary of the instance that has the place has arrived over the second connection.
  void heard(MonotonicTime now);

  enum class State : std::uint8_t {
    standby,     ///< another instance has the place, or that is unknown
    connecting,  ///< not connected, and not to make calls
    waiting,     ///< connected, until calls begun by another instance have ended
    active,      ///< calls may be begun
    unproven,    ///< no canary has come back lately: no call may be begun
  };
  [[nodiscard]] State state(MonotonicTime now) const;
  [[nodiscard]] bool may_call(MonotonicTime now) const { return state(now) == State::active; }
  /// When the wait ends if nothing happens before; max(): there is no wait.
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
  bool held_ = false;                       ///< rule 2 is fulfilled
  std::optional<MonotonicTime> connected_;  ///< since when we are
  std::optional<MonotonicTime> proven_;     ///< when the last canary that came back was sent
  std::optional<MonotonicTime>
      quiet_since_;    ///< since when nothing of the other instance has been seen
  Duration patience_;  ///< how long that must last before we take the place
};

/// A word of [a-z], for programs.
std::string_view to_string(Lease::State state);

}  // namespace jobs_bridge
