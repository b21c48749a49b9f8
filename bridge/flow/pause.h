#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "bridge/flow/call.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// A pause that the endpoint asked for: no calls until it is over, but for a trial now and then
/// that tells whether it still has to be.
///
/// What is asked for is honoured to the letter up to `trial_after`, which covers what AWS's quotas
/// of a second need. A longer pause costs one call each `trial_after`, and is over that long after
/// the endpoint serves again, at the latest: sooner than a device that waits for its reply gives
/// up. Not thread-safe; time must not go backwards.
class Pause {
 public:
  /// A server that asks for more is not believed.
  static constexpr Duration longest = std::chrono::minutes(5);
  static constexpr Duration trial_after = std::chrono::seconds(5);

  /// A call was answered with that wish. Whether a pause begins by it. What a trial is told counts
  /// from now on; what other calls are told, which were made before, only prolongs.
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

  /// When a call may be made, as things are: the past without a pause.
  [[nodiscard]] MonotonicTime ready_at() const {
    if (!until_) return MonotonicTime::min();
    return trial_ ? *until_ : std::min(*until_, next_trial_);
  }
  void called(MonotonicTime now, RequestId call) {
    if (until_ && now < *until_) trial_ = call;
  }
  [[nodiscard]] bool is_trial(RequestId call) const { return trial_ == call; }
  /// A trial told nothing, or that the pause has to go on.
  void failed(MonotonicTime now, RequestId call) {
    if (!is_trial(call)) return;
    trial_.reset();
    next_trial_ = now + trial_after;
  }

  /// Until when, at the longest; nothing: there is none.
  [[nodiscard]] std::optional<MonotonicTime> until() const { return until_; }
  /// How long it lasted if it is over at `now`, or by the success of that call.
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
