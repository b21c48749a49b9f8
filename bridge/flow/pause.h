#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "bridge/flow/call.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// A pause that the endpoint asked for: no calls until it is over, except for occasional trials
/// that show whether it is still needed.
///
/// A pause up to `trial_after` is honoured exactly, which covers AWS's per-second quotas. A longer
/// pause costs one call every `trial_after`, and ends at the latest that long after the endpoint
/// serves again: sooner than a waiting device gives up. Not thread-safe; time must not go
/// backwards.
class Pause {
 public:
  /// A longer Retry-After is cut to this.
  static constexpr Duration longest = std::chrono::minutes(5);
  static constexpr Duration trial_after = std::chrono::seconds(5);

  /// A call was answered with a Retry-After of `duration`. Returns whether this begins a pause. The
  /// answer to a trial replaces the end of the pause; answers to other calls, which were made
  /// earlier, can only extend it.
  bool ask(MonotonicTime now, RequestId call, Duration duration) {
    const bool begins = duration > Duration::zero() && !until_;
    const auto until = now + std::min(duration, longest);
    if (is_trial(call)) {
      until_ = until;
      trial_.reset();
      next_trial_ = now + trial_after;
    } else if (begins) {
      began_ = now;
      until_ = until;
      next_trial_ = now + trial_after;
    } else if (until_) {
      until_ = std::max(*until_, until);
    }
    return begins;
  }

  /// When a call may be made in the present state: a time in the past if there is no pause.
  [[nodiscard]] MonotonicTime ready_at() const {
    if (!until_) return MonotonicTime::min();
    return trial_ ? *until_ : std::min(*until_, next_trial_);
  }
  void called(MonotonicTime now, RequestId call) {
    if (until_ && now < *until_) trial_ = call;
  }
  [[nodiscard]] bool is_trial(RequestId call) const { return trial_ == call; }
  /// A trial was inconclusive, or showed that the pause has to go on.
  void failed(MonotonicTime now, RequestId call) {
    if (!is_trial(call)) return;
    trial_.reset();
    next_trial_ = now + trial_after;
  }

  /// The latest end of the pause; nothing if there is no pause.
  [[nodiscard]] std::optional<MonotonicTime> until() const { return until_; }
  /// How long the pause lasted, if it is over at `now` or was ended by the success of that call.
  std::optional<Duration> end(MonotonicTime now) {
    return until_ && now >= *until_ ? std::optional(finish(*until_)) : std::nullopt;
  }
  std::optional<Duration> end(MonotonicTime now, RequestId success) {
    return until_ && is_trial(success) ? std::optional(finish(now)) : std::nullopt;
  }

 private:
  Duration finish(MonotonicTime now) {
    until_.reset();
    trial_.reset();
    return now - began_;
  }

  std::optional<MonotonicTime> until_;
  MonotonicTime began_{};
  MonotonicTime next_trial_{};
  std::optional<RequestId> trial_;  ///< under way
};

}  // namespace jobs_bridge
