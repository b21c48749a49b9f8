#include "bridge/flow/circuit.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

constexpr auto never = MonotonicTime::max();

/// A circuit in virtual time. Calls end at once unless a test lets them go on.
class CircuitTest : public testing::Test {
 protected:
  RequestId begin(const std::string& thing, bool fails_alone = false) {
    circuit_.called(now_, ++last_, thing, fails_alone);
    return last_;
  }
  void end(RequestId call, const std::string& thing, Health health, bool fails_for_all = false) {
    Outcome outcome{.answer = {}};
    outcome.health = health;
    outcome.fails_for_all = fails_for_all;
    circuit_.ended(now_, call, thing, outcome, random_);
  }
  void succeed(const std::string& thing) { end(begin(thing), thing, Health::healthy); }
  void fail(const std::string& thing, bool for_all = false) {
    end(begin(thing), thing, Health::failing, for_all);
  }
  /// Nothing gets through.
  void lose_endpoint() {
    now_ += 2s;
    for (int i = 0; i < 5; ++i) fail("lamp", /*for_all=*/true);
    ASSERT_TRUE(circuit_.is_open());
  }
  /// A probe succeeds: the circuit recovers.
  void recover(const std::string& thing = "lamp") {
    now_ += Circuit::max_pause;
    succeed(thing);
    ASSERT_FALSE(circuit_.is_open());
  }
  /// A thing that fails alone, since others succeed.
  void make_failing(const std::string& thing) {
    fail(thing);
    succeed("healthy");
    ASSERT_TRUE(circuit_.fails_alone(thing));
  }
  bool is_ready(bool suspected = false) const { return circuit_.ready_at(now_, suspected) <= now_; }

  MonotonicTime now_{1h};
  Circuit circuit_;
  Random random_{1};
  RequestId last_ = 0;
};

TEST_F(CircuitTest, FailuresForAllOpenItOnlyOnceNothingHasSucceededForASecond) {
  succeed("lamp");
  now_ += 999ms;
  for (int i = 0; i < 20; ++i) fail("lamp", /*for_all=*/true);
  EXPECT_FALSE(circuit_.is_open());
  now_ += 1ms;
  fail("lamp", /*for_all=*/true);
  EXPECT_TRUE(circuit_.is_open());
  EXPECT_EQ(circuit_.since(), now_);
}

TEST_F(CircuitTest, FailuresForAllBeforeASuccessDoNotCount) {
  now_ += 2s;
  for (int i = 0; i < 4; ++i) fail("lamp", /*for_all=*/true);
  succeed("lamp");
  succeed("fan");
  now_ += 2s;
  // Of one thing alone, and one that may be of every thing.
  for (int i = 0; i < 4; ++i) fail("lamp");
  fail("lamp", /*for_all=*/true);
  EXPECT_FALSE(circuit_.is_open());
}

TEST_F(CircuitTest, ThrottlingProvesThatTheEndpointIsThere) {
  lose_endpoint();
  now_ += Circuit::max_pause;
  end(begin("lamp"), "lamp", Health::throttling);
  EXPECT_FALSE(circuit_.is_open());
}

TEST_F(CircuitTest, CallFromBeforeTheOutageDoesNotPostponeTheProbe) {
  now_ += 2s;
  const auto before = begin("lamp");
  lose_endpoint();
  const auto probe_at = circuit_.ready_at(now_, /*suspected=*/true);
  now_ += 100ms;
  end(before, "lamp", Health::failing, /*fails_for_all=*/true);
  EXPECT_EQ(circuit_.ready_at(now_, /*suspected=*/true), probe_at);
}

TEST_F(CircuitTest, ProbeThatIsStillUnderWayWhenAnotherSucceedsIsNoneInTheNextOutage) {
  lose_endpoint();
  now_ += Circuit::max_pause;
  begin("lamp");  // hangs
  EXPECT_FALSE(is_ready(/*suspected=*/true));
  succeed("fan");
  ASSERT_FALSE(circuit_.is_open());
  lose_endpoint();
  now_ += Circuit::max_pause;
  EXPECT_TRUE(is_ready(/*suspected=*/true));
}

TEST_F(CircuitTest, WhileItRecoversTheCallsInFlightAreLimitedForAMinute) {
  lose_endpoint();
  recover();
  begin("a");
  begin("b");
  EXPECT_FALSE(is_ready());
  EXPECT_EQ(circuit_.ready_at(now_, false), now_ + 1s) << "by then one that hangs counts no more";
  now_ += 999ms;
  EXPECT_FALSE(is_ready());
  now_ += 1ms;
  EXPECT_TRUE(is_ready());
  now_ += 58s;
  begin("c");
  begin("d");
  EXPECT_FALSE(is_ready());
  EXPECT_EQ(circuit_.ready_at(now_, false), now_ + 1s);
  now_ += 1s;
  begin("e");
  begin("f");
  EXPECT_TRUE(is_ready()) << "the minute is over";
}

TEST_F(CircuitTest, CallsOfThingsThatFailAloneDoNotCountInTheRecovery) {
  make_failing("broken");
  lose_endpoint();
  recover("healthy");
  ASSERT_TRUE(circuit_.fails_alone("broken"));
  for (int i = 0; i < 5; ++i) begin("broken", /*fails_alone=*/true);
  EXPECT_TRUE(is_ready());
}

TEST_F(CircuitTest, ThingsThatFailAloneHaveSoManyCallsAtMost) {
  make_failing("broken");
  const auto first = begin("broken", /*fails_alone=*/true);
  EXPECT_LE(circuit_.failing_alone_ready_at(now_, 2), now_);
  begin("broken", /*fails_alone=*/true);
  EXPECT_EQ(circuit_.failing_alone_ready_at(now_, 2), never);
  end(first, "broken", Health::failing);
  EXPECT_LE(circuit_.failing_alone_ready_at(now_, 2), now_);
}

TEST_F(CircuitTest, WhileItRecoversThingsThatFailAloneHaveACallASecond) {
  make_failing("broken");
  lose_endpoint();
  recover("healthy");
  EXPECT_LE(circuit_.failing_alone_ready_at(now_, 16), now_);
  begin("broken", /*fails_alone=*/true);
  EXPECT_EQ(circuit_.failing_alone_ready_at(now_, 16), now_ + 1s);
  now_ += 1min;
  EXPECT_LE(circuit_.failing_alone_ready_at(now_, 16), now_) << "recovered";
}

}  // namespace
}  // namespace jobs_bridge
