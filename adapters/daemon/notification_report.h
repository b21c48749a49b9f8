#pragma once

#include <mutex>
#include <vector>

#include "bridge/flow/effects.h"
#include "bridge/flow/notifier.h"
#include "bridge/ports/log.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Tells the operator how well the devices are kept informed: a line for each notification at
/// debug, and every few minutes one at info with what polling did and how long changes went unseen.
/// Any thread may call it.
class NotificationReport {
 public:
  explicit NotificationReport(Log& log) : log_(log) {}

  void add(const Notified& notified);
  /// To be called periodically.
  void tick(MonotonicTime now, const Notifier::Counts& counts);

 private:
  Log& log_;
  std::mutex mutex_;
  std::vector<Duration> delays_;  ///< since the last line
  Notifier::Counts reported_;
  MonotonicTime next_{};
};

}  // namespace jobs_bridge
