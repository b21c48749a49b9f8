#include "adapters/daemon/notification_report.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/support/recording_log.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;
using testing_support::RecordingLog;

class NotificationReportTest : public testing::Test {
 protected:
  void notified_after(Duration delay) {
    Effects effects;
    effects.notified.push_back({.thing = "pump", .notify = true, .delay = delay});
    report_.decided({}, effects);
  }
  void look(Duration after_start, Notifier::Counts counts = {}) {
    report_.log_if_due(MonotonicTime(1h) + after_start, [&] {
      ++counted_;
      return counts;
    });
  }
  [[nodiscard]] std::size_t summaries() const { return log_.count("notifications in the last"); }

  RecordingLog log_;
  NotificationReport report_{log_};
  int counted_ = 0;
};

TEST_F(NotificationReportTest, EachNotificationIsALineAtDebug) {
  notified_after(1250ms);
  ASSERT_EQ(log_.lines().size(), 1U);
  EXPECT_EQ(log_.lines().front().severity, Severity::debug);
  EXPECT_EQ(log_.lines().front().text,
            "device notified thing=pump notify=yes notify_next=no detected_within=1.250s");
}

TEST_F(NotificationReportTest, EveryFiveMinutesALineTellsWhatHappenedSinceTheLast) {
  look(0s);
  for (const auto delay : {3s, 1s, 2s}) notified_after(delay);
  look(299s);
  EXPECT_EQ(summaries(), 0U);
  EXPECT_EQ(counted_, 0) << "counting costs a lock";
  look(300s, {.watched = 7, .calls = 40, .failed_calls = 2, .notifications = 3});
  ASSERT_EQ(summaries(), 1U) << log_.text();
  EXPECT_EQ(log_.count("things_watched=7 things_refused=0 interval=0.000s polls=40 failed_polls=2 "
                       "notifications=3 detection_delay_p50=2.000s detection_delay_p99=2.000s "
                       "detection_delay_max=3.000s",
                       Severity::info),
            1U)
      << log_.text();

  look(600s, {.watched = 7, .calls = 41, .failed_calls = 2, .notifications = 3});
  EXPECT_EQ(log_.count("polls=1 failed_polls=0 notifications=0 detection_delay_p50=none "
                       "detection_delay_p99=none detection_delay_max=none"),
            1U)
      << log_.text();
}

TEST_F(NotificationReportTest, NoThingWatchedAndNoPollIsNoLine) {
  look(0s);
  look(300s);
  EXPECT_EQ(counted_, 1);
  EXPECT_EQ(summaries(), 0U);
}

}  // namespace
}  // namespace jobs_bridge
