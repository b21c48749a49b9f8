#include "adapters/mqtt/reconnect_delay.h"

#include <gtest/gtest.h>

#include <chrono>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

TEST(ReconnectDelayTest, PausesDoubleUpToTenSecondsAndHalfOfEachIsRandom) {
  ReconnectDelay delay(1);
  for (const auto longest :
       {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10000ms, 10000ms}) {
    const auto pause = delay.next(0s);
    EXPECT_GE(pause, longest / 2);
    EXPECT_LE(pause, longest);
  }
}

TEST(ReconnectDelayTest, PausesDifferBetweenGateways) {
  ReconnectDelay one(1);
  ReconnectDelay other(2);
  int different = 0;
  for (int i = 0; i < 10; ++i) different += one.next(0s) != other.next(0s) ? 1 : 0;
  EXPECT_GT(different, 5);
}

TEST(ReconnectDelayTest, ConnectionThatHeldStartsThePausesAnew) {
  ReconnectDelay delay(1);
  for (int i = 0; i < 5; ++i) delay.next(0s);
  EXPECT_LE(delay.next(10s), 100ms);
}

TEST(ReconnectDelayTest, ConnectionThatEndedAtOnceDoesNot) {
  ReconnectDelay delay(1);
  for (int i = 0; i < 5; ++i) delay.next(1s);
  EXPECT_GE(delay.next(9s), 1600ms);
}

TEST(ReconnectDelayTest, PausesBeforeAnotherAddressAreTheShortestAndMakeNoOtherLonger) {
  ReconnectDelay delay(1);
  for (int i = 0; i < 100; ++i) {
    const auto pause = delay.before_another_address();
    EXPECT_GE(pause, 50ms);
    EXPECT_LE(pause, 100ms);
  }
  EXPECT_LE(delay.next({}), 100ms);
}

}  // namespace
}  // namespace jobs_bridge::mqtt
