#include "bridge/flow/lanes.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "tests/unit/flow/live_memory.h"

namespace jobs_bridge {
namespace {

using testing_support::live_memory;

constexpr auto reads = QuotaKind::reads;
constexpr auto writes = QuotaKind::writes;
const Lanes::Allowed all = {.reads = true, .writes = true, .held = true};

std::optional<RequestId> start(Lanes& lanes) {
  return lanes.start(all);
}
bool ready(const Lanes& lanes) {
  return lanes.has_ready(all);
}

static_assert(!std::is_copy_constructible_v<Lanes>);
static_assert(std::is_move_constructible_v<Lanes>);

TEST(LanesTest, NothingWaitsAtFirst) {
  Lanes lanes;
  EXPECT_EQ(start(lanes), std::nullopt);
  EXPECT_FALSE(ready(lanes));
  EXPECT_EQ(lanes.waiting(), 0U);
  EXPECT_EQ(lanes.waiting("a"), 0U);
}

TEST(LanesTest, RequestsOfAThingGoInArrivalOrderOneAtATime) {
  Lanes lanes;
  lanes.add("a", 1, reads);
  lanes.add("a", 2, reads);
  lanes.add("a", 3, reads);
  EXPECT_TRUE(ready(lanes));
  EXPECT_EQ(lanes.waiting("a"), 3U);
  for (const RequestId request : {1U, 2U, 3U}) {
    EXPECT_EQ(start(lanes), request);
    EXPECT_EQ(start(lanes), std::nullopt) << "one at a time";
    EXPECT_FALSE(ready(lanes));
    lanes.finish("a");
  }
  EXPECT_EQ(start(lanes), std::nullopt);
  EXPECT_EQ(lanes.waiting(), 0U);
}

TEST(LanesTest, ThingsTakeTurnsHoweverMuchOneOfThemSends) {
  Lanes lanes;
  for (RequestId request = 1; request <= 5; ++request) lanes.add("flood", request, reads);
  lanes.add("b", 10, reads);
  lanes.add("c", 20, reads);
  lanes.add("b", 11, reads);
  std::vector<RequestId> order;
  while (const auto request = start(lanes)) {
    order.push_back(*request);
    lanes.finish(*request < 10 ? "flood" : *request < 20 ? "b" : "c");
  }
  EXPECT_EQ(order, (std::vector<RequestId>{1, 10, 20, 2, 11, 3, 4, 5}));
}

TEST(LanesTest, DifferentThingsAreBusyAtTheSameTime) {
  Lanes lanes;
  lanes.add("a", 1, reads);
  lanes.add("b", 2, reads);
  EXPECT_EQ(start(lanes), 1U);
  EXPECT_EQ(start(lanes), 2U);
  lanes.add("a", 3, reads);
  EXPECT_FALSE(ready(lanes)) << "a is busy";
  lanes.finish("b");
  EXPECT_EQ(start(lanes), std::nullopt);
  lanes.finish("a");
  EXPECT_EQ(start(lanes), 3U);
}

TEST(LanesTest, WhatIsRemovedIsNeverStarted) {
  Lanes lanes;
  lanes.add("a", 1, reads);
  lanes.add("a", 2, reads);
  lanes.add("a", 3, reads);
  lanes.remove("a", 2);
  EXPECT_EQ(lanes.waiting("a"), 2U);
  EXPECT_EQ(start(lanes), 1U);
  lanes.remove("a", 3);
  EXPECT_EQ(lanes.waiting(), 0U);
  lanes.finish("a");
  EXPECT_EQ(start(lanes), std::nullopt);
}

TEST(LanesTest, RemovingTheLastOneEndsTheLanesTurn) {
  Lanes lanes;
  lanes.add("a", 1, reads);
  lanes.add("b", 2, reads);
  lanes.remove("a", 1);
  EXPECT_TRUE(ready(lanes));
  EXPECT_EQ(start(lanes), 2U);
  lanes.add("a", 3, reads);
  EXPECT_EQ(start(lanes), 3U);
}

TEST(LanesTest, RemovingWhatIsNotThereChangesNothing) {
  Lanes lanes;
  lanes.add("a", 1, reads);
  lanes.remove("a", 7);
  lanes.remove("b", 1);
  lanes.finish("b");
  EXPECT_EQ(lanes.waiting(), 1U);
  EXPECT_EQ(start(lanes), 1U);
}

TEST(LanesTest, ALaneWhoseQuotaIsUsedUpLosesItsTurnOnlyUntilThereIsMore) {
  Lanes lanes;
  lanes.add("a", 1, writes);
  lanes.add("b", 2, reads);
  lanes.add("c", 3, writes);
  EXPECT_TRUE(lanes.has_ready({.writes = false}));
  EXPECT_EQ(lanes.start({.writes = false}), 2U);
  EXPECT_FALSE(lanes.has_ready({.writes = false}));
  EXPECT_EQ(lanes.start({.writes = false}), std::nullopt);
  lanes.add("d", 4, reads);
  EXPECT_EQ(lanes.start(all), 1U);
  EXPECT_EQ(lanes.start(all), 3U);
  EXPECT_EQ(lanes.start(all), 4U);
}

TEST(LanesTest, AThingThatIsNotWantedNowIsPassedOverAndKeepsItsTurn) {
  Lanes lanes;
  lanes.add("a", 1, reads);
  lanes.add("a", 2, writes);
  lanes.add("b", 3, writes);
  const Lanes::Allowed but_a = {.things = [](std::string_view thing) { return thing != "a"; }};
  EXPECT_TRUE(lanes.has_ready(but_a));
  EXPECT_EQ(lanes.start(but_a), 3U);
  EXPECT_FALSE(lanes.has_ready(but_a));
  EXPECT_EQ(lanes.start(but_a), std::nullopt);
  lanes.add("c", 4, reads);
  EXPECT_EQ(lanes.start(all), 1U);
  EXPECT_EQ(lanes.start(all), 4U);
}

TEST(LanesTest, ARequestThatNeedsAnotherTurnIsFirstInALaneThatIsLast) {
  Lanes lanes;
  lanes.add("a", 1, writes);
  lanes.add("a", 2, writes);
  lanes.add("b", 3, reads);
  EXPECT_EQ(start(lanes), 1U);
  lanes.requeue("a", reads, false);
  EXPECT_EQ(lanes.waiting("a"), 2U);
  EXPECT_EQ(start(lanes), 3U);
  EXPECT_EQ(lanes.start({.reads = true, .writes = false}), 1U) << "it asks for a read now";
  lanes.finish("a");
  EXPECT_EQ(start(lanes), 2U);
}

TEST(LanesTest, HeldRequestsGetOneTurnInFourAndCountAsNothing) {
  Lanes lanes;
  for (RequestId i = 0; i < 8; ++i) {
    lanes.add("held" + std::to_string(i), i, writes, true);
    lanes.add("fresh" + std::to_string(i), 100 + i, writes);
  }
  EXPECT_EQ(lanes.waiting(), 8U);
  std::vector<RequestId> order;
  while (const auto request = start(lanes)) order.push_back(*request);
  EXPECT_EQ(order, (std::vector<RequestId>{100, 101, 102, 0, 103, 104, 105, 1, 106, 107, 2, 3, 4, 5,
                                           6, 7}));
}

TEST(LanesTest, AHeldRequestWithAFreshOneBehindItIsUrgent) {
  Lanes lanes;
  lanes.add("a", 1, writes, true);
  lanes.add("b", 2, writes, true);
  lanes.add("b", 3, reads);
  EXPECT_EQ(start(lanes), 2U);
  lanes.finish("b");
  EXPECT_EQ(lanes.start({.held = false}), 3U);
  EXPECT_EQ(lanes.start({.held = false}), std::nullopt);
  EXPECT_EQ(start(lanes), 1U);
}

TEST(LanesTest, WhatIsHeldWhileItWaitsLosesItsPlaceAmongTheUrgent) {
  Lanes lanes;
  lanes.add("a", 1, writes);
  lanes.add("b", 2, writes);
  lanes.hold("a", 1);
  lanes.hold("a", 1);
  EXPECT_EQ(lanes.waiting(), 1U);
  EXPECT_EQ(lanes.waiting("a"), 0U);
  EXPECT_EQ(lanes.length("a"), 1U);
  EXPECT_EQ(start(lanes), 2U);
  EXPECT_EQ(start(lanes), 1U);
}

TEST(LanesTest, ThoseWhoJoinCountAsWaiting) {
  Lanes lanes;
  lanes.add("a", 1, writes);
  EXPECT_EQ(lanes.last("a"), 1U);
  lanes.join("a");
  lanes.join("a");
  EXPECT_EQ(lanes.waiting("a"), 3U);
  EXPECT_EQ(start(lanes), 1U);
  EXPECT_EQ(lanes.last("a"), 1U) << "it is not done with";
  EXPECT_EQ(lanes.waiting(), 2U);
  lanes.leave("a", 2);
  lanes.finish("a");
  EXPECT_EQ(lanes.waiting(), 0U);
  EXPECT_EQ(lanes.last("a"), std::nullopt);
}

TEST(LanesTest, AMoveTakesEverythingAlong) {
  Lanes lanes;
  lanes.add("a-thing-with-a-long-name-that-is-not-stored-inline", 1, reads);
  lanes.add("b", 2, reads);
  EXPECT_EQ(start(lanes), 1U);
  Lanes moved = std::move(lanes);
  moved.add("a-thing-with-a-long-name-that-is-not-stored-inline", 3, reads);
  moved.finish("a-thing-with-a-long-name-that-is-not-stored-inline");
  EXPECT_EQ(start(moved), 2U);
  EXPECT_EQ(start(moved), 3U);
}

TEST(LanesTest, ALaneWithNothingToDoTakesNoMemory) {
  constexpr RequestId things = 20000;
  Lanes lanes;
  const auto before = live_memory();
  for (RequestId i = 0; i < things; ++i) {
    const auto thing = "thing-with-quite-a-long-name-" + std::to_string(i);
    lanes.add(thing, i, reads);
    lanes.add(thing, i + things, reads);
    if (i % 2 == 0) {
      start(lanes);
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

TEST(LanesTest, ThingsWhoseCallsAloneFailGetOneTurnInFourBesideOthers) {
  Lanes lanes;
  for (RequestId request = 0; request < 8; ++request) {
    lanes.add("f" + std::to_string(request), request, reads);
    lanes.set_fails_alone("f" + std::to_string(request), true);
  }
  for (RequestId request = 100; request < 106; ++request) {
    lanes.add("w" + std::to_string(request), request, writes);
  }
  std::vector<RequestId> order;
  while (const auto request = start(lanes)) order.push_back(*request);
  EXPECT_EQ(order, std::vector<RequestId>({100, 101, 102, 0, 103, 104, 105, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(LanesTest, OfThingsWhoseCallsAloneFailThoseWithNothingUrgentComeLast) {
  Lanes lanes;
  for (RequestId request = 0; request < 6; ++request) {
    const auto thing = "f" + std::to_string(request);
    lanes.add(thing, request, reads, request < 2);
    lanes.set_fails_alone(thing, true);
  }
  std::vector<RequestId> order;
  while (const auto request = start(lanes)) order.push_back(*request);
  EXPECT_EQ(order, std::vector<RequestId>({2, 3, 4, 0, 5, 1}));
}

TEST(LanesTest, HeldRequestsOfFailingThingsAndOfOthersAreCountedApart) {
  Lanes lanes;
  for (RequestId i = 0; i < 4; ++i) {
    lanes.add("failing" + std::to_string(i), i, reads);
    lanes.set_fails_alone("failing" + std::to_string(i), true);
    lanes.add("fresh" + std::to_string(i), 100 + i, writes);
  }
  lanes.add("held", 200, writes, true);
  lanes.add("failing-held", 300, reads, true);
  lanes.set_fails_alone("failing-held", true);
  std::vector<RequestId> order;
  while (const auto request = start(lanes)) order.push_back(*request);
  EXPECT_EQ(order, std::vector<RequestId>({100, 101, 102, 0, 200, 103, 1, 2, 300, 3}));
}

TEST(LanesTest, ThingsWhoseCallsAloneFailMayBeLeftOut) {
  Lanes lanes;
  lanes.add("f", 1, reads);
  lanes.set_fails_alone("f", true);
  auto others = all;
  others.failing_alone = false;
  EXPECT_TRUE(ready(lanes));
  EXPECT_FALSE(lanes.has_ready(others));
  EXPECT_EQ(lanes.start(others), std::nullopt);
  lanes.add("w", 2, reads);
  EXPECT_TRUE(lanes.has_ready(others));
  EXPECT_EQ(lanes.start(others), 2U);
  EXPECT_EQ(start(lanes), 1U);
}

TEST(LanesTest, AThingNoLongerFailsAloneOnceThatIsSetOrItsLaneIsGone) {
  Lanes lanes;
  auto others = all;
  others.failing_alone = false;
  lanes.set_fails_alone("f", true);  // it has no lane
  lanes.add("f", 1, reads);
  EXPECT_FALSE(lanes.fails_alone("f"));
  lanes.set_fails_alone("f", true);
  EXPECT_TRUE(lanes.fails_alone("f"));
  EXPECT_FALSE(lanes.has_ready(others));
  lanes.set_fails_alone("f", false);
  EXPECT_TRUE(lanes.has_ready(others));
  lanes.set_fails_alone("f", true);
  EXPECT_EQ(start(lanes), 1U);
  lanes.set_fails_alone("f", false);  // while its call is under way
  lanes.requeue("f", reads, false);
  EXPECT_TRUE(lanes.has_ready(others));
  lanes.set_fails_alone("f", true);
  EXPECT_EQ(start(lanes), 1U);
  lanes.finish("f");
  lanes.add("f", 2, reads);
  EXPECT_FALSE(lanes.fails_alone("f"));
}

}  // namespace
}  // namespace jobs_bridge
