#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bridge/time.h"

namespace jobs_bridge {

/// Decides whether this instance may make calls, if a standby can take over from it at the broker.
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
/// The instance that is connected with that client id is the primary. A standby keeps a second
/// connection, the standby link, under a client id of its own, on which it receives the primary's
/// canaries. It connects as the primary once a canary of its own has come back over the standby
/// link that was sent half a lease after the last one of the other instance arrived. It stops being
/// the primary when that connection ends, permanently if it then receives a canary of the other
/// instance.
///
/// Uses neither a clock nor a connection. All times are of a clock that goes on while the process
/// is stopped or the machine suspended. Not thread-safe; time must not go backwards.
class Lease {
 public:
  /// `length`: several times as long as a canary and a call take together.
  Lease(Duration length, bool standby);

  /// The broker has accepted us as the primary.
  void connected(MonotonicTime now);
  /// That connection has ended.
  void disconnected(MonotonicTime now);
  /// A canary has come back over that connection.
  void canary_returned(MonotonicTime sent);

  /// A canary of our own has come back over the standby link, whose subscription to the other
  /// instance's canaries has been granted.
  void standby_canary_returned(MonotonicTime now, MonotonicTime sent);
  /// The standby link has ended.
  void standby_link_ended();
  /// A canary of the primary has arrived over the standby link.
  void other_canary_arrived(MonotonicTime now);

  enum class State : std::uint8_t {
    standby,     ///< another instance is the primary, or that is unknown
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
  [[nodiscard]] Duration max_call_duration() const { return length_ * 2 / 5; }
  /// Whether to be connected as the primary.
  [[nodiscard]] bool wants_primary() const { return wants_primary_; }

 private:
  [[nodiscard]] bool is_recent(MonotonicTime now, const std::optional<MonotonicTime>& sent) const {
    return sent && now - *sent < length_ / 2;
  }
  /// Whether rule 2 is fulfilled.
  [[nodiscard]] bool has_waited(MonotonicTime now) const;

  const Duration length_;
  const bool standby_;
  bool wants_primary_;
  bool waited_ = false;  ///< rule 2 was fulfilled when the connection began or ended
  std::optional<MonotonicTime> connected_;  ///< since when we are
  std::optional<MonotonicTime> proven_;     ///< when the last canary that came back was sent
  std::optional<MonotonicTime>
      quiet_since_;        ///< since when no canary of the other instance has arrived
  Duration quiet_needed_;  ///< how long that must last before we connect as the primary
};

/// A word of [a-z], for programs.
std::string_view to_string(Lease::State state);

}  // namespace jobs_bridge
