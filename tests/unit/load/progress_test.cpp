#include "tests/load/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace jobs_load {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

class ProgressTest : public testing::Test {
 protected:
  /// What was said about requests, apart from the figures.
  [[nodiscard]] std::vector<nlohmann::json> events() const { return of("progress", false); }
  [[nodiscard]] nlohmann::json last_figures() const { return of("progress", true).back(); }

  std::vector<nlohmann::json> lines;
  const Time start = Time(1000s);
  Progress progress{5s, 10s, [this](const std::string& line) {
                      EXPECT_EQ(line.back(), '\n');
                      lines.push_back(nlohmann::json::parse(line));
                    }};

 private:
  [[nodiscard]] std::vector<nlohmann::json> of(const char* event, bool is) const {
    std::vector<nlohmann::json> found;
    for (const auto& line : lines) {
      if ((line.at("event") == event) == is) found.push_back(line);
    }
    return found;
  }
};

TEST_F(ProgressTest, FiguresComeOnceInTheirTimeAndCountEverything) {
  progress.asked(0, "device-1", Operation::get, start);
  progress.asked(1, "device-2", Operation::get, start);
  progress.answered(0, "", start + 20ms);
  progress.answered(1, "RequestThrottled", start + 40ms);
  progress.answered(1, "", start + 50ms);
  progress.skipped();
  progress.tick(start + 1s, 4);
  progress.tick(start + 2s, 4);
  ASSERT_EQ(lines.size(), 1U);
  const auto figures = last_figures();
  EXPECT_EQ(figures.at("at"), 1001);
  EXPECT_EQ(figures.at("asked"), 2);
  EXPECT_EQ(figures.at("answered"), 2);
  EXPECT_EQ(figures.at("repeated"), 1);
  EXPECT_EQ(figures.at("skipped"), 1);
  EXPECT_EQ(figures.at("connections"), 4);
  EXPECT_EQ(figures.at("longest_ms"), 40);
  EXPECT_EQ(figures.at("rejections").at("RequestThrottled"), 1);
  progress.tick(start + 6s, 4);
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_EQ(last_figures().at("longest_ms"), 0) << "latencies are those of the interval";
}

TEST_F(ProgressTest, ReplyThatIsLateIsNamedWhenItIsOverdueAndWhenItComes) {
  progress.asked(7, "device-3", Operation::update, start);
  progress.tick(start + 9s, 1);
  EXPECT_THAT(events(), IsEmpty());
  progress.tick(start + 10s, 1);
  progress.tick(start + 11s, 1);
  progress.answered(7, "", start + 30s);
  ASSERT_EQ(events().size(), 2U);
  EXPECT_EQ(events()[0].at("event"), "overdue");
  EXPECT_EQ(events()[0].at("asked"), 1000);
  EXPECT_EQ(events()[0].at("thing"), "device-3");
  EXPECT_EQ(events()[0].at("operation"), "update");
  EXPECT_EQ(events()[1].at("event"), "late");
  EXPECT_EQ(events()[1].at("at"), 1030);
  EXPECT_EQ(events()[1].at("request"), 7);
}

TEST_F(ProgressTest, WhatHasNoReplyIsNamedAtTheEnd) {
  progress.asked(0, "device-1", Operation::get, start);
  progress.asked(1, "device-2", Operation::start_next, start);
  progress.answered(0, "", start + 1s);
  progress.finish(start + 2s);
  ASSERT_EQ(events().size(), 1U);
  EXPECT_EQ(events()[0].at("event"), "unanswered");
  EXPECT_EQ(events()[0].at("thing"), "device-2");
  EXPECT_EQ(last_figures().at("waiting"), 1);
}

}  // namespace
}  // namespace jobs_load
