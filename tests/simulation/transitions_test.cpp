#include "tests/simulation/transitions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

namespace jobs_bridge::simulation {
namespace {

TEST(TransitionsTest, WhatTheTableAllowsAndNeverWasIsNamed) {
  Transitions transitions;
  const auto all = transitions.missing().size();
  EXPECT_EQ(std::ranges::count(transitions.missing(), "entered while absent"), 1);
  EXPECT_EQ(std::ranges::count(transitions.missing(), "entered while calling_answered"), 0);

  TransitionCounts counts{};
  counts[static_cast<std::size_t>(RequestState::absent)]
        [static_cast<std::size_t>(RequestEvent::entered)] = 2;
  transitions.add(counts);
  EXPECT_EQ(transitions.missing().size(), all - 1);
  EXPECT_EQ(std::ranges::count(transitions.missing(), "entered while absent"), 0);
}

}  // namespace
}  // namespace jobs_bridge::simulation
