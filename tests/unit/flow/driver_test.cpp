#include "bridge/flow/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/flow/engine_driver.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing_support::answer_of;

/// A driver in virtual time and what it orders.
class DriverTest : public testing::Test {
 protected:
  using Orders = Driver::Orders;

  void make(EngineSettings settings = {}, std::size_t connections = 3,
            std::optional<Lease> lease = std::nullopt) {
    driver.emplace(Engine(settings, *TopicGrammar::from_base("$aws/things/{thing}/jobs")),
                   connections, lease);
    fire();
  }
  Orders tell_lease(const std::function<void(Lease&)>& event) {
    Orders orders;
    driver->lease_event(now, event, orders);
    return orders;
  }
  Orders take_in(Message message, bool begin) {
    Orders orders;
    driver->received(now, std::move(message), orders);
    if (!std::exchange(orders.effects.recorded, {}).empty()) {
      disk_full ? driver->not_recorded(now, "the disk is full", orders)
                : driver->recorded(now, orders);
    }
    begin ? driver->begin_calls(now, orders) : driver->defer_calls(now, orders);
    return orders;
  }
  Orders ask(const std::string& thing, bool begin = true) {
    return take_in({.topic = "$aws/things/" + thing + "/jobs/start-next", .payload = "{}"}, begin);
  }
  Orders update(const std::string& thing) {
    return take_in({.topic = "$aws/things/" + thing + "/jobs/j/update",
                    .payload = R"({"status":"SUCCEEDED"})"},
                   true);
  }
  Orders fire() {
    Orders orders;
    driver->timer_fired(now, orders);
    EXPECT_GT(driver->due(), now.monotonic);
    return orders;
  }
  Orders end(std::size_t connection, const HttpOutcome& outcome = answer_of(200, "{}")) {
    Orders orders;
    driver->call_ended(now, connection, outcome, orders);
    return orders;
  }
  Orders drain(Duration timeout) {
    Orders orders;
    driver->drain(now, timeout, orders);
    return orders;
  }
  static std::vector<std::size_t> connections_of(const Orders& orders) {
    std::vector<std::size_t> connections;
    for (const auto& start : orders.calls) connections.push_back(start.connection);
    return connections;
  }

  std::optional<Driver> driver;
  Now now{.monotonic = MonotonicTime(1h), .unix_seconds = 1700000000};
  bool disk_full = false;
};

TEST_F(DriverTest, CallOfAMessageThatIsTakenInIsLeftToTheTimerWhichIsDueAtOnce) {
  make();
  const auto taken = ask("a", false);
  EXPECT_THAT(taken.calls, IsEmpty());
  EXPECT_EQ(taken.wake_at, now.monotonic);
  EXPECT_EQ(ask("b", false).wake_at, std::nullopt) << "it has been woken already";
  EXPECT_THAT(fire().calls, SizeIs(2));
}

TEST_F(DriverTest, CallThatIsBegunAtOnceNeedsNoWakeUp) {
  make();
  const auto begun = ask("a");
  EXPECT_THAT(begun.calls, SizeIs(1));
  EXPECT_EQ(begun.wake_at, std::nullopt);
  EXPECT_GT(driver->due(), now.monotonic);
}

TEST_F(DriverTest, ConnectionUsedLastIsUsedFirst) {
  make();
  EXPECT_THAT(connections_of(ask("a")), ElementsAre(0));
  EXPECT_THAT(connections_of(ask("b")), ElementsAre(1));
  end(1);
  end(0);
  EXPECT_THAT(connections_of(ask("c")), ElementsAre(0));
  end(0);
  EXPECT_THAT(connections_of(ask("d")), ElementsAre(0)) << "the third was never needed";
}

TEST_F(DriverTest, EndOfACallBeginsTheOneThatWaitedForItsConnection) {
  make({}, 2);
  ask("a");
  ask("b");
  EXPECT_THAT(ask("c").calls, IsEmpty());
  EXPECT_THAT(ask("d").calls, IsEmpty());
  EXPECT_THAT(connections_of(end(1)), ElementsAre(1));
  EXPECT_THAT(connections_of(end(0)), ElementsAre(0));
  EXPECT_THAT(end(0).calls, IsEmpty());
}

TEST_F(DriverTest, TimerIsDueWhenTheQuotaIsReadyAndTheCallBeginsThen) {
  EngineSettings settings;
  settings.writes_per_second = 200;
  make(settings, 3);
  // The burst.
  while (!ask("a").calls.empty()) end(0);
  fire();
  for (int i = 0; i < 5000; ++i) {
    const auto due = driver->due();
    ASSERT_LE(due, now.monotonic + 5ms + 1us);
    now.monotonic = due;
    ASSERT_THAT(fire().calls, SizeIs(1)) << i;
    end(0);
    fire();
    ASSERT_THAT(ask("a", i % 2 == 0).calls, IsEmpty());
  }
}

TEST_F(DriverTest, WhatIsPublishedIsSentAtTheNextTurnAndOnce) {
  make();
  for (const auto* thing : {"a", "b", "c"}) ask(thing);
  EXPECT_EQ(end(0).wake_at, now.monotonic);
  const auto second = end(1);
  EXPECT_EQ(second.wake_at, std::nullopt);
  EXPECT_FALSE(second.send);
  end(2);
  EXPECT_TRUE(fire().send);
  EXPECT_FALSE(fire().send);
}

TEST_F(DriverTest, UpdateThatCannotBeRecordedIsRejectedAndMakesNoCall) {
  EngineSettings settings;
  settings.holding.durable = true;
  make(settings);
  disk_full = true;
  const auto orders = update("a");
  ASSERT_THAT(orders.effects.publications, SizeIs(1));
  EXPECT_THAT(orders.effects.publications[0].payload, testing::HasSubstr("the disk is full"));
  EXPECT_THAT(orders.calls, IsEmpty());
  EXPECT_THAT(fire().calls, IsEmpty());
}

TEST_F(DriverTest, CallThatNothingCanMakeIsTriedAgainOnAnotherConnection) {
  make();
  ask("a");
  ask("b");
  end(0);
  fire();
  Orders orders;
  driver->cannot_make_call(now, 1, "no memory", orders);
  EXPECT_THAT(orders.calls, IsEmpty());
  EXPECT_THAT(orders.effects.publications, IsEmpty());
  while (true) {
    const auto again = fire();
    if (!again.calls.empty()) {
      EXPECT_THAT(connections_of(again), ElementsAre(0));
      break;
    }
    now.monotonic = driver->due();
  }
  EXPECT_THAT(connections_of(ask("c")), ElementsAre(2));
  EXPECT_THAT(connections_of(ask("d")), ElementsAre(1)) << "the one that could not be made is last";
}

TEST_F(DriverTest, LimitsThatGrowBeginWhatWaited) {
  EngineSettings settings;
  settings.writes_per_second = 1;
  make(settings);
  ask("a");
  EXPECT_THAT(ask("b").calls, IsEmpty());
  settings.writes_per_second = 0;
  Orders orders;
  driver->limits_changed(now, settings, orders);
  EXPECT_THAT(orders.calls, IsEmpty());
  EXPECT_EQ(orders.wake_at, now.monotonic);
  EXPECT_THAT(fire().calls, SizeIs(1));
}

TEST_F(DriverTest, DrainOfABridgeWithNothingToDoEndsAtOnce) {
  make();
  EXPECT_EQ(drain(5s).wake_at, now.monotonic);
  ASSERT_TRUE(driver->drained());
  EXPECT_EQ(driver->drained()->rejected, 0U);
  fire();
  EXPECT_EQ(driver->due(), MonotonicTime::max());
}

TEST_F(DriverTest, DrainEndsWithTheLastCall) {
  make({}, 1);
  ask("a");
  ask("b");
  drain(5s);
  EXPECT_FALSE(driver->drained());
  EXPECT_THAT(ask("c").effects.publications, SizeIs(1)) << "rejected at once";
  EXPECT_THAT(end(0).calls, SizeIs(1));
  EXPECT_FALSE(driver->drained());
  end(0);
  ASSERT_TRUE(driver->drained());
  EXPECT_EQ(driver->drained()->rejected, 0U);
}

TEST_F(DriverTest, NoCallBeginsForWhatIsRejectedAtTheTimeout) {
  make({}, 1);
  ask("a");
  ask("b");
  drain(2s);
  now.monotonic += 3s;  // the timer is late
  const auto orders = end(0);
  EXPECT_THAT(orders.calls, IsEmpty());
  ASSERT_TRUE(driver->drained());
  EXPECT_EQ(driver->drained()->rejected, 1U);
}

TEST_F(DriverTest, DrainRejectsWhatIsLeftAtTheTimeoutAndBeginsNothingMore) {
  make({}, 1);
  ask("a");
  ask("b");
  drain(2s);
  while (driver->due() < now.monotonic + 2s) {
    now.monotonic = driver->due();
    fire();
  }
  now.monotonic += 2s;
  const auto orders = fire();
  ASSERT_TRUE(driver->drained());
  EXPECT_EQ(driver->drained()->rejected, 2U);
  EXPECT_THAT(orders.effects.publications, SizeIs(2));
  EXPECT_TRUE(orders.send);
  const auto late = end(0);
  EXPECT_THAT(late.calls, IsEmpty());
  EXPECT_THAT(late.effects.publications, IsEmpty());
  EXPECT_EQ(driver->due(), MonotonicTime::max());
  EXPECT_EQ(ask("c").wake_at, now.monotonic) << "its rejection is to be sent";
  EXPECT_TRUE(fire().send);
}

TEST_F(DriverTest, UnderALeaseCallsBeginWhenItAllowsThemAndEndWithinTwoFifthsOfIt) {
  constexpr auto length = 10s;
  make({.deadline = 60s}, 3, Lease(length, false));
  EXPECT_THAT(ask("a").calls, IsEmpty());
  EXPECT_THAT(fire().calls, IsEmpty());
  const auto connected = tell_lease([&](Lease& lease) { lease.connected(now.monotonic); });
  EXPECT_EQ(connected.lease, Lease::State::waiting);
  EXPECT_FALSE(connected.be_primary);
  fire();
  EXPECT_EQ(driver->due(), now.monotonic + length) << "the wait is over then";
  now.monotonic += length - 1s;
  tell_lease([&](Lease& lease) { lease.canary_returned(now.monotonic); });
  EXPECT_THAT(fire().calls, IsEmpty());
  now.monotonic += 1s;
  const auto begun = fire();
  EXPECT_EQ(begun.lease, Lease::State::active);
  ASSERT_THAT(begun.calls, SizeIs(1));
  EXPECT_EQ(begun.calls.front().call.deadline, now.monotonic + length * 2 / 5);
  EXPECT_THAT(ask("b").calls, SizeIs(1));

  now.monotonic += length / 2;
  const auto late = ask("c");
  EXPECT_THAT(late.calls, IsEmpty()) << "no message to ourselves has come back of late";
  EXPECT_EQ(late.lease, Lease::State::unproven);
  EXPECT_THAT(end(0).calls, IsEmpty());
  fire();
  const auto proven = tell_lease([&](Lease& lease) { lease.canary_returned(now.monotonic); });
  EXPECT_EQ(proven.wake_at, now.monotonic);
  EXPECT_THAT(fire().calls, SizeIs(1));
}

TEST_F(DriverTest, WhetherAStandbyIsToBePrimaryIsOrderedOnceEachTime) {
  make({}, 3, Lease(10s, true));
  const auto watch = [&] {
    return tell_lease(
        [&](Lease& lease) { lease.standby_canary_returned(now.monotonic, now.monotonic); });
  };
  EXPECT_FALSE(watch().be_primary);
  now.monotonic += 5s;
  EXPECT_EQ(watch().be_primary, true);
  EXPECT_FALSE(watch().be_primary);
  EXPECT_EQ(tell_lease([&](Lease& lease) { lease.other_canary_arrived(now.monotonic); }).be_primary,
            false);
}

TEST_F(DriverTest, ShutdownWaitsForTheUpdateThatIsBeingRecorded) {
  EngineSettings settings;
  settings.holding.durable = true;
  make(settings);
  Orders received;
  driver->received(
      now, {.topic = "$aws/things/lamp/jobs/j/update", .payload = R"({"status":"SUCCEEDED"})"},
      received);
  driver->defer_calls(now, received);
  ASSERT_THAT(received.effects.recorded, SizeIs(1));
  drain(5s);
  fire();
  EXPECT_FALSE(driver->drained());
  Orders recorded;
  driver->recorded(now, recorded);
  driver->begin_calls(now, recorded);
  EXPECT_THAT(recorded.calls, SizeIs(1));
  end(recorded.calls.at(0).connection);
  fire();
  EXPECT_TRUE(driver->drained());
}

}  // namespace
}  // namespace jobs_bridge
