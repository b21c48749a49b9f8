#include "bridge/jobs/thing_list.h"

#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge {
namespace {

TEST(ThingListTest, ANameIsItselfAndNothingElse) {
  const ThingList list({"lamp", "line:2_a"});
  EXPECT_TRUE(list.contains("lamp"));
  EXPECT_TRUE(list.contains("line:2_a"));
  for (const auto* other : {"", "Lamp", "lam", "lamps", "a lamp", "*"}) {
    EXPECT_FALSE(list.contains(other)) << other;
  }
}

TEST(ThingListTest, AStarStandsForAnyCharactersAndForNone) {
  struct Case {
    const char* pattern;
    const char* thing;
    bool matches;
  };
  for (const auto& it : {
           Case{"*", "anything", true},
           Case{"lamp-*", "lamp-", true},
           Case{"lamp-*", "lamp-7", true},
           Case{"lamp-*", "lamp", false},
           Case{"lamp-*", "a-lamp-7", false},
           Case{"*-lamp", "hall-lamp", true},
           Case{"*-lamp", "hall-lamp-2", false},
           Case{"site:*:lamp", "site:a:b:lamp", true},
           Case{"site:*:lamp", "site:lamp", false},
           Case{"*a*b*", "xxaxxbxx", true},
           Case{"*a*b*", "xxbxxaxx", false},
           Case{"a**b", "ab", true},
           Case{"*aab", "aaaab", true},
           Case{"**", "x", true},
       }) {
    EXPECT_EQ(ThingList({it.pattern}).contains(it.thing), it.matches)
        << it.pattern << " " << it.thing;
  }
}

TEST(ThingListTest, APatternThatNearlyMatchesInManyWaysTakesNoTime) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(ThingList({pattern + "b"}).contains(std::string(128, 'a')));
}

TEST(ThingListTest, WhatNoThingCanBeCalledIsNoElement) {
  for (const auto* valid : {"lamp", "*", "a*b:_-*", "0"}) {
    EXPECT_TRUE(ThingList::is_valid(valid)) << valid;
  }
  for (const auto& invalid :
       {std::string(), std::string("a b"), std::string("lamp?"), std::string("[ab]"),
        std::string("a/b"), std::string("a.*"), std::string("#"), std::string(129, '*')}) {
    EXPECT_FALSE(ThingList::is_valid(invalid)) << invalid;
  }
  EXPECT_TRUE(ThingList::is_valid(std::string(128, 'a')));
}

TEST(ThingListTest, AnEmptyListHoldsNothing) {
  EXPECT_TRUE(ThingList().empty());
  EXPECT_FALSE(ThingList().contains("lamp"));
}

}  // namespace
}  // namespace jobs_bridge
