#include "bridge/flow/lanes.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "tests/unit/flow/live_memory.h"

namespace jobs_bridge {
namespace {

using testing_support::live_memory;

static_assert(!std::is_copy_constructible_v<Lanes>);
static_assert(std::is_move_constructible_v<Lanes>);

TEST(LanesTest, NothingWaitsAtFirst) {
  Lanes lanes;
  EXPECT_EQ(lanes.start(), std::nullopt);
  EXPECT_EQ(lanes.ready(), 0U);
  EXPECT_EQ(lanes.waiting(), 0U);
  EXPECT_EQ(lanes.waiting("a"), 0U);
}

TEST(LanesTest, RequestsOfAThingGoInArrivalOrderOneAtATime) {
  Lanes lanes;
  lanes.add("a", 1);
  lanes.add("a", 2);
  lanes.add("a", 3);
  EXPECT_EQ(lanes.ready(), 1U);
  EXPECT_EQ(lanes.waiting("a"), 3U);
  for (const RequestId request : {1U, 2U, 3U}) {
    EXPECT_EQ(lanes.start(), request);
    EXPECT_EQ(lanes.start(), std::nullopt) << "one at a time";
    EXPECT_EQ(lanes.ready(), 0U);
    lanes.finish("a");
  }
  EXPECT_EQ(lanes.start(), std::nullopt);
  EXPECT_EQ(lanes.waiting(), 0U);
}

TEST(LanesTest, ThingsTakeTurnsHoweverMuchOneOfThemSends) {
  Lanes lanes;
  for (RequestId request = 1; request <= 5; ++request) lanes.add("flood", request);
  lanes.add("b", 10);
  lanes.add("c", 20);
  lanes.add("b", 11);
  std::vector<RequestId> order;
  while (const auto request = lanes.start()) {
    order.push_back(*request);
    lanes.finish(*request < 10 ? "flood" : *request < 20 ? "b" : "c");
  }
  EXPECT_EQ(order, (std::vector<RequestId>{1, 10, 20, 2, 11, 3, 4, 5}));
}

TEST(LanesTest, DifferentThingsAreBusyAtTheSameTime) {
  Lanes lanes;
  lanes.add("a", 1);
  lanes.add("b", 2);
  EXPECT_EQ(lanes.start(), 1U);
  EXPECT_EQ(lanes.start(), 2U);
  lanes.add("a", 3);
  EXPECT_EQ(lanes.ready(), 0U) << "a is busy";
  lanes.finish("b");
  EXPECT_EQ(lanes.start(), std::nullopt);
  lanes.finish("a");
  EXPECT_EQ(lanes.start(), 3U);
}

TEST(LanesTest, WhatIsRemovedIsNeverStarted) {
  Lanes lanes;
  lanes.add("a", 1);
  lanes.add("a", 2);
  lanes.add("a", 3);
  lanes.remove("a", 2);
  EXPECT_EQ(lanes.waiting("a"), 2U);
  EXPECT_EQ(lanes.start(), 1U);
  lanes.remove("a", 3);
  EXPECT_EQ(lanes.waiting(), 0U);
  lanes.finish("a");
  EXPECT_EQ(lanes.start(), std::nullopt);
}

TEST(LanesTest, RemovingTheLastOneEndsTheLanesTurn) {
  Lanes lanes;
  lanes.add("a", 1);
  lanes.add("b", 2);
  lanes.remove("a", 1);
  EXPECT_EQ(lanes.ready(), 1U);
  EXPECT_EQ(lanes.start(), 2U);
  lanes.add("a", 3);
  EXPECT_EQ(lanes.start(), 3U);
}

TEST(LanesTest, RemovingWhatIsNotThereChangesNothing) {
  Lanes lanes;
  lanes.add("a", 1);
  lanes.remove("a", 7);
  lanes.remove("b", 1);
  lanes.finish("b");
  EXPECT_EQ(lanes.waiting(), 1U);
  EXPECT_EQ(lanes.start(), 1U);
}

TEST(LanesTest, AMoveTakesEverythingAlong) {
  Lanes lanes;
  lanes.add("a-thing-with-a-long-name-that-is-not-stored-inline", 1);
  lanes.add("b", 2);
  EXPECT_EQ(lanes.start(), 1U);
  Lanes moved = std::move(lanes);
  moved.add("a-thing-with-a-long-name-that-is-not-stored-inline", 3);
  moved.finish("a-thing-with-a-long-name-that-is-not-stored-inline");
  EXPECT_EQ(moved.start(), 2U);
  EXPECT_EQ(moved.start(), 3U);
}

TEST(LanesTest, ALaneWithNothingToDoTakesNoMemory) {
  constexpr RequestId things = 20000;
  Lanes lanes;
  const auto before = live_memory();
  for (RequestId i = 0; i < things; ++i) {
    const auto thing = "thing-with-quite-a-long-name-" + std::to_string(i);
    lanes.add(thing, i);
    lanes.add(thing, i + things);
    if (i % 2 == 0) {
      lanes.start();
      lanes.remove(thing, i + things);
      lanes.finish(thing);
    } else {
      lanes.remove(thing, i);
      lanes.remove(thing, i + things);
    }
  }
  EXPECT_EQ(lanes.waiting(), 0U);
  EXPECT_LE(live_memory().blocks, before.blocks + 2);
  EXPECT_LE(live_memory().bytes, before.bytes + 1024);
}

}  // namespace
}  // namespace jobs_bridge
