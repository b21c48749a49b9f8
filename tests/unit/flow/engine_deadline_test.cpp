#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/unit/flow/engine_driver.h"

/// What time does to a request.
namespace jobs_bridge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing_support::answer_of;
using testing_support::EngineDriver;

/// Of a deadline of 8 s.
constexpr auto latest_start = milliseconds(7500);

TEST(EngineDeadlineTest, ARequestWithoutATurnIsThrottledBeforeACallWouldHaveTooLittleTime) {
  EngineDriver driver({.deadline = seconds(8)});
  driver.send("T", "get", R"({"clientToken":"t"})");
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic), driver.now.monotonic + latest_start);
  driver.advance(latest_start - Duration(1));
  driver.tick();
  EXPECT_TRUE(driver.effects.publications.empty());
  driver.advance(Duration(1));
  driver.tick();
  EXPECT_EQ(driver.effects.finished.at(0).took, latest_start);
  const auto reply = driver.take_one();
  EXPECT_EQ(reply.topic, "$aws/things/T/jobs/get/rejected");
  EXPECT_THAT(reply.payload, HasSubstr("RequestThrottled"));
  EXPECT_THAT(reply.payload, HasSubstr("8000 ms"));
  EXPECT_THAT(reply.payload, HasSubstr(R"("clientToken":"t")"));
  EXPECT_FALSE(driver.next_call()) << "never sent after its deadline";
  EXPECT_EQ(driver.engine.counts().waiting, 0U);
}

TEST(EngineDeadlineTest, NextCallNeverGivesOutWhatIsOverdue) {
  EngineDriver driver({.deadline = seconds(8)});
  driver.send("T", "start-next");
  driver.advance(seconds(4));
  driver.send("T", "get");
  driver.advance(seconds(4));
  EXPECT_EQ(driver.next_call().value().request.target, "/things/T/jobs");
  EXPECT_EQ(driver.take_one().topic, "$aws/things/T/jobs/start-next/rejected");
}

TEST(EngineDeadlineTest, ACallEndsBeforeItsReplyIsDue) {
  EngineDriver driver({.deadline = seconds(8)});
  driver.send("T", "get");
  const auto due = driver.now.monotonic + seconds(8);
  driver.advance(seconds(3));
  const auto call = driver.next_call();
  EXPECT_LT(call.value().deadline, due);
  EXPECT_GE(call->deadline, due - milliseconds(100));
}

TEST(EngineDeadlineTest, ACallStartedAtTheLatestMomentStillHasTime) {
  EngineDriver driver({.deadline = seconds(8)});
  driver.send("T", "get");
  const auto due = driver.now.monotonic + seconds(8);
  driver.advance(latest_start - Duration(1));
  const auto call = driver.next_call();
  EXPECT_GT(call.value().deadline, driver.now.monotonic + milliseconds(400));
  EXPECT_LT(call->deadline, due);
}

TEST(EngineDeadlineTest, AnAnswerThatDoesNotComeIsAnInternalError) {
  EngineDriver driver({.deadline = milliseconds(1500)});
  driver.send("T", "get");
  driver.next_call();
  driver.advance(milliseconds(1500));
  driver.tick();
  const auto reply = driver.take_one();
  EXPECT_THAT(reply.payload, HasSubstr("InternalError"));
  EXPECT_THAT(reply.payload, HasSubstr("1500 ms"));
}

TEST(EngineDeadlineTest, WhatIsRejectedAfterCallsSaysHowManyThereWere) {
  EngineDriver driver;
  driver.send("T", "get");
  driver.send("U", "get");
  driver.answer(driver.next_call().value().id, answer_of(500, "{}"));
  for (int call = 0; call < 2; ++call) driver.wait_for_call();
  driver.advance(seconds(8));
  driver.tick();
  std::map<std::string, std::uint32_t> calls;
  for (const auto& finished : driver.effects.finished) calls[finished.topic] = finished.calls;
  EXPECT_EQ(calls, (std::map<std::string, std::uint32_t>{{"$aws/things/T/jobs/get", 2},
                                                         {"$aws/things/U/jobs/get", 1}}));
}

TEST(EngineDeadlineTest, ALateAnswerIsForgottenAndFreesTheLane) {
  EngineDriver driver({.deadline = seconds(8)});
  driver.send("T", "start-next");
  const auto late = driver.next_call();
  driver.advance(seconds(5));
  driver.send("T", "get");
  driver.advance(seconds(3));
  driver.tick();
  driver.take_one();
  EXPECT_FALSE(driver.next_call()) << "the late call may still arrive: nothing overtakes it";
  EXPECT_FALSE(driver.has_call());
  EXPECT_EQ(driver.engine.counts().in_flight, 1U);
  driver.answer(late.value().id, answer_of(200, R"({"execution":{"jobId":"j"}})"));
  EXPECT_TRUE(driver.take_publications().empty()) << "one reply, not two";
  EXPECT_EQ(driver.engine.counts().in_flight, 0U);
  const auto call = driver.next_call();
  EXPECT_EQ(call.value().request.target, "/things/T/jobs");
  driver.answer(call->id);
  EXPECT_EQ(driver.take_one().topic, "$aws/things/T/jobs/get/accepted");
}

TEST(EngineDeadlineTest, ALateCallHoldsUpNoOtherThing) {
  EngineDriver driver({.deadline = seconds(8)});
  driver.send("T", "get");
  driver.next_call();
  driver.advance(seconds(9));
  driver.tick();
  driver.send("U", "get");
  EXPECT_EQ(driver.next_call().value().request.target, "/things/U/jobs");
}

TEST(EngineDeadlineTest, WhatIsOverdueIsAnsweredInTheOrderOfDeadlines) {
  EngineDriver driver({.deadline = seconds(8)});
  for (const auto* thing : {"b", "a", "c"}) {
    driver.send(thing, "get");
    driver.advance(seconds(1));
  }
  driver.advance(seconds(8));
  driver.tick();
  const auto publications = driver.take_publications();
  ASSERT_EQ(publications.size(), 3U);
  EXPECT_EQ(publications[0].topic, "$aws/things/b/jobs/get/rejected");
  EXPECT_EQ(publications[1].topic, "$aws/things/a/jobs/get/rejected");
  EXPECT_EQ(publications[2].topic, "$aws/things/c/jobs/get/rejected");
}

TEST(EngineDeadlineTest, NextTickFollowsTheEarliestDeadline) {
  EngineDriver driver({.deadline = seconds(8)});
  const auto start = driver.now.monotonic;
  EXPECT_EQ(driver.engine.next_tick(start), start + latest_start);
  driver.send("T", "get");
  driver.advance(seconds(2));
  driver.send("U", "get");
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic), start + latest_start);
  driver.answer(driver.next_call().value().id);
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic), start + seconds(2) + latest_start);
  driver.answer(driver.next_call().value().id);
  driver.advance(seconds(1));
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic), start + seconds(3) + latest_start)
      << "whatever comes from now on is due no earlier";
}

TEST(EngineDeadlineTest, WhatWaitedAtTheBrokerForTooLongIsNotCarriedOutUnlessItIsAnUpdate) {
  EngineDriver driver({.deadline = seconds(8)});
  for (const auto* below : {"start-next", "get", "j/get"}) {
    for (const Duration kept_for : {Duration(seconds(8)), Duration(std::chrono::hours(1))}) {
      driver.receive({.topic = "$aws/things/T/jobs/" + std::string(below),
                      .payload = R"({"clientToken":"t"})",
                      .kept_for = kept_for});
      const auto reply = driver.take_one();
      EXPECT_THAT(reply.payload, HasSubstr("InternalError")) << "a code that devices repeat";
      EXPECT_THAT(reply.payload, HasSubstr("while the gateway was unavailable"));
      EXPECT_FALSE(driver.next_call());
    }
  }
  driver.receive({.topic = "$aws/things/T/jobs/j/update",
                  .payload = R"({"status":"FAILED"})",
                  .kept_for = std::chrono::hours(1)});
  EXPECT_TRUE(driver.next_call());
}

TEST(EngineDeadlineTest, AMessageExpiryDoesNotLengthenTheTimeThatIsLeftToWhatWaitedAtTheBroker) {
  EngineDriver driver({.deadline = seconds(8)});
  const auto begin = driver.now.monotonic;
  driver.receive({.topic = "$aws/things/T/jobs/start-next",
                  .payload = "{}",
                  .kept_for = seconds(6),
                  .expires_after = seconds(5)});
  EXPECT_EQ(driver.engine.next_tick(begin), begin + latest_start - seconds(6));
  driver.advance(latest_start - seconds(6));
  driver.tick();
  EXPECT_THAT(driver.take_one().topic, testing::EndsWith("/rejected"));
  EXPECT_FALSE(driver.next_call());
}

/// Milliseconds since 1970 so long before the end of the second that the driver's clock shows.
std::string stamped(const EngineDriver& driver, std::chrono::milliseconds ago) {
  return std::to_string((driver.now.unix_seconds + 1) * 1000 - ago.count());
}

TEST(EngineDeadlineTest, OfRequestsThatWaitedForAnUnknownTimeOnlyStartNextIsRejected) {
  EngineDriver driver({.deadline = seconds(8)});
  const auto receive = [&](const std::string& below, const std::string& payload) {
    driver.receive(
        {.topic = "$aws/things/T/jobs/" + below, .payload = payload, .kept_for = Duration::max()});
  };
  receive("start-next", R"({"clientToken":"t"})");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("may have waited too long"));
  EXPECT_FALSE(driver.next_call());
  for (const auto* below : {"get", "j/get"}) {
    receive(below, R"({"clientToken":"t"})");
    driver.answer(driver.next_call().value().id);
    driver.take_one();
  }
  receive("j/update", R"({"status":"FAILED"})");
  EXPECT_TRUE(driver.next_call());
}

TEST(EngineDeadlineTest, TheBrokersTimeOfArrivalSaysWhatOfTheBacklogIsStillWaitedFor) {
  EngineDriver driver({.deadline = seconds(8)});
  const auto receive = [&](Duration kept_for, const std::string& arrival) {
    driver.receive({.topic = "$aws/things/T/jobs/start-next",
                    .payload = "",
                    .kept_for = kept_for,
                    .arrival = arrival});
  };
  for (const Duration kept_for : {Duration(std::chrono::hours(1)), Duration::max()}) {
    receive(kept_for, stamped(driver, seconds(3)));
    EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic),
              driver.now.monotonic + latest_start - seconds(3));
    driver.answer(driver.next_call().value().id);
    driver.take_one();
    receive(kept_for, stamped(driver, seconds(9)));
    EXPECT_THAT(driver.take_one().payload, HasSubstr("while the gateway was unavailable"));
    // In the future, of a clock that was not set, and none at all.
    for (const auto& arrival :
         {stamped(driver, seconds(-60)), std::string("60000"), std::string()}) {
      receive(kept_for, arrival);
      EXPECT_THAT(driver.take_one().payload, HasSubstr("InternalError")) << arrival;
    }
    EXPECT_FALSE(driver.next_call());
  }
}

TEST(EngineDeadlineTest, TheBrokersTimeOfArrivalMakesNothingOlderThanTheLinkShows) {
  EngineDriver driver({.deadline = seconds(8)});
  // The clocks of broker and gateway differ by an hour.
  const auto arrival = stamped(driver, std::chrono::hours(1));
  driver.receive({.topic = "$aws/things/T/jobs/start-next", .payload = "{}", .arrival = arrival});
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic), driver.now.monotonic + latest_start);
  driver.answer(driver.next_call().value().id);
  driver.take_one();
  driver.receive({.topic = "$aws/things/T/jobs/start-next",
                  .payload = "{}",
                  .kept_for = seconds(2),
                  .arrival = arrival});
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic),
            driver.now.monotonic + latest_start - seconds(2));
}

TEST(EngineDeadlineTest, WhatWaitedAtTheBrokerHasThatMuchLessTime) {
  EngineDriver driver({.deadline = seconds(8)});
  driver.receive({.topic = "$aws/things/T/jobs/get", .payload = "", .kept_for = seconds(3)});
  EXPECT_EQ(driver.engine.next_tick(driver.now.monotonic),
            driver.now.monotonic + latest_start - seconds(3));
}

TEST(EngineDeadlineTest, TheWallClockMovesNoDeadline) {
  EngineDriver driver({.deadline = seconds(8)});
  driver.send("T", "get");
  driver.now.unix_seconds = 0;
  driver.tick();
  driver.now.unix_seconds = 4102444800;
  driver.tick();
  EXPECT_TRUE(driver.effects.publications.empty());
  driver.answer(driver.next_call().value().id);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("\"timestamp\":4102444800"));
}

}  // namespace
}  // namespace jobs_bridge
