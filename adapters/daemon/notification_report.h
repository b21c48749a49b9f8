#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "bridge/flow/effects.h"
#include "bridge/flow/notifier.h"
#include "bridge/flow/observer.h"
#include "bridge/ports/log.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Tells the operator how well the devices are kept informed: a line for each notification at
/// debug, and every few minutes one at info with what polling did and how long changes went unseen.
/// Any thread may call decided(), one alone log_if_due().
class NotificationReport final : public Observer {
 public:
  explicit NotificationReport(Log& log) : log_(log) {}

  void decided(Now now, const Effects& effects) override;
  /// Writes the line if it is due; `counts_now` is called only then. To be called every few
  /// seconds.
  void log_if_due(MonotonicTime now, const std::function<Notifier::Counts()>& counts_now);

 private:
  void add(const Notified& notified);

  Log& log_;
  std::mutex mutex_;
  std::vector<Duration> delays_;  ///< since the last line
  // Used by log_if_due() only.
  Notifier::Counts reported_;
  MonotonicTime next_{};
};

}  // namespace jobs_bridge
