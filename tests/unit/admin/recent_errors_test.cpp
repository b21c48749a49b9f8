#include "adapters/admin/recent_errors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace jobs_bridge::admin {
namespace {

ErrorEntry error(std::int64_t at, const std::string& thing, const std::string& message) {
  return {.first = 0,
          .last = at,
          .count = 7,
          .code = "InternalError",
          .thing = thing,
          .several = false,
          .operation = "get",
          .message = message,
          .cause = {}};
}

TEST(RecentErrorsTest, SameErrorIsOneEntryWithACountAndComesFirstAgain) {
  RecentErrors errors;
  errors.add(error(10, "a", "down"));
  errors.add(error(20, "b", "up"));
  errors.add(error(30, "a", "down"));
  const auto entries = errors.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].thing, "a");
  EXPECT_FALSE(entries[0].several);
  EXPECT_EQ(entries[0].count, 2U);
  EXPECT_EQ(entries[0].first, 10);
  EXPECT_EQ(entries[0].last, 30);
  EXPECT_EQ(entries[1].count, 1U);
}

TEST(RecentErrorsTest, OneThatStrikesTenThousandThingsIsOneAndHidesNoOther) {
  RecentErrors errors;
  errors.add(error(1, "quiet", "another"));
  for (int at = 2; at < 10002; ++at) errors.add(error(at, "t" + std::to_string(at), "down"));
  const auto entries = errors.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].count, 10000U);
  EXPECT_EQ(entries[0].thing, "t10001");
  EXPECT_TRUE(entries[0].several);
  EXPECT_EQ(entries[1].thing, "quiet");
}

TEST(RecentErrorsTest, OldestGoesWhenThereAreTooMany) {
  RecentErrors errors;
  for (int at = 0; at < 1000; ++at) {
    errors.add(error(at, "t" + std::to_string(at), "fault " + std::to_string(at)));
  }
  const auto entries = errors.entries();
  ASSERT_EQ(entries.size(), RecentErrors::most);
  EXPECT_EQ(entries.front().thing, "t999");
  EXPECT_EQ(entries.back().thing, "t950");
}

TEST(RecentErrorsTest, ThingThatErrsInManyWaysHidesNoOthers) {
  RecentErrors errors;
  errors.add(error(1, "quiet", "once"));
  for (int at = 0; at < 1000; ++at) errors.add(error(at, "noisy", "fault " + std::to_string(at)));
  const auto entries = errors.entries();
  EXPECT_EQ(entries.size(), 1 + RecentErrors::max_per_thing);
  EXPECT_TRUE(std::ranges::any_of(entries, [](const auto& e) { return e.thing == "quiet"; }));
}

TEST(RecentErrorsTest, ThingTakesPartInErrorsOfSeveralWithoutLosingItsOwn) {
  RecentErrors errors;
  for (std::size_t i = 0; i < RecentErrors::max_per_thing; ++i) {
    for (const auto* thing : {"another", "noisy"}) {
      errors.add(error(1, thing, "of several " + std::to_string(i)));
    }
  }
  for (std::size_t i = 0; i < RecentErrors::max_per_thing; ++i) {
    errors.add(error(2, "noisy", "of its own " + std::to_string(i)));
  }
  EXPECT_EQ(errors.entries().size(), 2 * RecentErrors::max_per_thing);
}

TEST(RecentErrorsTest, LongTextIsCutBetweenCharacters) {
  RecentErrors errors;
  std::string text(RecentErrors::max_text - 1, 'x');
  errors.add(error(1, "a", text + "\xc3\xa4\xc3\xa4"));
  EXPECT_EQ(errors.entries()[0].message, text + "...");
  text.pop_back();
  errors.add(error(2, "b", text + "\xe2\x82\xac"));
  EXPECT_EQ(errors.entries()[0].message, text + "...");
}

}  // namespace
}  // namespace jobs_bridge::admin
