#include "bridge/flow/lease.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "bridge/flow/random.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;
using State = Lease::State;

constexpr Duration length = 20s;

class LeaseTest : public testing::Test {
 protected:
  /// A canary that returns.
  void come_back(Lease& lease) {
    lease.canary_returned(now_);
    now_ += 10ms;
  }
  /// With one every two seconds.
  void live(Lease& lease, Duration time) {
    for (const auto end = now_ + time; now_ < end; now_ += 2s - 10ms) come_back(lease);
  }
  void watch(Lease& lease, Duration time) {
    for (const auto end = now_ + time; now_ < end; now_ += 2s)
      lease.standby_canary_returned(now_, now_);
  }
  MonotonicTime now_ = MonotonicTime(1000h);
  Lease primary_{length, false};
  Lease standby_{length, true};
};

TEST_F(LeaseTest, AfterConnectingItWaitsForAWholeLeaseAndForACanaryOfItsOwn) {
  EXPECT_TRUE(primary_.wants_primary());
  EXPECT_EQ(primary_.state(now_), State::connecting);
  primary_.connected(now_);
  const auto over = now_ + length;
  EXPECT_EQ(primary_.due(now_), over);
  live(primary_, length - 3s);
  EXPECT_EQ(primary_.state(over - 1ns), State::waiting);
  EXPECT_EQ(primary_.state(over), State::active);
  EXPECT_EQ(primary_.due(over), MonotonicTime::max());
}

TEST_F(LeaseTest, WithoutACanaryThatReturnedTheWaitLeadsToNoCall) {
  primary_.connected(now_);
  EXPECT_EQ(primary_.state(now_ + length), State::unproven);
}

TEST_F(LeaseTest, HalfALeaseAfterTheLastCanaryThatReturnedWasSentNoCallIsBegun) {
  primary_.connected(now_);
  live(primary_, length + 2s);
  const auto sent = now_;
  primary_.canary_returned(sent);
  EXPECT_EQ(primary_.state(sent + length / 2 - 1ns), State::active);
  EXPECT_EQ(primary_.state(sent + length / 2), State::unproven);
  // It stood still, and what had come in meanwhile was sent before.
  now_ += 1h;
  primary_.canary_returned(sent + 1s);
  EXPECT_EQ(primary_.state(now_), State::unproven);
  primary_.canary_returned(now_);
  EXPECT_EQ(primary_.state(now_), State::active)
      << "no other instance has been accepted as the primary";
}

TEST_F(LeaseTest, AConnectionThatIsSoonBackGoesOnAtOnceAndALateOneWaits) {
  primary_.connected(now_);
  live(primary_, length + 2s);
  primary_.disconnected(now_);
  EXPECT_EQ(primary_.state(now_), State::active) << "nobody can have begun a call yet";
  now_ += length / 2 - 3s;
  primary_.connected(now_);
  EXPECT_EQ(primary_.state(now_), State::active);
  live(primary_, 4s);
  primary_.disconnected(now_);
  EXPECT_TRUE(primary_.wants_primary());
  now_ += length / 2;
  EXPECT_EQ(primary_.state(now_), State::unproven);
  primary_.connected(now_);
  EXPECT_EQ(primary_.state(now_), State::waiting);
}

TEST_F(LeaseTest, AWaitThatWasInterruptedBeginsAnew) {
  primary_.connected(now_);
  live(primary_, length - 2s);
  primary_.disconnected(now_);
  now_ += 100ms;
  primary_.connected(now_);
  live(primary_, length - 2s);
  EXPECT_EQ(primary_.state(now_), State::waiting);
}

TEST_F(LeaseTest, StandbyBecomesPrimaryOnceNoOtherCanaryArrivesForHalfALeaseOfAWorkingStandbyLink) {
  EXPECT_FALSE(standby_.wants_primary());
  EXPECT_EQ(standby_.state(now_), State::standby);
  now_ += 1h;
  EXPECT_FALSE(standby_.wants_primary()) << "it sees nothing";
  watch(standby_, length / 2 - 1s);
  EXPECT_FALSE(standby_.wants_primary());
  standby_.other_canary_arrived(now_);
  watch(standby_, length / 2 - 1s);
  standby_.standby_link_ended();
  now_ += 1h;
  watch(standby_, length / 2 - 1s);
  EXPECT_FALSE(standby_.wants_primary()) << "it was blind";
  standby_.standby_canary_returned(now_ + length, now_ - 1s);
  EXPECT_FALSE(standby_.wants_primary()) << "what it sees is of before";
  watch(standby_, 4s);
  EXPECT_TRUE(standby_.wants_primary());
  EXPECT_EQ(standby_.state(now_), State::connecting);
}

TEST_F(LeaseTest, StandbyThatGetsTheOthersCanaryBeforeItIsConnectedStaysStandby) {
  watch(standby_, length);
  ASSERT_TRUE(standby_.wants_primary());
  standby_.other_canary_arrived(now_);
  EXPECT_FALSE(standby_.wants_primary());
}

TEST_F(LeaseTest, StandbyIsSoonBackAfterALossIfNoOtherCanaryArrives) {
  watch(standby_, length);
  standby_.connected(now_);
  standby_.other_canary_arrived(now_);
  live(standby_, length + 2s);
  EXPECT_EQ(standby_.state(now_), State::active) << "what it hears are its own messages";
  standby_.standby_canary_returned(now_, now_);
  standby_.disconnected(now_);
  EXPECT_EQ(standby_.state(now_), State::standby);
  now_ += length / 10;
  standby_.standby_canary_returned(now_, now_ - 1ns);
  EXPECT_FALSE(standby_.wants_primary());
  standby_.standby_canary_returned(now_, now_);
  EXPECT_TRUE(standby_.wants_primary());
  standby_.connected(now_);
  EXPECT_EQ(standby_.state(now_), State::active);
}

TEST_F(LeaseTest, StandbyStaysStandbyOnceAnotherHasBecomePrimary) {
  watch(standby_, length);
  standby_.connected(now_);
  live(standby_, length + 2s);
  standby_.disconnected(now_);
  standby_.other_canary_arrived(now_);
  EXPECT_EQ(standby_.state(now_), State::standby);
  watch(standby_, length / 2 - 1s);
  EXPECT_FALSE(standby_.wants_primary());
}

TEST_F(LeaseTest, StandbyThatLosesBothConnectionsDoesNotHurryBack) {
  watch(standby_, length);
  standby_.connected(now_);
  live(standby_, length + 2s);
  standby_.disconnected(now_);
  standby_.standby_link_ended();
  watch(standby_, length / 2 - 1s);
  EXPECT_FALSE(standby_.wants_primary());
}

/// A broker with one connection for the primary, and three instances whose processes stand still,
/// whose links break in a way that they notice late, and whose messages are slow. Everybody is told
/// of what happens when he lives. No two may have a call under way at once.
TEST_F(LeaseTest, WhateverStandsStillOrBreaksNoTwoHaveACallUnderWayAtOnce) {
  struct Instance {
    explicit Instance(bool standby) : lease(length, standby) {}
    Lease lease;
    bool connected = false;  ///< as it thinks
    int connection = 0;      ///< at the broker, of its last
    MonotonicTime still_until{};
    MonotonicTime cut_until{};  ///< nothing passes its link
    MonotonicTime next_message{};
    struct Event {
      MonotonicTime at;
      int connection;
      MonotonicTime sent;
    };
    std::vector<Event> under_way;
    MonotonicTime calls_until{};
  };
  Random random(7);
  const auto chance = [&](double share) { return random.fraction() < share; };
  const auto some = [&](Duration most) {
    return Duration(
        static_cast<Duration::rep>(random.fraction() * static_cast<double>(most.count())));
  };
  std::vector<int> calls(3);
  int changes = 0;
  for (int world = 0; world < 60; ++world) {
    std::vector<Instance> all;
    all.emplace_back(false);
    all.emplace_back(true);
    all.emplace_back(world % 2 == 0);
    int newest = 0;
    int holder = -1;  // the instance that the broker has accepted as the primary
    int last_caller = -1;
    auto now = MonotonicTime(1000h);
    const double trouble = world % 3 == 0 ? 0.0005 : 0.004;
    for (int step = 0; step < 6000; ++step, now += 100ms) {
      for (std::size_t i = 0; i < all.size(); ++i) {
        auto& one = all[i];
        if (chance(trouble)) one.still_until = now + some(3 * length);
        if (chance(trouble)) one.cut_until = now + some(3 * length);
        if (now < one.still_until) continue;
        const bool holds = holder == static_cast<int>(i) && one.connection == newest;
        const bool cut = now < one.cut_until;
        // It may notice the end of its connection late.
        if (one.connected && ((!holds && !cut && chance(0.1)) || (cut && chance(0.01)))) {
          one.connected = false;
          one.lease.disconnected(now);
        }
        if (!one.connected && one.lease.wants_primary() && !cut && chance(0.2)) {
          holder = static_cast<int>(i);
          one.connection = ++newest;
          // (It may stand still before it is told.)
          if (chance(0.05)) one.still_until = now + some(length);
          one.connected = true;
          one.lease.connected(std::max(now, one.still_until));
          one.under_way.clear();
          continue;
        }
        if (one.connected && holds && !cut && now >= one.next_message) {
          // The broker sends it back at once; it is read some time later.
          one.next_message = now + length / 10;
          one.under_way.push_back({now + some(2s), one.connection, now});
        }
        std::erase_if(one.under_way, [&](const Instance::Event& event) {
          if (event.at > now) return false;
          if (one.connected && event.connection == one.connection) {
            one.lease.canary_returned(event.sent);
          }
          return true;
        });
        if (!cut && chance(0.05)) one.lease.standby_canary_returned(now, now);
        if (holder >= 0 && holder != static_cast<int>(i) && !cut && chance(0.05) &&
            now < all[static_cast<std::size_t>(holder)].next_message) {
          one.lease.other_canary_arrived(now);
        }
        if (one.lease.may_call(now) && chance(0.3)) {
          for (std::size_t other = 0; other < all.size(); ++other) {
            if (other == i) continue;
            ASSERT_LE(all[other].calls_until, now)
                << "world " << world << ", step " << step << ": " << other << " and " << i;
          }
          one.calls_until = std::max(one.calls_until, now + one.lease.max_call_duration());
          ++calls[i];
          if (last_caller != static_cast<int>(i)) ++changes;
          last_caller = static_cast<int>(i);
        }
      }
    }
  }
  for (const auto made : calls) EXPECT_GT(made, 1000);
  EXPECT_GT(changes, 100);
}

}  // namespace
}  // namespace jobs_bridge
