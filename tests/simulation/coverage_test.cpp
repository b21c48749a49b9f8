#include "tests/simulation/coverage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

TEST(CoverageTest, WhatCanBeAndNeverWasIsNamed) {
  Coverage coverage;
  const auto all = coverage.missing().size();
  coverage.count(Stage::waiting, Event::call_begins);
  coverage.count(Stage::waiting, Event::call_begins);
  EXPECT_EQ(coverage.missing().size(), all - 1);
  EXPECT_EQ(std::ranges::count(coverage.missing(), "a call begins while waiting"), 0);
  EXPECT_EQ(std::ranges::count(coverage.missing(), "a kill while late"), 1);

  Coverage other;
  other.count(Stage::late, Event::killed);
  coverage.add(other);
  EXPECT_EQ(coverage.missing().size(), all - 2);
  EXPECT_EQ(coverage.reached(), 2U);
}

TEST(CoverageTest, WhatCannotBeIsABrokenPromise) {
  Coverage coverage;
  EXPECT_THROW(coverage.count(Stage::restored, Event::call_begins), Violation);
  EXPECT_THROW(coverage.count(Stage::late, Event::expiry), Violation);
}

}  // namespace
}  // namespace jobs_bridge::simulation
