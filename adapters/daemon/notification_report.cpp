#include "adapters/daemon/notification_report.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

constexpr Duration every = 5min;
constexpr std::size_t max_delays = 10000;

std::string text_of(Duration duration) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  const auto fraction = std::to_string(1000 + milliseconds % 1000).substr(1);
  return std::to_string(milliseconds / 1000) + "." + fraction + "s";
}

/// `sorted` holds at least one.
Duration quantile(const std::vector<Duration>& sorted, double share) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(share * last)];
}

}  // namespace

void NotificationReport::decided(Now /*now*/, const Effects& effects) {
  for (const auto& notified : effects.notified) add(notified);
}

void NotificationReport::add(const Notified& notified) {
  if (log_.enabled(Severity::debug)) {
    log_.write(Severity::debug, "device notified",
               {{"thing", notified.thing},
                {"notify", notified.notify ? "yes" : "no"},
                {"notify_next", notified.notify_next ? "yes" : "no"},
                {"detected_within", text_of(notified.delay)}});
  }
  const std::lock_guard lock(mutex_);
  if (delays_.size() < max_delays) delays_.push_back(notified.delay);
}

void NotificationReport::log_if_due(MonotonicTime now,
                                    const std::function<Notifier::Counts()>& counts_now) {
  if (next_ == MonotonicTime{}) next_ = now + every;
  if (now < next_) return;
  next_ = now + every;
  const auto counts = counts_now();
  const auto before = std::exchange(reported_, counts);
  std::vector<Duration> delays;
  {
    const std::lock_guard lock(mutex_);
    delays.swap(delays_);
  }
  if (counts.watched == 0 && counts.calls == before.calls) return;
  std::ranges::sort(delays);
  log_.write(Severity::info, "notifications in the last minutes",
             {{"things_watched", std::to_string(counts.watched)},
              {"things_refused", std::to_string(counts.not_watched)},
              {"interval", text_of(counts.interval)},
              {"polls", std::to_string(counts.calls - before.calls)},
              {"failed_polls", std::to_string(counts.failed_calls - before.failed_calls)},
              {"notifications", std::to_string(counts.notifications - before.notifications)},
              {"detection_delay_p50", delays.empty() ? "none" : text_of(quantile(delays, 0.5))},
              {"detection_delay_p99", delays.empty() ? "none" : text_of(quantile(delays, 0.99))},
              {"detection_delay_max", delays.empty() ? "none" : text_of(delays.back())}});
}

}  // namespace jobs_bridge
