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

/// What people write in place of it.
TEST(DurationTest, AFaultEndsWithWhatWasProbablyMeant) {
  const std::pair<const char*, const char*> known[] = {
      {"8", "8s"},        {"8 S", "8s"},        {"5 seconds", "5s"}, {"5sec", "5s"},
      {"30 sec.", "30s"}, {"1 minute", "1min"}, {"2 hrs", "2h"},     {"10 Days", "10d"},
      {"1w", "7d"},       {"2 weeks", "14d"},   {"500 MS", "500ms"}, {"5 milliseconds", "5ms"},
      {"1.5s", "1500ms"}, {"0,5h", "30min"},    {"1h30m", "90min"},  {"1 h 30 min", "90min"},
      {"1.5 days", "36h"}};
  for (const auto& [text, meant] : known) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(), "a whole number with a unit (ms, s, min, h or d); did you mean \"" +
                                  std::string(meant) + "\"?");
  }
  for (const char* text : {"", "soon", "-5s", "PT8S", "5 parsecs", "1.s", "1.2345s", ".5s", "1e3s",
                           "1h30x", "99999999999999999999s", "5s\xc2\xa0"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(), "a whole number with a unit (ms, s, min, h or d)") << text;
  }
}

TEST(SizeTest, AFaultEndsWithWhatWasProbablyMeant) {
  const std::pair<const char*, const char*> known[] = {
      {"128", "128B"},   {"128kb", "128KB"},    {"64M", "64MiB"},   {"64m", "64MiB"},
      {"64Mi", "64MiB"}, {"1G", "1GiB"},        {"64 MB", "64MB"},  {"64 megabytes", "64MB"},
      {"1 byte", "1B"},  {"1.5MiB", "1536KiB"}, {"0.5G", "512MiB"}, {"1T", "1024GiB"},
      {"2k", "2KiB"}};
  for (const auto& [text, meant] : known) {
    const auto parsed = parse_size(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(),
              "a whole number with a unit (B, KB, MB, GB, KiB, MiB or GiB); did you mean \"" +
                  std::string(meant) + "\"?");
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
