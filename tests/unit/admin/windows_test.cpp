#include "adapters/admin/windows.h"

#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge::admin {
namespace {

using namespace std::chrono_literals;

const MonotonicTime first_second{1000s};

TEST(RateWindowTest, CountsTheLastTenWholeSeconds) {
  RateWindow rate;
  for (int event = 0; event < 50; ++event) rate.add(first_second + event * 100ms);
  EXPECT_EQ(rate.per_second(first_second + 5s), 5.0) << "50 in ten seconds";
  EXPECT_EQ(rate.per_second(first_second + 9s), 5.0);
  EXPECT_EQ(rate.per_second(first_second + 12s), 3.0) << "the first two seconds are past";
  EXPECT_EQ(rate.per_second(first_second + 1h), 0.0);
}

TEST(RateWindowTest, EventsAfterALongPauseDoNotMeetOldOnes) {
  RateWindow rate;
  for (int event = 0; event < 100; ++event) rate.add(first_second);
  rate.add(first_second + 1h);
  EXPECT_EQ(rate.per_second(first_second + 1h + 1s), 0.1);
}

TEST(RateWindowTest, EventOlderThanTheLatestCountsAsOfThatSecond) {
  RateWindow rate;
  rate.add(first_second + 5s);
  rate.add(first_second + 3s);
  EXPECT_EQ(rate.per_second(first_second + 6s), 0.2);
}

TEST(LatencyWindowTest, QuantilesAreWithinSevenPercent) {
  LatencyWindow window(12, 5s);
  for (int ms = 1; ms <= 1000; ++ms) window.add(first_second, std::chrono::milliseconds(ms));
  const auto latency = window.over(first_second, 1min);
  EXPECT_EQ(latency.count, 1000U);
  const auto near = [](Duration measured, double ms) {
    EXPECT_NEAR(std::chrono::duration<double>(measured).count() * 1000, ms, 0.07 * ms);
  };
  near(latency.p50, 500);
  near(latency.p95, 950);
  near(latency.p99, 990);
}

TEST(LatencyWindowTest, WhatIsOlderThanTheSpanDoesNotCount) {
  LatencyWindow window(12, 5s);
  window.add(first_second, 1s);
  window.add(first_second + 60s, 10ms);
  EXPECT_EQ(window.over(first_second + 60s, 1min).count, 1U);
  EXPECT_EQ(window.over(first_second + 10min, 1min).count, 0U);
}

TEST(LatencyWindowTest, ALookFromJustBeforeTheLatestSliceDoesNotTakeThatForAnOldOne) {
  LatencyWindow window(2, 5s);
  window.add(first_second, 1s);
  EXPECT_EQ(window.over(first_second - 1s, 10s).count, 0U);
}

TEST(LatencyWindowTest, OneThatIsAddedLateCountsAsOfTheLatestSlice) {
  LatencyWindow window(2, 5s);
  window.add(first_second, 1s);
  window.add(first_second - 1s, 1s);
  window.add(first_second, 1s);
  EXPECT_EQ(window.over(first_second, 5s).count, 3U);
}

TEST(LatencyWindowTest, CourseHasASliceForEveryStepOldestFirst) {
  LatencyWindow window(4, 5s);
  window.add(first_second, 2ms);
  window.add(first_second + 5s, 4ms);
  window.add(first_second + 5s, 4ms);
  const auto course = window.course(first_second + 10s);
  ASSERT_EQ(course.size(), 3U) << "the present slice is not whole yet";
  EXPECT_EQ(course[0].count, 0U);
  EXPECT_EQ(course[1].count, 1U);
  EXPECT_EQ(course[2].count, 2U);
}

TEST(LatencyWindowTest, ExtremesGoIntoTheOuterBuckets) {
  LatencyWindow window(2, 5s);
  window.add(first_second, -1s);
  EXPECT_EQ(window.over(first_second, 5s).p50, 0us);
  LatencyWindow other(2, 5s);
  other.add(first_second, 24h);
  EXPECT_GT(other.over(first_second, 5s).p50, 1min);
}

}  // namespace
}  // namespace jobs_bridge::admin
