#include "adapters/mqtt/back_off.h"

#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

TEST(BackOffTest, PausesDoubleUpToTenSecondsAndHalfOfEachIsRandom) {
  BackOff back_off(1);
  for (const auto longest :
       {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10000ms, 10000ms}) {
    const auto pause = back_off.next(0s);
    EXPECT_GE(pause, longest / 2);
    EXPECT_LE(pause, longest);
  }
}

TEST(BackOffTest, PausesDifferBetweenGateways) {
  BackOff one(1);
  BackOff other(2);
  int different = 0;
  for (int i = 0; i < 10; ++i) different += one.next(0s) != other.next(0s) ? 1 : 0;
  EXPECT_GT(different, 5);
}

TEST(BackOffTest, ConnectionThatHeldStartsThePausesAnew) {
  BackOff back_off(1);
  for (int i = 0; i < 5; ++i) back_off.next(0s);
  EXPECT_LE(back_off.next(10s), 100ms);
}

TEST(BackOffTest, ConnectionThatEndedAtOnceDoesNot) {
  BackOff back_off(1);
  for (int i = 0; i < 5; ++i) back_off.next(1s);
  EXPECT_GE(back_off.next(9s), 1600ms);
}

TEST(BackOffTest, PausesBeforeAnotherAddressAreTheShortestAndMakeNoOtherLonger) {
  BackOff back_off(1);
  for (int i = 0; i < 100; ++i) {
    const auto pause = back_off.before_another_address();
    EXPECT_GE(pause, 50ms);
    EXPECT_LE(pause, 100ms);
  }
  EXPECT_LE(back_off.next({}), 100ms);
}

}  // namespace
}  // namespace jobs_bridge::mqtt
