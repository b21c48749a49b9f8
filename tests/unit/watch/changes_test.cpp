#include <gtest/gtest.h>

#include "adapters/store/watch_changes.h"

namespace jobs_bridge::store {
namespace {

WatchedThing thing(const std::string& name, std::int64_t asked) {
  return {.thing = name, .asked = asked, .told = "told " + std::to_string(asked)};
}

TEST(ChangesTest, LaterChangeReplacesTheEarlierOne) {
  Changes changes;
  changes.change(thing("a", 1));
  changes.change(thing("a", 2));
  EXPECT_EQ(changes.size(), 1U);
  const auto all = changes.take();
  ASSERT_TRUE(all.at("a"));
  EXPECT_EQ(all.at("a")->asked, 2);
  EXPECT_EQ(all.at("a")->told, "told 2");
  EXPECT_TRUE(changes.empty());
}

TEST(ChangesTest, ForgettingAndChangingReplaceEachOther) {
  Changes changes;
  changes.change(thing("a", 1));
  changes.forget("a");
  changes.forget("b");
  changes.change(thing("b", 2));
  const auto all = changes.take();
  EXPECT_EQ(all.size(), 2U);
  EXPECT_FALSE(all.at("a"));
  EXPECT_TRUE(all.at("b"));
}

TEST(ChangesTest, OlderOnesReplaceNothing) {
  Changes changes;
  changes.change(thing("a", 2));
  changes.forget("b");
  changes.add_older({thing("a", 1), thing("b", 1), thing("c", 1)});
  Changes older;
  older.change(thing("c", 0));
  older.forget("d");
  changes.add_older(older.take());
  const auto all = changes.take();
  EXPECT_EQ(all.size(), 4U);
  EXPECT_EQ(all.at("a")->asked, 2);
  EXPECT_FALSE(all.at("b"));
  EXPECT_EQ(all.at("c")->asked, 1);
  EXPECT_FALSE(all.at("d"));
}

TEST(ChangesTest, ThingsToForgetHaveABoundAndChangesAreNotPartOfIt) {
  Changes changes;
  for (std::size_t i = 0; i < Changes::max_forgotten + 10; ++i) {
    changes.change(thing("come and gone " + std::to_string(i), 1));
    changes.forget("come and gone " + std::to_string(i));
  }
  EXPECT_EQ(changes.size(), Changes::max_forgotten);
  changes.change(thing("new", 1));
  EXPECT_EQ(changes.size(), Changes::max_forgotten + 1);
  changes.change(thing("come and gone 0", 2));
  changes.forget("there is room for one again");
  changes.forget("and for no other");
  EXPECT_EQ(changes.size(), Changes::max_forgotten + 2);
}

TEST(ChangesTest, BoundHoldsWhenOlderOnesComeBack) {
  Changes changes;
  for (std::size_t i = 0; i < Changes::max_forgotten; ++i) changes.forget(std::to_string(i));
  auto older = changes.take();
  changes.forget("newer");
  changes.add_older(std::move(older));
  EXPECT_EQ(changes.size(), Changes::max_forgotten);
  EXPECT_TRUE(changes.take().contains("newer"));
}

}  // namespace
}  // namespace jobs_bridge::store
