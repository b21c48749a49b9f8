#include "bridge/jobs/http_date.h"

#include <gtest/gtest.h>

namespace jobs_bridge {
namespace {

std::optional<std::int64_t> seconds_in(std::string_view text) {
  const auto date = read_http_date(text);
  if (!date) return std::nullopt;
  return date->time_since_epoch().count();
}

TEST(HttpDateTest, IsReadToTheSecond) {
  EXPECT_EQ(seconds_in("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  EXPECT_EQ(seconds_in("Sun, 30 Aug 2015 12:36:00 GMT"), 1440938160);
  EXPECT_EQ(seconds_in("Thu, 29 Feb 2024 23:59:59 GMT"), 1709251199);
  EXPECT_EQ(seconds_in("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800) << "a leap second";
}

TEST(HttpDateTest, ADayOrATimeThatIsNoneIsNoDate) {
  for (const auto* text : {"Sun, 31 Apr 2024 00:00:00 GMT", "Wed, 29 Feb 2023 00:00:00 GMT",
                           "Sun, 00 Aug 2015 12:36:00 GMT", "Sun, 30 Aug 2015 24:00:00 GMT",
                           "Sun, 30 Aug 2015 12:60:00 GMT", "Sun, 30 Aug 2015 12:36:61 GMT",
                           "Sun, 30 Aug 2015 99:99:99 GMT", "Sun, 30 Agu 2015 12:36:00 GMT"}) {
    EXPECT_EQ(seconds_in(text), std::nullopt) << text;
  }
}

TEST(HttpDateTest, AnotherFormIsNoDate) {
  for (const auto* text :
       {"", "yesterday", "1440938160", "2015-08-30T12:36:00Z", "Sunday, 30-Aug-15 12:36:00 GMT",
        "Sun Aug 30 12:36:00 2015", "Sun, 30 Aug 2015 12:36:00 UTC", "Sun, 30 Aug 2015 12:36:00",
        " Sun, 30 Aug 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:36:00 GMT ",
        "Sun, 30-Aug-2015 12:36:00 GMT", "Sun, 30 Aug 2015 12.36.00 GMT",
        "Sun, -1 Aug 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:+6:00 GMT",
        "Sun, 3  Aug 2015 12:36:00 GMT"}) {
    EXPECT_EQ(seconds_in(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace jobs_bridge
