#include "adapters/config/quantity.h"

#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge::config {
namespace {

using std::chrono::milliseconds;

TEST(DurationTest, EveryUnitHasItsLength) {
  const std::pair<const char*, std::int64_t> known[] = {
      {"5000us", 5},     {"500ms", 500},    {"8s", 8'000},       {"2m", 120'000},
      {"2min", 120'000}, {"1h", 3'600'000}, {"7d", 604'800'000}, {"0s", 0}};
  for (const auto& [text, count] : known) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, milliseconds(count)) << text;
  }
}

TEST(DurationTest, AnythingElseIsNone) {
  for (const char* text :
       {"", "8", "s", "8 s", " 8s", "8s ", "-8s", "+8s", "1.5s", "1h30m", "8S", "8sec", "1500us",
        "0x8s", "8\xc2\xb5s", "99999999999999999999s", "9223372036854775807d", "1e3s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(SizeTest, EveryUnitHasItsSize) {
  const std::pair<const char*, std::uint64_t> known[] = {
      {"7B", 7},           {"2KB", 2'000},        {"2MB", 2'000'000},      {"2GB", 2'000'000'000},
      {"128KiB", 131'072}, {"64MiB", 67'108'864}, {"1GiB", 1'073'741'824}, {"0B", 0}};
  for (const auto& [text, bytes] : known) {
    const auto parsed = parse_size(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(SizeTest, AnythingElseIsNone) {
  for (const char* text : {"", "128", "KiB", "128 KiB", "-1B", "1.5MiB", "1kb", "1kib", "1TiB",
                           "18446744073709551615GiB", "99999999999999999999B"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

}  // namespace
}  // namespace jobs_bridge::config
