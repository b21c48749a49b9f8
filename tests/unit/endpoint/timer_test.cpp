#include <gtest/gtest.h>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Driver;
using testing::start;
using testing::start_second;

Json timeout_of(int in_progress_minutes) {
  return {{"timeoutConfig", {{"inProgressTimeoutInMinutes", in_progress_minutes}}}};
}

Json execution(Driver& driver) {
  return driver.describe("t", "j").body["execution"];
}

TEST(EndpointTimerTest, InProgressTimerRunsFromTheStartNotFromQueueing) {
  Driver driver;
  driver.create("j", "t", timeout_of(10));
  driver.now += minutes(100);
  EXPECT_EQ(execution(driver)["status"], "QUEUED");
  driver.start_next("t");
  driver.now += minutes(10) - milliseconds(1);
  EXPECT_EQ(execution(driver)["status"], "IN_PROGRESS");
  driver.now += milliseconds(1);
  EXPECT_EQ(execution(driver)["status"], "TIMED_OUT");
}

TEST(EndpointTimerTest, TimeoutIsStampedWithItsDeadlineHoweverLateAnyoneLooks) {
  Driver driver;
  driver.create("j", "t", timeout_of(10));
  driver.start_next("t");
  driver.now += minutes(500);
  EXPECT_EQ(execution(driver)["lastUpdatedAt"], start_second + 600);
  EXPECT_EQ(execution(driver)["versionNumber"], 3);
  EXPECT_EQ(driver.start_next("t").text, "{}");
  EXPECT_EQ(driver.update("t", "j", R"({"status":"SUCCEEDED"})").status, 409);
}

TEST(EndpointTimerTest, UpdateToInProgressStartsTheTimerOnce) {
  Driver driver;
  driver.create("j", "t", timeout_of(10));
  driver.update("t", "j", R"({"status":"IN_PROGRESS"})");
  driver.now += minutes(9);
  driver.update("t", "j", R"({"status":"IN_PROGRESS"})");
  driver.now += minutes(1);
  EXPECT_EQ(execution(driver)["status"], "TIMED_OUT");
}

TEST(EndpointTimerTest, StepTimersReplaceEachOtherAndNeverPassTheInProgressTimer) {
  // The worked example of the developer guide: 20 minutes; steps of 7 at :05, 5 at :10, 9 at :13.
  Driver driver;
  driver.create("j", "t", timeout_of(20));
  driver.start_next("t");
  const auto step = [&driver](minutes at, int step_minutes) {
    driver.now = start + at;
    EXPECT_EQ(
        driver
            .update("t", "j",
                    Json{{"status", "IN_PROGRESS"}, {"stepTimeoutInMinutes", step_minutes}}.dump())
            .status,
        200);
    return execution(driver)["approximateSecondsBeforeTimedOut"].get<int>();
  };
  EXPECT_EQ(step(minutes(5), 7), 7 * 60);
  EXPECT_EQ(step(minutes(10), 5), 5 * 60);
  EXPECT_EQ(step(minutes(13), 9), 7 * 60);
  driver.now = start + minutes(20) - milliseconds(1);
  EXPECT_EQ(execution(driver)["status"], "IN_PROGRESS");
  driver.now = start + minutes(20);
  EXPECT_EQ(execution(driver)["status"], "TIMED_OUT");
}

TEST(EndpointTimerTest, StepTimerOfStartNextExpires) {
  Driver driver;
  driver.create("j", "t");
  driver.start_next("t", R"({"stepTimeoutInMinutes":2})");
  EXPECT_EQ(execution(driver)["approximateSecondsBeforeTimedOut"], 120);
  driver.now += minutes(2);
  EXPECT_EQ(execution(driver)["status"], "TIMED_OUT");
  EXPECT_FALSE(execution(driver).contains("approximateSecondsBeforeTimedOut"));
}

TEST(EndpointTimerTest, UpdateWithoutAStepTimeoutLeavesTheTimerRunning) {
  Driver driver;
  driver.create("j", "t");
  driver.start_next("t", R"({"stepTimeoutInMinutes":2})");
  driver.now += minutes(1);
  driver.update("t", "j", R"({"status":"IN_PROGRESS"})");
  EXPECT_EQ(execution(driver)["approximateSecondsBeforeTimedOut"], 60);
}

TEST(EndpointTimerTest, MinusOneStopsTheStepTimerOnly) {
  Driver driver;
  driver.create("j", "t", timeout_of(20));
  driver.start_next("t", R"({"stepTimeoutInMinutes":2})");
  driver.update("t", "j", R"({"status":"IN_PROGRESS","stepTimeoutInMinutes":-1})");
  EXPECT_EQ(execution(driver)["approximateSecondsBeforeTimedOut"], 20 * 60);
}

TEST(EndpointTimerTest, TerminalStatusStopsBothTimers) {
  Driver driver;
  driver.create("j", "t", timeout_of(20));
  driver.start_next("t", R"({"stepTimeoutInMinutes":2})");
  driver.update("t", "j", R"({"status":"SUCCEEDED"})");
  driver.now += minutes(60);
  EXPECT_EQ(execution(driver)["status"], "SUCCEEDED");
  EXPECT_EQ(execution(driver)["versionNumber"], 3);
}

TEST(EndpointTimerTest, WithoutATimerNothingIsSaidAboutTime) {
  Driver driver;
  driver.create("j", "t");
  driver.start_next("t");
  EXPECT_FALSE(execution(driver).contains("approximateSecondsBeforeTimedOut"));
  driver.now += std::chrono::hours(24 * 365);
  EXPECT_EQ(execution(driver)["status"], "IN_PROGRESS");
}

TEST(EndpointTimerTest, TimeScaleMakesMinutesSeconds) {
  Driver driver({.time_scale = 60});
  driver.create("j", "t", timeout_of(10));
  driver.start_next("t");
  EXPECT_EQ(execution(driver)["approximateSecondsBeforeTimedOut"], 600);
  driver.now += seconds(5);
  EXPECT_EQ(execution(driver)["approximateSecondsBeforeTimedOut"], 300);
  driver.now += seconds(5);
  EXPECT_EQ(execution(driver)["status"], "TIMED_OUT");
}

TEST(EndpointTimerTest, TimeScaleCountsForStepTimersToo) {
  Driver driver({.time_scale = 60});
  driver.create("j", "t", timeout_of(10));
  driver.start_next("t", R"({"stepTimeoutInMinutes":2})");
  EXPECT_EQ(execution(driver)["approximateSecondsBeforeTimedOut"], 120);
  driver.now += seconds(1);
  driver.update("t", "j", R"({"status":"IN_PROGRESS","stepTimeoutInMinutes":3})");
  EXPECT_EQ(execution(driver)["approximateSecondsBeforeTimedOut"], 180);
  driver.now += seconds(3) - milliseconds(1);
  EXPECT_EQ(execution(driver)["status"], "IN_PROGRESS");
  driver.now += milliseconds(1);
  EXPECT_EQ(execution(driver)["status"], "TIMED_OUT");
}

TEST(EndpointTimerTest, TimersOfSeveralThingsExpireInTheirOwnTime) {
  Driver driver;
  driver.create_for("j", {"a", "b"}, timeout_of(10));
  driver.start_next("b");
  driver.now += minutes(5);
  driver.start_next("a");
  driver.now += minutes(5);
  EXPECT_EQ(driver.describe("b", "j").body["execution"]["status"], "TIMED_OUT");
  EXPECT_EQ(driver.describe("a", "j").body["execution"]["status"], "IN_PROGRESS");
}

}  // namespace
}  // namespace jobs_endpoint
