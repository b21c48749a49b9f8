#include "adapters/log/rate_limited_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace jobs_bridge::logging {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RecordingLog final : public Log {
 public:
  using Log::write;
  bool enabled(Severity severity) const override { return severity >= level; }
  void write(Severity severity, std::string_view event,
             std::initializer_list<Field> fields) override {
    const std::lock_guard lock(mutex);
    std::string line(event);
    if (severity == Severity::error) line += "!";
    for (const auto& field : fields) {
      line.append(" ").append(field.name).append("=").append(field.value);
    }
    lines.push_back(line);
  }

  Severity level = Severity::trace;
  std::mutex mutex;
  std::vector<std::string> lines;
};

class RateLimitedLogTest : public ::testing::Test {
 protected:
  RateLimitedLogTest()
      : log_(inner_, {.lines = 2, .window = seconds(60)}, [this] { return now_; }) {}

  void warn(std::string_view event, std::string_view value) {
    log_.write(Severity::warning, event, {{"n", value}});
  }

  RecordingLog inner_;
  MonotonicTime now_{};
  RateLimitedLog log_;
};

TEST_F(RateLimitedLogTest, LinesPastTheLimitAreSuppressed) {
  warn("a", "1");
  warn("a", "2");
  warn("a", "3");
  EXPECT_THAT(inner_.lines, ElementsAre("a n=1", "a n=2"));
}

TEST_F(RateLimitedLogTest, NextEventAfterTheWindowTellsHowManyWereSuppressed) {
  for (const auto* n : {"1", "2", "3", "4", "5"}) warn("a", n);
  now_ += seconds(59);
  warn("a", "6");
  now_ += seconds(1);
  warn("a", "7");
  EXPECT_THAT(inner_.lines, ElementsAre("a n=1", "a n=2", "a suppressed=4", "a n=7"));
  inner_.lines.clear();
  warn("a", "8");
  warn("a", "9");
  now_ += seconds(60);
  warn("a", "10");
  EXPECT_THAT(inner_.lines, ElementsAre("a n=8", "a suppressed=1", "a n=10"));
}

TEST_F(RateLimitedLogTest, NothingIsSaidWhenNothingWasSuppressed) {
  warn("a", "1");
  now_ += seconds(60);
  warn("a", "2");
  EXPECT_THAT(inner_.lines, ElementsAre("a n=1", "a n=2"));
}

TEST_F(RateLimitedLogTest, EachEventHasItsOwnLimit) {
  for (const auto* n : {"1", "2", "3"}) warn("a", n);
  warn("b", "1");
  EXPECT_THAT(inner_.lines, ElementsAre("a n=1", "a n=2", "b n=1"));
}

TEST_F(RateLimitedLogTest, InformationIsNeverSuppressed) {
  for (int i = 0; i < 5; ++i) log_.write(Severity::info, "a");
  EXPECT_THAT(inner_.lines, ElementsAre("a", "a", "a", "a", "a"));
}

TEST_F(RateLimitedLogTest, WhatTheLevelDropsIsNotCounted) {
  inner_.level = Severity::error;
  for (int i = 0; i < 5; ++i) warn("a", "x");
  EXPECT_THAT(inner_.lines, IsEmpty());
  log_.write(Severity::error, "a");
  EXPECT_THAT(inner_.lines, ElementsAre("a!"));
}

TEST_F(RateLimitedLogTest, SummaryHasTheWorstSeverityThatWasSuppressed) {
  warn("a", "1");
  warn("a", "2");
  log_.write(Severity::error, "a");
  warn("a", "3");
  now_ += seconds(60);
  warn("a", "4");
  EXPECT_THAT(inner_.lines, ElementsAre("a n=1", "a n=2", "a! suppressed=2", "a n=4"));
}

TEST(RateLimitedLogEndTest, EndTellsWhatIsStillSuppressed) {
  RecordingLog inner;
  {
    RateLimitedLog log(inner, {.lines = 1, .window = seconds(60)}, [] { return MonotonicTime{}; });
    for (int i = 0; i < 3; ++i) log.write(Severity::warning, "a");
  }
  EXPECT_THAT(inner.lines, ElementsAre("a", "a suppressed=2"));
}

TEST(RateLimitedLogEndTest, DefaultIsTenLinesAMinute) {
  RecordingLog inner;
  RateLimitedLog log(inner);
  for (int i = 0; i < 11; ++i) log.write(Severity::warning, "a");
  EXPECT_EQ(inner.lines.size(), 10U);
}

TEST(RateLimitedLogEndTest, EventsMadeOfValuesShareAWindowAfterAThousand) {
  RecordingLog inner;
  {
    RateLimitedLog log(inner, {.lines = 1, .window = seconds(60)}, [] { return MonotonicTime{}; });
    for (int i = 0; i < 1024 + 5; ++i) log.write(Severity::warning, "event " + std::to_string(i));
    EXPECT_EQ(inner.lines.size(), 1025U);
  }
  EXPECT_EQ(inner.lines.back(), "other events suppressed=4");
}

TEST(RateLimitedLogEndTest, SummaryOfTheSharedWindowDoesNotNameTheNextEvent) {
  RecordingLog inner;
  MonotonicTime now{};
  RateLimitedLog log(inner, {.lines = 1, .window = seconds(60)}, [&] { return now; });
  for (int i = 0; i < 1024 + 5; ++i) log.write(Severity::warning, "event " + std::to_string(i));
  inner.lines.clear();
  now += seconds(60);
  log.write(Severity::warning, "event new");
  EXPECT_THAT(inner.lines, ElementsAre("other events suppressed=4", "event new"));
}

TEST(RateLimitedLogEndTest, SeveralThreadsLoseNoCount) {
  RecordingLog inner;
  {
    RateLimitedLog log(inner, {.lines = 10, .window = seconds(60)}, [] { return MonotonicTime{}; });
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 250; ++n) log.write(Severity::warning, "a");
      });
    }
    for (auto& thread : threads) thread.join();
  }
  ASSERT_EQ(inner.lines.size(), 11U);
  EXPECT_EQ(inner.lines.back(), "a suppressed=990");
}

}  // namespace
}  // namespace jobs_bridge::logging
