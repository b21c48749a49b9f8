#include "bridge/jobs/status_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobs_bridge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Optional;

std::string pairs(int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    text += "\"k" + std::to_string(i) + "\":\"v\"";
  }
  return text + "}";
}

std::string with_value(const std::string& value) {
  return "{\"k\":\"" + value + "\"}";
}

std::string repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(StatusDetailsTest, UpToTenPairsAreTaken) {
  EXPECT_EQ(status_details_fault(pairs(1)), std::nullopt);
  EXPECT_EQ(status_details_fault(pairs(10)), std::nullopt);
  EXPECT_THAT(status_details_fault(pairs(11)), Optional(AllOf(HasSubstr("11"), HasSubstr("10"))));
}

TEST(StatusDetailsTest, AnEmptyMapIsTaken) {
  // The AWS IoT Device Client sends one with its first update of every job.
  EXPECT_EQ(status_details_fault("{}"), std::nullopt);
  EXPECT_EQ(status_details_fault("{ }"), std::nullopt);
}

TEST(StatusDetailsTest, MustBeAnObject) {
  for (const auto* value : {"[]", "\"a\"", "1", "true", R"([{"a":"b"}])"}) {
    EXPECT_THAT(status_details_fault(value), Optional(HasSubstr("must be an object"))) << value;
  }
}

TEST(StatusDetailsTest, KeysFollowTheDocumentedRule) {
  EXPECT_EQ(status_details_fault(R"({"a:Z_9-":"v"})"), std::nullopt);
  EXPECT_EQ(status_details_fault(R"({"\u0061":"v"})"), std::nullopt);
  EXPECT_EQ(status_details_fault("{\"" + std::string(128, 'k') + "\":\"v\"}"), std::nullopt);
  for (const auto& key : {std::string(), std::string(129, 'k'), std::string("a b"),
                          std::string("a.b"), std::string("\xC3\xA9"), std::string("\\u0000"),
                          std::string("\\ud800"), std::string("a\\nb")}) {
    EXPECT_THAT(status_details_fault("{\"" + key + "\":\"v\"}"),
                Optional(AllOf(HasSubstr("statusDetails"), HasSubstr("1 to 128"))))
        << key;
  }
}

TEST(StatusDetailsTest, ValuesAreStrings) {
  for (const auto* value : {"1", "true", "null", "{}", "[\"v\"]"}) {
    EXPECT_THAT(status_details_fault(std::string("{\"k\":") + value + "}"),
                Optional(HasSubstr("statusDetails.k must be a string")))
        << value;
  }
}

TEST(StatusDetailsTest, ValuesHave1To1024Characters) {
  EXPECT_THAT(status_details_fault(with_value("")),
              Optional(AllOf(HasSubstr("statusDetails.k"), HasSubstr("1 and 1024"))));
  EXPECT_EQ(status_details_fault(with_value(std::string(1024, 'v'))), std::nullopt);
  EXPECT_THAT(status_details_fault(with_value(std::string(1025, 'v'))),
              Optional(HasSubstr("1025 characters")));
}

TEST(StatusDetailsTest, CharactersAreCountedNotBytesOrEscapes) {
  EXPECT_EQ(status_details_fault(with_value(repeated("\xE2\x82\xAC", 1024))), std::nullopt);
  EXPECT_EQ(status_details_fault(with_value(repeated("\\u20ac", 1024))), std::nullopt);
  EXPECT_EQ(status_details_fault(with_value(repeated("\\ud83d\\ude00", 1024))), std::nullopt);
  EXPECT_THAT(status_details_fault(with_value(repeated("\xC3\xA9", 1025))),
              Optional(HasSubstr("1025 characters")));
}

TEST(StatusDetailsTest, ValuesHoldNoControlCharacters) {
  for (const auto* value : {"a\\nb", "\\t", "\\u0000", "\\u001f", "\x7F", "\\u007f", "\xC2\x80",
                            "\xC2\x9F", "\\u0085"}) {
    EXPECT_THAT(status_details_fault(with_value(value)),
                Optional(HasSubstr("statusDetails.k holds a control character")))
        << value;
  }
  for (const auto* value :
       {" ", "~", "\xC2\xA0", "\xC3\x80", "\xC3\xA9", "\xE2\x82\x80", "\\\\n"}) {
    EXPECT_EQ(status_details_fault(with_value(value)), std::nullopt) << value;
  }
}

TEST(StatusDetailsTest, ValuesHoldNoHalfSurrogatePair) {
  EXPECT_THAT(status_details_fault(with_value("\\ud800")), Optional(HasSubstr("surrogate")));
}

TEST(StatusDetailsTest, TheFaultNamesThePairThatIsWrong) {
  EXPECT_THAT(status_details_fault(R"({"good":"v","bad":7})"),
              Optional(HasSubstr("statusDetails.bad")));
}

}  // namespace
}  // namespace jobs_bridge
