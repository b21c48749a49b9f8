#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "bridge/jobs/cbor.h"
#include "tests/unit/jobs/cbor_bytes.h"

namespace jobs_bridge {
namespace {

using namespace testing_support;
using testing::HasSubstr;

TEST(JsonFromCborTest, LengthsNeedNotBeTheShortest) {
  EXPECT_EQ(decoded(bytes("1b 0000000000000001")), "1");
  EXPECT_EQ(decoded(bytes("38 00")), "-1");
  EXPECT_EQ(decoded(bytes("7b 0000000000000001 61")), R"("a")");
  EXPECT_EQ(decoded(bytes("ba 00000001 78 01 61 9b 0000000000000000")), R"({"a":[]})");
}

TEST(JsonFromCborTest, TagsAreLeftOutAlsoInFrontOfKeys) {
  EXPECT_EQ(decoded(bytes("d9d9f7 a1 c0 6161 d9ffff 01")), R"({"a":1})");
  EXPECT_EQ(decoded(repeated("\xC6", 100000) + "\x01"), "1");
  EXPECT_EQ(decoded(bytes("db 0000000100000000 80")), "[]");
}

TEST(JsonFromCborTest, UndefinedIsNull) {
  EXPECT_EQ(decoded(bytes("a1 6161 f7")), R"({"a":null})");
}

TEST(JsonFromCborTest, RepeatedKeysAndTheirOrderStay) {
  EXPECT_EQ(decoded(bytes("a3 6162 01 6161 02 6162 03")), R"({"b":1,"a":2,"b":3})");
  EXPECT_EQ(encoded(R"({"b":1,"a":2,"b":3})"), "a3616201616102616203");
}

TEST(JsonFromCborTest, TextIsEscapedWhereJsonNeedsIt) {
  EXPECT_EQ(decoded(std::string("\x65\x00\n\x1f\x7f/", 6)), "\"\\u0000\\u000a\\u001f\x7f/\"");
  // A character may not be divided among parts, but nothing is ambiguous if it is.
  EXPECT_EQ(decoded(bytes("7f 61 c3 61 bc ff")), "\"\u00fc\"");
}

struct UnfitCbor {
  std::string cbor;
  std::string_view words;
};

TEST(JsonFromCborTest, WhatJsonCannotHoldIsRefusedByName) {
  for (const auto& [cbor, words] : {
           UnfitCbor{bytes("a1 6161 43 010203"),
                     "a byte string, which JSON cannot represent, at byte 3"},
           UnfitCbor{bytes("5f 41 00 ff"), "a byte string"},
           UnfitCbor{bytes("c2 49 010000000000000000"), "a byte string"},
           UnfitCbor{bytes("f9 7c00"), "NaN or infinity, which JSON cannot represent, at byte 0"},
           UnfitCbor{bytes("f9 fc00"), "NaN or infinity"},
           UnfitCbor{bytes("f9 7e00"), "NaN or infinity"},
           UnfitCbor{bytes("fa 7f800000"), "NaN or infinity"},
           UnfitCbor{bytes("fa 7fc00000"), "NaN or infinity"},
           UnfitCbor{bytes("fb 7ff0000000000000"), "NaN or infinity"},
           UnfitCbor{bytes("82 00 fb fff8000000000000"),
                     "NaN or infinity, which JSON cannot represent, at byte 2"},
           UnfitCbor{bytes("a1 01 02"), "a map key that is not a text string at byte 1"},
           UnfitCbor{bytes("bf 41 61 02 ff"), "a map key that is not a text string at byte 1"},
           UnfitCbor{bytes("a1 80 02"), "a map key that is not a text string"},
           UnfitCbor{bytes("a1 f6 02"), "a map key that is not a text string"},
           UnfitCbor{bytes("f0"), "an unassigned simple value at byte 0"},
           UnfitCbor{bytes("e0"), "an unassigned simple value"},
           UnfitCbor{bytes("f8 ff"), "an unassigned simple value"},
           UnfitCbor{bytes("f8 14"), "an unassigned simple value"},
       }) {
    EXPECT_THAT(decoded(cbor), HasSubstr(words)) << hexadecimal(cbor);
    EXPECT_THAT(decoded(cbor), HasSubstr("refused"));
  }
}

TEST(JsonFromCborTest, WhatIsNotCborIsRefusedByName) {
  for (const auto& [cbor, words] : {
           UnfitCbor{"", "the data end too early, at byte 0"},
           UnfitCbor{bytes("18"), "the data end too early, in the item at byte 0"},
           UnfitCbor{bytes("81 19 01"), "the data end too early, in the item at byte 1"},
           UnfitCbor{bytes("1a 010203"), "the data end too early"},
           UnfitCbor{bytes("3b 01020304050607"), "the data end too early"},
           UnfitCbor{bytes("f9 00"), "the data end too early"},
           UnfitCbor{bytes("fb 00000000000000"), "the data end too early"},
           UnfitCbor{bytes("f8"), "the data end too early"},
           UnfitCbor{bytes("d9 01"), "the data end too early"},
           UnfitCbor{bytes("c0"), "the data end too early, at byte 1"},
           UnfitCbor{bytes("82 01"), "a length beyond the end of the data at byte 0"},
           UnfitCbor{bytes("82 81 01"), "the data end too early, at byte 3"},
           UnfitCbor{bytes("a1 6161"), "the data end too early, at byte 3"},
           UnfitCbor{bytes("9f 01"), "the data end too early, at byte 2"},
           UnfitCbor{bytes("bf 6161"), "the data end too early"},
           UnfitCbor{bytes("bf 6161 01"), "the data end too early"},
           UnfitCbor{bytes("7f 6161"), "the data end too early"},
           UnfitCbor{bytes("61"), "a length beyond the end of the data at byte 0"},
           UnfitCbor{bytes("62 61"), "a length beyond the end"},
           UnfitCbor{bytes("7b ffffffffffffffff 61"), "a length beyond the end"},
           UnfitCbor{bytes("7a ffffffff 61"), "a length beyond the end"},
           UnfitCbor{bytes("9b ffffffffffffffff 01 ff"), "a length beyond the end"},
           UnfitCbor{bytes("9a 7fffffff 01"), "a length beyond the end"},
           UnfitCbor{bytes("bb ffffffffffffffff 6161 01 ff"), "a length beyond the end"},
           UnfitCbor{bytes("bb 8000000000000000 6161 01"), "a length beyond the end"},
           UnfitCbor{bytes("a2 6161 01"), "a length beyond the end"},
           UnfitCbor{bytes("00 00"), "trailing data after the item at byte 1"},
           UnfitCbor{bytes("a0 ff"), "trailing data after the item at byte 1"},
           UnfitCbor{bytes("ff"), "a misplaced break code at byte 0"},
           UnfitCbor{bytes("81 ff"), "a misplaced break code at byte 1"},
           UnfitCbor{bytes("82 01 ff"), "a misplaced break code"},
           UnfitCbor{bytes("a1 ff"), "a length beyond the end"},
           UnfitCbor{bytes("a1 6161 ff"), "a misplaced break code at byte 3"},
           UnfitCbor{bytes("bf 6161 ff"), "a misplaced break code at byte 3"},
           UnfitCbor{bytes("9f c0 ff"), "a misplaced break code"},
           UnfitCbor{bytes("9f 81 ff ff"), "a misplaced break code"},
           UnfitCbor{bytes("7f 01 ff"), "something other than a chunk of the text string"},
           UnfitCbor{bytes("7f 41 61 ff"), "something other than a chunk of the text string"},
           UnfitCbor{bytes("7f 7f 6161 ff ff"), "something other than a chunk of the text string"},
           UnfitCbor{bytes("7f c0 6161 ff"), "something other than a chunk of the text string"},
           UnfitCbor{bytes("1c"), "a reserved value at byte 0"},
           UnfitCbor{bytes("1f"), "a reserved value"},
           UnfitCbor{bytes("3e"), "a reserved value"},
           UnfitCbor{bytes("3f"), "a reserved value"},
           UnfitCbor{bytes("7c"), "a reserved value"},
           UnfitCbor{bytes("9d"), "a reserved value"},
           UnfitCbor{bytes("be"), "a reserved value"},
           UnfitCbor{bytes("dc"), "a reserved value"},
           UnfitCbor{bytes("df 00"), "a reserved value"},
           UnfitCbor{bytes("fc"), "a reserved value"},
           UnfitCbor{bytes("fe"), "a reserved value"},
           UnfitCbor{bytes("61 ff"), "a text string that is not UTF-8 at byte 0"},
           UnfitCbor{bytes("81 62 c328"), "a text string that is not UTF-8 at byte 1"},
           UnfitCbor{bytes("63 eda080"), "a text string that is not UTF-8"},
           UnfitCbor{bytes("62 c0af"), "a text string that is not UTF-8"},
           UnfitCbor{bytes("61 c3"), "a text string that is not UTF-8"},
           UnfitCbor{bytes("a1 61 80 01"), "a text string that is not UTF-8 at byte 1"},
           UnfitCbor{bytes("7f 6161 61 80 ff"), "a text string that is not UTF-8 at byte 0"},
           UnfitCbor{R"({"status":"IN_PROGRESS"})", "refused"},
       }) {
    EXPECT_THAT(decoded(cbor), HasSubstr(words)) << hexadecimal(cbor);
    EXPECT_THAT(decoded(cbor), HasSubstr("refused"));
  }
}

TEST(JsonFromCborTest, NestingIsRefusedPastTheLimitAndCostsNoStack) {
  const auto at_limit = repeated("\x81", max_cbor_nesting - 1) + "\x80";
  EXPECT_EQ(decoded(at_limit), repeated("[", max_cbor_nesting) + repeated("]", max_cbor_nesting));
  EXPECT_EQ(decoded("\x81" + at_limit), "refused: nesting deeper than 64 levels at byte 64");
  constexpr std::size_t most = 128 * 1024;
  for (const auto* part : {"\x81", "\x9F", "\xA1", "\xBF", "\x5F", "\x7F", "\xC6", "\xBF\x60",
                           "\xA1\x60", "\xC1\x9F", "\x9F\x9F\xFF"}) {
    EXPECT_THAT(decoded(repeated(part, most)), HasSubstr("refused")) << hexadecimal(part);
  }
}

TEST(JsonFromCborTest, EveryTruncationOfAValidItemIsRefused) {
  const auto whole = bytes(
      "bf 63 46756e f5 63 416d74 21 61 61 83 fb 3ff199999999999a f9 3c00 1a 000f4240 61 62 "
      "7f 657374726561 646d696e67 ff 61 63 d9d9f7 a1 60 1b ffffffffffffffff ff");
  ASSERT_TRUE(json_from_cbor(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(json_from_cbor(std::string_view(whole).substr(0, length))) << length;
  }
}

TEST(JsonFromCborTest, EveryHalfFloatHasItsValueAndTheTextIsBounded) {
  for (unsigned bits = 0; bits <= 0xFFFF; ++bits) {
    const std::string cbor{'\x82', '\xF9', static_cast<char>(bits >> 8), static_cast<char>(bits),
                           '\0'};
    const auto json = json_from_cbor(cbor);
    const bool finite = (bits & 0x7C00) != 0x7C00;
    ASSERT_EQ(json.has_value(), finite) << bits;
    if (!finite) continue;
    ASSERT_LE(json->size(), 8 * cbor.size());
    const auto tree = nlohmann::json::parse(*json);
    ASSERT_TRUE(tree[0].is_number_float()) << *json;
    ASSERT_EQ(tree, nlohmann::json::from_cbor(cbor)) << bits;
    ASSERT_EQ(std::signbit(tree[0].get<double>()), bits >> 15 == 1) << *json;
  }
}

TEST(JsonFromCborTest, TextIsAtMostEightTimesAsLong) {
  for (const auto* part :
       {"\xF7", "\xF4", "\xF9\x80\x01", "\x61\x01", "\x80", "\x60", "\xFA\x80\x80\x01\x01"}) {
    const auto cbor = "\x9F" + repeated(part, 1000) + "\xFF";
    const auto json = json_from_cbor(cbor);
    ASSERT_TRUE(json) << json.error();
    EXPECT_LE(json->size(), 8 * cbor.size()) << hexadecimal(part);
  }
}

}  // namespace
}  // namespace jobs_bridge
