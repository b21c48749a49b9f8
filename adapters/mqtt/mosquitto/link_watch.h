#pragma once

#include <algorithm>

#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Whether the broker still says anything. libmosquitto's own look pings after five seconds at the
/// earliest and gives up after as long again, in whole seconds: too late for a keep-alive below
/// ten.
///
/// Knows no clock and no connection. Not thread-safe.
class LinkWatch {
 public:
  LinkWatch(Duration keep_alive, MonotonicTime now)
      : quiet_(keep_alive * 3 / 4), patience_(std::max<Duration>(least, keep_alive * 3 / 5)) {
    heard(now);
  }

  /// Something came.
  void heard(MonotonicTime now) {
    due_ = now + quiet_;
    asked_ = false;
  }

  enum class Finding {
    fine,
    quiet,  ///< make it say something
    dead,
  };
  /// Says `quiet` once: it then has until due().
  Finding look(MonotonicTime now) {
    if (now < due_) return Finding::fine;
    if (asked_) return Finding::dead;
    asked_ = true;
    due_ = now + patience_;
    return Finding::quiet;
  }
  /// When look() is worth calling.
  [[nodiscard]] MonotonicTime due() const { return due_; }

 private:
  /// A broker may be slow for once, however short the keep-alive.
  static constexpr std::chrono::seconds least{1};

  const Duration quiet_;
  const Duration patience_;
  MonotonicTime due_{};
  bool asked_ = false;
};

}  // namespace jobs_bridge::mqtt
