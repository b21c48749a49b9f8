#include "bridge/jobs/names.h"

#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge {
namespace {

constexpr std::string_view word_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

bool is_word(char c) {
  return word_characters.find(c) != std::string_view::npos;
}

TEST(ThingNameTest, LengthIs1To128) {
  EXPECT_FALSE(ThingName::parse(""));
  EXPECT_TRUE(ThingName::parse("T"));
  EXPECT_TRUE(ThingName::parse(std::string(128, 'a')));
  EXPECT_FALSE(ThingName::parse(std::string(129, 'a')));
}

TEST(ThingNameTest, EveryByteIsJudgedByTheDocumentedSet) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string name = std::string("a") + c + "b";
    EXPECT_EQ(ThingName::parse(name).has_value(), is_word(c) || c == ':') << "byte " << byte;
  }
}

TEST(ThingNameTest, TextIsKeptAsGiven) {
  EXPECT_EQ(ThingName::parse("site:1:Pump_7-b")->text(), "site:1:Pump_7-b");
}

TEST(ThingNameTest, NextIsNoThing) {
  EXPECT_FALSE(ThingName::parse("$next"));
}

TEST(JobNameTest, LengthIs1To256) {
  EXPECT_FALSE(JobName::parse(""));
  EXPECT_TRUE(JobName::parse("j"));
  EXPECT_TRUE(JobName::parse(std::string(256, 'j')));
  EXPECT_FALSE(JobName::parse(std::string(257, 'j')));
}

TEST(JobNameTest, RefusedIsWhatCannotBeOneLevelOfATopic) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool possible = byte >= 0x20 && byte != 0x7F && c != '/' && c != '+' && c != '#';
    EXPECT_EQ(JobName::parse(std::string("a") + c + "b").has_value(), possible) << byte;
  }
}

TEST(JobNameTest, RefusedIsWhatAServerTakesForAStepInItsPath) {
  EXPECT_FALSE(JobName::parse("."));
  EXPECT_FALSE(JobName::parse(".."));
  for (const auto* text : {"...", ".a", "a.", "firmware-1.2.3", "%2e%2e"}) {
    EXPECT_TRUE(JobName::parse(text)) << text;
  }
}

TEST(JobNameTest, OnlyTheExactWordNextStandsForTheFirstPendingJob) {
  ASSERT_TRUE(JobName::parse("$next"));
  EXPECT_TRUE(JobName::parse("$next")->is_next());
  EXPECT_FALSE(JobName::parse("next")->is_next());
  for (const auto* text : {"$", "$Next", "$next ", "$next1", "$$next", " $next"}) {
    ASSERT_TRUE(JobName::parse(text)) << text;
    EXPECT_FALSE(JobName::parse(text)->is_next()) << text;
  }
}

}  // namespace
}  // namespace jobs_bridge
