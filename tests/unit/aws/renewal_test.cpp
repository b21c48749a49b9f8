#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "adapters/aws/credential_keeper.h"
#include "adapters/aws/renewal_schedule.h"
#include "tests/support/recording_log.h"
#include "tests/support/wait_until.h"
#include "tests/unit/aws/fakes.h"

namespace jobs_bridge::aws {
namespace {

using testing::HasSubstr;
using testing_support::RecordingLog;

constexpr MonotonicTime start{1000h};

Credentials lasting(Duration life) {
  auto credentials = keys("A");
  credentials.expires = start + life;
  return credentials;
}

TEST(RenewalScheduleTest, IsDueAheadOfTheEndAndNeverTwiceAtTheSameMoment) {
  for (const auto& [life, margin] :
       {std::pair<Duration, Duration>{1h, 15min}, {12h, 15min}, {15min, 225s}, {60s, 15s}}) {
    std::vector<MonotonicTime> dues;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      RenewalSchedule schedule{Random(seed)};
      schedule.succeeded(start, lasting(life), false);
      EXPECT_LE(schedule.due(), start + life - margin);
      EXPECT_GE(schedule.due(), start + life - margin * 3 / 2);
      dues.push_back(schedule.due());
    }
    std::ranges::sort(dues);
    EXPECT_EQ(std::ranges::adjacent_find(dues), dues.end());
  }
}

TEST(RenewalScheduleTest, SourceThatHandsOutTheSameUntilTheyEndIsNotAskedWithoutAPause) {
  RenewalSchedule schedule{Random(1)};
  schedule.succeeded(start, lasting(100ms), false);
  EXPECT_EQ(schedule.due(), start + 1s);
}

TEST(RenewalScheduleTest, CredentialsWithoutAnEndAreLookedAtAgainOnlyIfTheyCanChange) {
  RenewalSchedule schedule{Random(1)};
  schedule.succeeded(start, keys("A"), false);
  EXPECT_EQ(schedule.due(), MonotonicTime::max());
  schedule.succeeded(start, keys("A"), true);
  EXPECT_EQ(schedule.due(), start + 10s);
}

TEST(RenewalScheduleTest, FailuresAreRepeatedSoonAndThenOnceAMinuteAtTheLeast) {
  RenewalSchedule schedule{Random(1)};
  auto now = start;
  Duration last{};
  for (int i = 0; i < 50; ++i) {
    schedule.failed(now);
    last = schedule.due() - now;
    EXPECT_GE(last, 1s);
    EXPECT_LE(last, i == 0 ? Duration(3s) : Duration(60s));
    now = schedule.due();
  }
  schedule.succeeded(now, keys("A"), true);
  schedule.failed(now);
  EXPECT_LE(schedule.due() - now, 3s);
}

/// A source whose fetches wait for the test to say what they yield.
class GatedSource final : public CredentialSource {
 public:
  using Outcome = Result<Credentials, SourceFault>;
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Outcome> outcomes;
    std::string name = "the gate";
    int fetches = 0;
    bool stopped = false;

    void rename(std::string other) {
      const std::lock_guard lock(mutex);
      name = std::move(other);
    }

    void yield(Outcome outcome) {
      const std::lock_guard lock(mutex);
      outcomes.push_back(std::move(outcome));
      changed.notify_all();
    }
    bool wait_for_fetches(int count) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, 10s, [&] { return fetches >= count; });
    }
  };
  explicit GatedSource(Gate& gate) : gate_(gate) {}
  [[nodiscard]] std::string name() const override {
    const std::lock_guard lock(gate_.mutex);
    return gate_.name;
  }
  Outcome fetch(MonotonicTime) override {
    std::unique_lock lock(gate_.mutex);
    ++gate_.fetches;
    gate_.changed.notify_all();
    gate_.changed.wait(lock, [&] { return gate_.stopped || !gate_.outcomes.empty(); });
    if (gate_.stopped) return Failure{SourceFault{.absent = false, .cause = "stopped"}};
    auto outcome = std::move(gate_.outcomes.front());
    gate_.outcomes.pop_front();
    return outcome;
  }
  void stop() override {
    const std::lock_guard lock(gate_.mutex);
    gate_.stopped = true;
    gate_.changed.notify_all();
  }

 private:
  Gate& gate_;
};

class CredentialKeeperTest : public testing::Test {
 protected:
  CredentialKeeper keeper() { return {std::make_unique<GatedSource>(gate_), 1, log_}; }
  static Failure<SourceFault> fault(std::string cause) {
    return Failure{SourceFault{.absent = false, .cause = std::move(cause)}};
  }
  GatedSource::Gate gate_;
  RecordingLog log_;
};

TEST_F(CredentialKeeperTest, FirstRequestWaitsForTheFirstAnswer) {
  auto kept = keeper();
  std::thread asker([&] { EXPECT_EQ((*kept.current(soon()))->access_key_id, "A"); });
  EXPECT_TRUE(gate_.wait_for_fetches(1));
  gate_.yield(keys("A", 1h));
  asker.join();
  EXPECT_TRUE(log_.wait_for("credentials are available"));
  EXPECT_EQ(log_.count("secret of"), 0U);
  EXPECT_EQ(log_.count("token-of"), 0U);
}

TEST_F(CredentialKeeperTest, DeadlineEndsTheWaitForTheFirstAnswer) {
  auto kept = keeper();
  const auto outcome = kept.current(soon(50ms));
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error(), HasSubstr("the gate"));
}

TEST_F(CredentialKeeperTest, SourceThatHasNoneIsAnErrorWithItsCause) {
  gate_.yield(fault("no such file"));
  auto kept = keeper();
  const auto outcome = kept.current(soon());
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error(), HasSubstr("no such file"));
  EXPECT_TRUE(log_.wait_for("no valid credentials"));
  EXPECT_EQ(kept.state().fault, "no such file");
}

TEST_F(CredentialKeeperTest, AFailureThatRepeatsIsToldOnceUntilItsCauseChanges) {
  gate_.yield(fault("no such file"));
  gate_.yield(fault("no such file"));
  gate_.yield(fault("not readable"));
  auto kept = keeper();
  ASSERT_TRUE(testing_support::wait_until([&] { return kept.state().failures >= 1; }));
  kept.renew();
  ASSERT_TRUE(testing_support::wait_until([&] { return kept.state().failures >= 2; }));
  kept.renew();
  EXPECT_TRUE(log_.wait_for("not readable"));
  EXPECT_EQ(log_.count("no valid credentials", Severity::error), 2U) << log_.text();
}

TEST_F(CredentialKeeperTest, OldOnesServeUntilTheyEndWhileTheSourceFails) {
  gate_.yield(keys("A", 3s));
  gate_.yield(fault("down"));
  auto kept = keeper();
  EXPECT_TRUE(log_.wait_for("the old ones stay in use"));
  EXPECT_TRUE(kept.current(soon()));
  EXPECT_TRUE(kept.state().valid);
  // And afterwards no more.
  EXPECT_TRUE(testing_support::wait_until([&] { return !kept.state().valid; }));
  const auto outcome = kept.current(soon());
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error(), HasSubstr("expired"));
}

TEST_F(CredentialKeeperTest, RenewsAheadOfTheEndWithoutBeingAsked) {
  gate_.yield(keys("A", 2s));
  gate_.yield(keys("B", 1h));
  auto kept = keeper();
  EXPECT_TRUE(log_.wait_for("access_key_id=B"));
  EXPECT_EQ((*kept.current(soon()))->access_key_id, "B");
  EXPECT_EQ(kept.state().renewals, 2U);
}

TEST_F(CredentialKeeperTest, RefusedCredentialsAreRenewedOnceHoweverManyAsk) {
  gate_.yield(keys("A", 1h));
  auto kept = keeper();
  const auto refused = *kept.current(soon());
  std::vector<std::thread> askers;
  for (int i = 0; i < 8; ++i) {
    askers.emplace_back([&] {
      const auto deadline = soon(20s);
      const auto others = kept.other_than(refused, deadline);
      ASSERT_TRUE(others);
      EXPECT_EQ(others->access_key_id, "B");
      EXPECT_LT(std::chrono::steady_clock::now(), deadline - 5s) << "with the one, not the next";
    });
  }
  EXPECT_TRUE(gate_.wait_for_fetches(2));
  gate_.yield(keys("B", 1h));
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(gate_.fetches, 2);
}

TEST_F(CredentialKeeperTest, RenewalThatBringsTheSameOrNoneYieldsNothingAndIsNotForcedAgain) {
  gate_.yield(keys("A", 1h));
  auto kept = keeper();
  const auto refused = *kept.current(soon());
  gate_.yield(keys("A", 1h));
  EXPECT_FALSE(kept.other_than(refused, soon()));
  EXPECT_EQ(gate_.fetches, 2);
  EXPECT_FALSE(kept.other_than(refused, soon())) << "within ten seconds";
  EXPECT_EQ(gate_.fetches, 2);
}

TEST_F(CredentialKeeperTest, AnotherSourceThanBeforeIsAWarning) {
  constexpr auto* warning = "credentials now come from a different source";
  gate_.yield(keys("A", 1h));
  auto kept = keeper();
  const auto first = *kept.current(soon());
  gate_.yield(keys("B", 1h));
  ASSERT_TRUE(kept.other_than(first, soon()));
  EXPECT_EQ(log_.count(warning), 0U);
  gate_.rename("the next gate");
  gate_.yield(keys("C", 1h));
  kept.renew();
  EXPECT_TRUE(log_.wait_for(warning)) << log_.text();
  EXPECT_EQ(log_.count(warning, Severity::warning), 1U);
}

TEST_F(CredentialKeeperTest, EndsWhileAFetchIsUnderWay) {
  auto kept = keeper();
  EXPECT_TRUE(gate_.wait_for_fetches(1));
  kept.stop();
  EXPECT_FALSE(kept.current(soon()));
}

}  // namespace
}  // namespace jobs_bridge::aws
