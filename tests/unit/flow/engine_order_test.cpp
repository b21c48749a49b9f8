#include <gtest/gtest.h>

#include <map>

#include "tests/unit/flow/engine_driver.h"

/// Which request is carried out when.
namespace jobs_bridge {
namespace {

using testing_support::EngineDriver;

TEST(EngineOrderTest, RequestsOfAThingGoInArrivalOrderOneAtATime) {
  EngineDriver driver;
  driver.send("T", "start-next");
  driver.send("T", "j/update", R"({"status":"SUCCEEDED"})");
  driver.send("T", "get");
  EXPECT_EQ(driver.engine.counts().waiting, 3U);
  for (const std::string target : {"/things/T/jobs/$next", "/things/T/jobs/j", "/things/T/jobs"}) {
    EXPECT_TRUE(driver.has_call());
    const auto call = driver.next_call();
    EXPECT_EQ(call.value().request.target, target);
    EXPECT_EQ(driver.engine.counts().in_flight, 1U);
    EXPECT_FALSE(driver.has_call());
    EXPECT_FALSE(driver.next_call()) << "one at a time";
    driver.answer(call->id);
  }
  EXPECT_EQ(driver.take_publications().size(), 3U);
  EXPECT_EQ(driver.engine.counts().in_flight, 0U);
}

TEST(EngineOrderTest, ThingsAreServedRoundRobin) {
  EngineDriver driver;
  for (int i = 0; i < 10; ++i) driver.send("flood", std::to_string(i) + "/get");
  driver.send("b", "get");
  driver.send("c", "get");
  std::string order;
  while (const auto call = driver.next_call()) {
    order += call->request.target.substr(8, 1);
    driver.answer(call->id);
  }
  EXPECT_EQ(order, "fbcfffffffff");
}

TEST(EngineOrderTest, ARefusalDoesNotHoldUpTheNextRequest) {
  EngineDriver driver;
  driver.send("T", "start-next");
  driver.send("T", "get");
  driver.answer(driver.next_call().value().id, testing_support::answer_of(403, "{}"));
  EXPECT_EQ(driver.next_call().value().request.target, "/things/T/jobs");
}

TEST(EngineOrderTest, EveryCallHasItsOwnId) {
  EngineDriver driver;
  std::map<RequestId, int> seen;
  for (int i = 0; i < 100; ++i) {
    driver.send("T" + std::to_string(i % 7), "get");
    const auto call = driver.next_call();
    ++seen[call.value().id];
    driver.answer(call->id);
  }
  EXPECT_EQ(seen.size(), 100U);
}

TEST(EngineOrderTest, AnAnswerToNoCallIsForgotten) {
  EngineDriver driver;
  driver.answer(4711);
  driver.send("T", "get");
  driver.answer(1);
  driver.answer(2);
  EXPECT_TRUE(driver.take_publications().empty()) << "it waits and was not called yet";
  const auto call = driver.next_call();
  driver.answer(call.value().id);
  driver.answer(call->id);
  EXPECT_EQ(driver.take_publications().size(), 1U);
  EXPECT_EQ(driver.engine.counts().in_flight, 0U);
}

}  // namespace
}  // namespace jobs_bridge
