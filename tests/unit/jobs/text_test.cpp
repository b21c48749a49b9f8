#include <gtest/gtest.h>

#include <string>

#include "bridge/text/ascii.h"
#include "bridge/text/hex.h"
#include "bridge/text/percent_encoding.h"
#include "bridge/text/utf8.h"

namespace jobs_bridge {
namespace {

TEST(TextTest, CaseIsThatOfAsciiAlone) {
  EXPECT_EQ(lower_case("AZ[@az\xC3\x84"), "az[@az\xC3\x84");
  EXPECT_TRUE(equal_ignoring_case("Content-Type", "content-TYPE"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_FALSE(equal_ignoring_case("true", "true "));
}

TEST(TextTest, VisibleTextHasNoSpaceAndNothingBeyondAscii) {
  EXPECT_TRUE(is_visible("!~"));
  for (const auto* text : {"a b", "a\tb", "\x7f", "\xC3\xA4"}) EXPECT_FALSE(is_visible(text));
}

TEST(TextTest, SpaceAroundIsTrimmedAndThatWithinStays) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(TextTest, TextIsNotCutWithinACharacter) {
  EXPECT_EQ(shortened("ab", 2), "ab");
  EXPECT_EQ(shortened("abc", 2), "ab");
  EXPECT_EQ(shortened("a\xE2\x82\xAC"
                      "b",
                      4),
            "a\xE2\x82\xAC");
  EXPECT_EQ(shortened("a\xE2\x82\xAC"
                      "b",
                      3),
            "a");
  EXPECT_EQ(shortened("\xBF\xBF\xBF", 2), "");
}

TEST(TextTest, EachControlCharacterIsReplacedByOneMark) {
  EXPECT_EQ(without_controls("a\x1B[2J\x7F\n"), "a?[2J??");
  EXPECT_EQ(without_controls("\xC2\x9B"
                             "x\xC2\xA0"),
            "?x\xC2\xA0");
}

TEST(TextTest, EveryByteHasTwoHexadecimalDigits) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string text;
    append_hex(text, static_cast<char>(byte),
               byte % 2 == 0 ? small_hex_digits : capital_hex_digits);
    ASSERT_EQ(text.size(), 2U);
    EXPECT_EQ(hex_digit_value(text[0]) * 16 + hex_digit_value(text[1]), byte);
  }
  for (const char c : {'/', ':', '@', 'G', '`', 'g', '\xC3'}) EXPECT_EQ(hex_digit_value(c), -1);
}

TEST(TextTest, WhatIsPercentEncodedDecodesToItself) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string encoded;
  append_percent_encoded(encoded, all);
  EXPECT_TRUE(is_visible(encoded));
  EXPECT_EQ(percent_decoded(encoded), all);
}

TEST(TextTest, PercentSignThatBeginsNoEscapeStandsForItself) {
  EXPECT_EQ(percent_decoded("100%"), "100%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%zz%41"), "%zzA");
}

}  // namespace
}  // namespace jobs_bridge
