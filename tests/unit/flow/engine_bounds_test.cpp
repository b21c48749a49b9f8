#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flow/engine_driver.h"
#include "tests/unit/flow/live_memory.h"

/// What is bounded, and how the engine ends.
namespace jobs_bridge {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing_support::EngineDriver;
using testing_support::live_memory;

TEST(EngineBoundsTest, PastAThingsQueueItsRequestsAreThrottledAtOnce) {
  EngineDriver driver({.queue = 100, .queue_per_thing = 3});
  for (const auto* below : {"get", "start-next", "$next/get"}) driver.send("T", below);
  EXPECT_TRUE(driver.effects.publications.empty());
  driver.send("T", "get", R"({"clientToken":"x"})");
  const auto reply = driver.take_one();
  EXPECT_EQ(reply.topic, "$aws/things/T/jobs/get/rejected");
  EXPECT_THAT(reply.payload, HasSubstr("RequestThrottled"));
  EXPECT_THAT(reply.payload, HasSubstr("3 requests are waiting"));
  EXPECT_THAT(reply.payload, HasSubstr(R"("clientToken":"x")"));
  driver.send("U", "get");
  EXPECT_TRUE(driver.effects.publications.empty()) << "another thing does not feel it";
  EXPECT_EQ(driver.engine.counts().waiting, 4U);
}

TEST(EngineBoundsTest, ARequestInFlightDoesNotWait) {
  EngineDriver driver({.queue_per_thing = 1});
  driver.send("T", "get");
  const auto call = driver.next_call();
  driver.send("T", "start-next");
  EXPECT_TRUE(driver.effects.publications.empty());
  driver.send("T", "get");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("RequestThrottled"));
  driver.answer(call.value().id);
  driver.next_call();
  driver.take_publications();
  driver.send("T", "get");
  EXPECT_TRUE(driver.effects.publications.empty());
}

TEST(EngineBoundsTest, PastTheWholeQueueEveryRequestIsThrottledAtOnce) {
  EngineDriver driver({.queue = 5, .queue_per_thing = 3});
  for (int i = 0; i < 5; ++i) driver.send("T" + std::to_string(i), "get");
  EXPECT_TRUE(driver.effects.publications.empty());
  driver.send("U", "get");
  const auto reply = driver.take_one();
  EXPECT_THAT(reply.payload, HasSubstr("RequestThrottled"));
  EXPECT_THAT(reply.payload, HasSubstr("5 requests are waiting"));
  driver.next_call();
  driver.send("U", "get");
  EXPECT_TRUE(driver.effects.publications.empty());
}

TEST(EngineBoundsTest, AFullQueueStillTellsWhatIsWrongWithARequest) {
  EngineDriver driver({.queue = 1});
  driver.send("T", "get");
  driver.send("U", "get", "[]");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("InvalidJson"));
}

TEST(EngineBoundsTest, WhatExpiredNoLongerTakesAPlace) {
  EngineDriver driver({.deadline = seconds(8), .queue = 1});
  driver.send("T", "get");
  driver.advance(seconds(8));
  driver.tick();
  driver.take_one();
  driver.send("T", "get");
  EXPECT_TRUE(driver.effects.publications.empty());
}

TEST(EngineBoundsTest, APayloadPastTheLimitIsRejectedUnread) {
  EngineDriver driver({.max_payload = 64});
  driver.send("T", "get", "{\"a\":\"" + std::string(56, 'x') + "\"}");
  EXPECT_TRUE(driver.effects.publications.empty());
  driver.send("T", "get", "{\"a\":\"" + std::string(57, 'x') + "\"}");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("payload has 65 bytes; the limit is 64"));
}

TEST(EngineBoundsTest, AHostilePayloadOfTheLongestLengthIsJustRejected) {
  EngineDriver driver;
  for (const auto& payload :
       {std::string(128 * 1024, '['), std::string(128 * 1024, '{'), std::string(128 * 1024, '"'),
        std::string(128 * 1024, '\0'), std::string(128 * 1024, '\xFF')}) {
    driver.send("T", "j/update", payload);
    EXPECT_THAT(driver.take_one().payload, HasSubstr("InvalidJson"));
  }
}

TEST(EngineBoundsTest, WhenRefusingOnlyNewRequestsAreRejected) {
  EngineDriver driver;
  driver.send("T", "get");
  driver.send("U", "get");
  const auto flying = driver.next_call();
  driver.engine.reject_new_requests();
  driver.send("T", "get", R"({"clientToken":"n"})");
  const auto reply = driver.take_one();
  EXPECT_THAT(reply.payload, HasSubstr("InternalError")) << "a code that devices repeat";
  EXPECT_THAT(reply.payload, HasSubstr("shutting down"));
  EXPECT_THAT(reply.payload, HasSubstr(R"("clientToken":"n")"));
  driver.answer(flying.value().id);
  EXPECT_EQ(driver.take_one().topic, "$aws/things/T/jobs/get/accepted");
  driver.answer(driver.next_call().value().id);
  EXPECT_EQ(driver.take_one().topic, "$aws/things/U/jobs/get/accepted");
}

/// A start-next with a Correlation Data of that size, which takes memory until the reply.
Message with_correlation(const std::string& thing, std::size_t size) {
  return {.topic = "$aws/things/" + thing + "/jobs/start-next",
          .payload = "{}",
          .correlation_data = std::string(size, 'c')};
}

TEST(EngineBoundsTest, LargeRequestsAreBoundedInBytesAndSmallOnesInNumberAlone) {
  constexpr std::size_t large = 60000;
  constexpr std::size_t mebibyte = std::size_t{1} << 20U;
  EngineDriver driver({.queue = 10000});
  const auto before = live_memory();
  int taken = 0;
  for (int thing = 0; thing < 2000; ++thing) {
    driver.receive(with_correlation("T" + std::to_string(thing), large));
    for (const auto& reply : driver.take_publications()) {
      EXPECT_THAT(reply.payload, HasSubstr("the gateway's queue is full: 40960000 bytes"));
      --taken;
    }
    ++taken;
  }
  EXPECT_EQ(taken, 40960000 / (large + request_overhead + 37)) << "with topic and payload";
  EXPECT_LT(live_memory().bytes - before.bytes, 50 * mebibyte);
  // A place is free again once one of them is answered.
  driver.answer(driver.next_call().value().id);
  driver.take_publications();
  driver.receive(with_correlation("another", large / 2));
  EXPECT_TRUE(driver.take_publications().empty());

  EngineDriver small({.queue = 100000});
  for (int thing = 0; thing < 100000; ++thing) small.send("T" + std::to_string(thing), "get");
  EXPECT_TRUE(small.take_publications().empty());
}

TEST(EngineBoundsTest, OneThingsLargeRequestsTakeNoMoreThanItsShare) {
  EngineDriver driver({.queue = 10000, .queue_per_thing = 1000});
  const auto count = [&](const std::string& thing, std::size_t size) {
    int taken = 0;
    for (int i = 0; i < 100; ++i) {
      driver.receive(with_correlation(thing, size));
      // One like the last is answered with it, but takes its bytes all the same.
      taken += driver.take_publications().empty() ? 1 : 0;
    }
    return taken;
  };
  EXPECT_EQ(count("noisy", 60000), 2560000 / (60000 + request_overhead + 42));
  EXPECT_EQ(count("calm", 3000), 100);
  driver.receive(with_correlation("noisy", 100));
  EXPECT_TRUE(driver.take_publications().empty()) << "small ones are bounded by their number";
}

TEST(EngineBoundsTest, OneThingsLargeUpdatesLeaveRoomForOthers) {
  EngineDriver driver({.queue_per_thing = 1000, .holding = {.max_bytes = std::size_t{1} << 20U}});
  const auto update = [&](const std::string& thing, int number) {
    driver.send(thing, "j/update",
                R"({"status":"IN_PROGRESS","statusDetails":{"n":")" + std::to_string(number) +
                    std::string(10000, 'x') + "\"}}");
    return driver.take_publications().empty();
  };
  int taken = 0;
  for (int number = 0; number < 100; ++number) taken += update("noisy", number) ? 1 : 0;
  EXPECT_EQ(taken, (1 << 20) / 16 / (10000 + static_cast<int>(request_overhead) + 80));
  EXPECT_TRUE(update("calm", 1));
}

TEST(EngineBoundsTest, AbandonAnswersEverythingOnce) {
  EngineDriver driver;
  for (const auto* thing : {"a", "b", "c"}) {
    driver.send(thing, "get");
    driver.send(thing, "start-next");
  }
  const auto flying = driver.next_call();
  driver.engine.reject_remaining(driver.now, driver.effects);
  const auto publications = driver.take_publications();
  EXPECT_EQ(publications.size(), 6U);
  for (const auto& publication : publications) {
    EXPECT_TRUE(publication.topic.ends_with("/rejected"));
    EXPECT_THAT(publication.payload, HasSubstr("InternalError"));
  }
  EXPECT_EQ(driver.engine.counts().waiting, 0U);
  EXPECT_EQ(driver.engine.counts().in_flight, 1U);
  driver.answer(flying.value().id);
  driver.engine.reject_remaining(driver.now, driver.effects);
  driver.advance(seconds(60));
  driver.tick();
  EXPECT_TRUE(driver.take_publications().empty());
  EXPECT_FALSE(driver.next_call());
  EXPECT_EQ(driver.engine.counts().in_flight, 0U);
}

TEST(EngineMemoryTest, NothingStaysOfThingsThatWereServed) {
  EngineDriver driver;
  const auto serve = [&](int thing) {
    driver.send("thing-with-quite-a-long-name-" + std::to_string(thing), "get");
    driver.answer(driver.next_call().value().id);
    driver.effects.clear();
  };
  serve(-1);
  const auto before = live_memory();
  for (int thing = 0; thing < 20000; ++thing) serve(thing);
  EXPECT_LE(live_memory().blocks, before.blocks + 2);
  EXPECT_LE(live_memory().bytes, before.bytes + 1024);
}

TEST(EngineMemoryTest, NothingStaysOfRequestsThatWereRefusedOrExpired) {
  EngineDriver driver({.deadline = seconds(1), .queue = 50, .queue_per_thing = 2});
  const auto flood = [&](int round) {
    for (int i = 0; i < 200; ++i) {
      driver.send("thing-" + std::to_string(round) + "-" + std::to_string(i / 4),
                  std::to_string(i % 3) + "/get");
    }
    const auto call = driver.next_call();
    driver.advance(seconds(1));
    driver.tick();
    driver.answer(call.value().id);
    driver.effects = {};
  };
  flood(-1);
  const auto before = live_memory();
  for (int round = 0; round < 200; ++round) flood(round);
  EXPECT_LE(live_memory().blocks, before.blocks + 2);
  EXPECT_LE(live_memory().bytes, before.bytes + 1024);
}

TEST(EngineMemoryTest, AWaitingRequestTakesLessThanAKibibyteBesidesItsPayload) {
  constexpr std::size_t requests = 10000;
  const std::string details = R"({"status":"IN_PROGRESS","clientToken":"0123456789abcdef",)"
                              R"("statusDetails":{"progress":"50%"}})";
  EngineDriver driver({.queue = requests});
  const auto before = live_memory();
  for (std::size_t i = 0; i < requests; ++i) {
    driver.send("thing-of-some-length-" + std::to_string(i), "a-job-of-some-length/update",
                details);
  }
  ASSERT_EQ(driver.engine.counts().waiting, requests);
  EXPECT_LT((live_memory().bytes - before.bytes) / requests, 1024 + details.size());
}

}  // namespace
}  // namespace jobs_bridge
