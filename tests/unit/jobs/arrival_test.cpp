#include "bridge/jobs/arrival.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t now = 1800000000;

TEST(ArrivalTest, AgeIsRoundedUpToTheEndOfTheSecondThatOurClockShows) {
  EXPECT_EQ(age_of_arrival("1799999990000", now), Duration(11s));
  EXPECT_EQ(age_of_arrival("1800000000999", now), Duration(1ms));
}

TEST(ArrivalTest, ATimeInTheFutureTellsNoAge) {
  EXPECT_EQ(age_of_arrival("1800000001000", now), std::nullopt);
  EXPECT_EQ(age_of_arrival("1800000060000", now), std::nullopt);
}

TEST(ArrivalTest, AClockThatWasNotSetTellsNoAge) {
  EXPECT_EQ(age_of_arrival("60000", now), std::nullopt) << "the broker's, which booted in 1970";
  EXPECT_EQ(age_of_arrival("1799999990000", 60), std::nullopt) << "ours";
  EXPECT_EQ(age_of_arrival("60000", 65), std::nullopt) << "both";
  EXPECT_EQ(age_of_arrival("1799999990000", std::numeric_limits<std::int64_t>::max()),
            std::nullopt);
  EXPECT_EQ(age_of_arrival(std::to_string(std::numeric_limits<std::int64_t>::max()), now),
            std::nullopt);
}

TEST(ArrivalTest, WhatIsNoSuchTimeTellsNoAge) {
  for (const auto* value : {"", "-1", "1799999990000 ", "1799999990000.5", "0x1a", "1e12", "now",
                            "99999999999999999999999"}) {
    EXPECT_EQ(age_of_arrival(value, now), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace jobs_bridge
