#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "bridge/flow/back_off.h"
#include "bridge/flow/call.h"
#include "bridge/flow/random.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Keeps calls from an endpoint that is down.
///
///     closed ── several failures in a row, no success for a second ──> open
///       ^                                                              │  ^
///       │ enough successes                       a call is let through │  │ it fails: longer pause
///       │                                                              v  │
///       └──────────────── recovering <── it succeeds ─────────────── probing
///
/// While recovering, the calls in flight are limited, by one more after each success, so that an
/// endpoint that comes back is not met by all that has waited for it. A failure is an outcome that
/// tells of the endpoint and not of the request: Health::failing.
///
/// A 503 with a Retry-After is no reason by itself to leave the endpoint alone: it may be of the
/// one thing whose call it answered, and other things' calls go on. If it is the endpoint that
/// means it, other calls fail as well, and several failures in a row without a success open the
/// circuit; what they ask for then spaces the probes, up to the longest pause. Not thread-safe;
/// time must not go backwards.
class Circuit {
 public:
  /// Whether a call may be made besides those in flight.
  [[nodiscard]] bool allows(MonotonicTime now, std::size_t in_flight) const;
  /// When the next call is let through; the past if one could be made at once but for those in
  /// flight, MonotonicTime::max() while a probe is under way.
  [[nodiscard]] MonotonicTime next_probe() const;
  /// A call is made, which was allowed.
  void called(RequestId call);

  void succeeded(MonotonicTime now);
  /// `cause`, for devices, says what happened; `retry_after` is what the endpoint asked for with
  /// it. A call from before the outage tells nothing new.
  void failed(MonotonicTime now, RequestId call, const std::string& cause,
              std::optional<Duration> retry_after, Random& random);

  [[nodiscard]] bool is_open() const { return open_; }
  /// Of the last failure; empty while closed.
  [[nodiscard]] const std::string& cause() const { return cause_; }
  /// Since when no call has succeeded, while open.
  [[nodiscard]] MonotonicTime since() const { return since_; }

 private:
  bool open_ = false;
  std::optional<RequestId> probe_;  ///< under way, while open
  std::size_t window_ = 0;          ///< most calls in flight; 0: any number
  int failures_ = 0;                ///< in a row
  MonotonicTime last_success_{};
  MonotonicTime since_{};
  MonotonicTime next_probe_{};
  BackOff back_off_;
  std::string cause_;
};

}  // namespace jobs_bridge
