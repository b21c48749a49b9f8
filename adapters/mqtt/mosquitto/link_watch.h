#pragma once

#include <algorithm>

#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Checks whether the broker still sends anything. libmosquitto's own check pings after five
/// seconds at the earliest and gives up after the same time again, in whole seconds: too late for a
/// keep-alive below ten.
///
/// Uses neither a clock nor a connection. Not thread-safe.
class LinkWatch {
 public:
  LinkWatch(Duration keep_alive, MonotonicTime now)
      : quiet_(keep_alive * 3 / 4), timeout_(std::max<Duration>(least, keep_alive * 3 / 5)) {
    received(now);
  }

  /// Something was received.
  void received(MonotonicTime now) {
    due_ = now + quiet_;
    asked_ = false;
  }

  enum class Finding {
    fine,
    quiet,  ///< provoke an answer
    dead,
  };
  /// Returns `quiet` once: the broker then has until due() to answer.
  Finding check(MonotonicTime now) {
    if (now < due_) return Finding::fine;
    if (asked_) return Finding::dead;
    asked_ = true;
    due_ = now + timeout_;
    return Finding::quiet;
  }
  /// When check() should be called.
  [[nodiscard]] MonotonicTime due() const { return due_; }

 private:
  /// A broker may be slow occasionally, however short the keep-alive.
  static constexpr std::chrono::seconds least{1};

  const Duration quiet_;
  const Duration timeout_;
  MonotonicTime due_{};
  bool asked_ = false;
};

}  // namespace jobs_bridge::mqtt
