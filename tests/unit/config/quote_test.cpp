#include "adapters/config/quote.h"

#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge::config {
namespace {

TEST(Utf8Test, FirstInvalidByteIsFound) {
  constexpr auto none = std::string_view::npos;
  EXPECT_EQ(first_invalid_byte(""), none);
  EXPECT_EQ(first_invalid_byte("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), none);
  EXPECT_EQ(first_invalid_byte("ab\xff"), 2U);
  EXPECT_EQ(first_invalid_byte("a\x80"), 1U);
  EXPECT_EQ(first_invalid_byte("\xc0\x80"), 0U) << "overlong";
  EXPECT_EQ(first_invalid_byte("\xe0\x80\x80"), 0U) << "overlong";
  EXPECT_EQ(first_invalid_byte("\xf0\x80\x80\x80"), 0U) << "overlong";
  EXPECT_EQ(first_invalid_byte("\xed\xa0\x80"), 0U) << "surrogate";
  EXPECT_EQ(first_invalid_byte("\xf4\x90\x80\x80"), 0U) << "above U+10FFFF";
  EXPECT_EQ(first_invalid_byte("a\xe2\x82"), 1U) << "cut off";
}

TEST(ControlCharacterTest, C0DeleteAndC1AreControlCharacters) {
  for (const char* text : {"a\n", "\t", "\x1b", "\x7f", "\xc2\x80", "a\xc2\x9f"}) {
    EXPECT_TRUE(has_control_character(text)) << quote(text);
  }
  EXPECT_TRUE(has_control_character(std::string_view("\0", 1)));
  for (const char* text : {"", " ~", "\xc2\xa0", "\xc3\xa4", "\xff"}) {
    EXPECT_FALSE(has_control_character(text)) << quote(text);
  }
}

TEST(QuoteTest, WhatIsNotPrintableIsEscaped) {
  EXPECT_EQ(quote("a b"), "\"a b\"");
  EXPECT_EQ(quote("\xc3\xa4"), "\"\xc3\xa4\"");
  EXPECT_EQ(quote("a\n\x1b\xff\xc2\x9b"), R"("a\x0a\x1b\xff\xc2\x9b")");
}

TEST(QuoteTest, LongTextIsCutAtACharacter) {
  EXPECT_EQ(quote(std::string(64, 'x')), "\"" + std::string(64, 'x') + "\"");
  EXPECT_EQ(quote(std::string(65, 'x')), "\"" + std::string(64, 'x') + "...\"");
  EXPECT_EQ(quote(std::string(63, 'x') + "\xc3\xa4"), "\"" + std::string(63, 'x') + "...\"");
}

}  // namespace
}  // namespace jobs_bridge::config
