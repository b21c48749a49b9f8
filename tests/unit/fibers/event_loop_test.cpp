#include "adapters/fibers/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace jobs_bridge::fibers {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using ::testing::ElementsAre;

/// Sleeps whatever it is woken by until `flag` is set.
void sleep_until_set(const std::atomic<bool>& flag) {
  while (!flag) EventLoop::sleep(MonotonicTime::max());
}

TEST(EventLoopTest, ATaskRunsOnAnotherThreadThanWhoStartedIt) {
  std::promise<std::thread::id> ran;
  EventLoop loop;
  loop.start([&] { ran.set_value(std::this_thread::get_id()); });
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST(EventLoopTest, AThousandTasksThatWaitShareOneThread) {
  constexpr int tasks = 1000;
  std::atomic<bool> go = false;
  std::atomic<int> waiting = 0;
  std::promise<void> all_wait;
  std::vector<std::shared_ptr<EventLoop::Fiber>> fibers(tasks);
  std::set<std::thread::id> threads;
  {
    EventLoop loop;
    for (int i = 0; i < tasks; ++i) {
      loop.start([&, i] {
        fibers[static_cast<std::size_t>(i)] = EventLoop::current();
        threads.insert(std::this_thread::get_id());
        if (++waiting == tasks) all_wait.set_value();
        sleep_until_set(go);
        --waiting;
      });
    }
    all_wait.get_future().wait();
    EXPECT_EQ(waiting, tasks);
    go = true;
    for (const auto& fiber : fibers) EventLoop::wake(fiber);
  }
  EXPECT_EQ(waiting, 0);
  EXPECT_EQ(threads.size(), 1U);
}

TEST(EventLoopTest, NumberOfADescriptorThatWasClosedIsWaitedForByWhoHasItNow) {
  std::array<int, 2> first{};
  std::array<int, 2> second{};
  ASSERT_EQ(::pipe(first.data()), 0);
  ASSERT_EQ(::pipe(second.data()), 0);
  const int number = first[0];
  std::shared_ptr<EventLoop::Fiber> former;
  std::optional<std::uint32_t> former_ready;
  std::optional<std::uint32_t> ready;
  {
    EventLoop loop;
    loop.start([&] {
      former = EventLoop::current();
      former_ready = EventLoop::sleep_until_ready(number, EPOLLIN, MonotonicTime::max());
      // Only now: the fiber that has this number sleeps already.
      EXPECT_EQ(::write(second[1], "x", 1), 1);
    });
    loop.start([&] {
      while (former == nullptr) EventLoop::sleep(steady_clock::now());
      ::dup2(second[0], number);  // closes what had the number
      EventLoop::wake(former);
      ready = EventLoop::sleep_until_ready(number, EPOLLIN, steady_clock::now() + 30s);
    });
  }
  EXPECT_EQ(former_ready, 0U);
  EXPECT_EQ(ready, static_cast<std::uint32_t>(EPOLLIN));
  for (const int descriptor : {first[0], first[1], second[0], second[1]}) ::close(descriptor);
}

TEST(EventLoopTest, WhileOneTaskSleepsAnotherRuns) {
  std::vector<int> order;
  {
    EventLoop loop;
    loop.start([&] {
      const auto first = EventLoop::current();
      std::atomic<bool> second_ran = false;
      loop.start([&, first] {
        order.push_back(2);
        second_ran = true;
        EventLoop::wake(first);
      });
      order.push_back(1);
      sleep_until_set(second_ran);
      order.push_back(3);
    });
  }
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(EventLoopTest, SleepsEndInTheOrderOfTheirDeadlinesAndNotBeforeThem) {
  std::vector<int> order;
  {
    EventLoop loop;
    const auto now = steady_clock::now();
    for (const int which : {3, 1, 2}) {
      loop.start([&order, which, until = now + which * 20ms] {
        while (steady_clock::now() < until) EventLoop::sleep(until);
        order.push_back(which);
      });
    }
  }
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(EventLoopTest, AWakeThatComesBeforeTheSleepIsNotLost) {
  EventLoop loop;
  std::promise<void> ended;
  loop.start([&] {
    EventLoop::wake(EventLoop::current());
    EventLoop::sleep(MonotonicTime::max());
    ended.set_value();
  });
  ended.get_future().wait();
}

TEST(EventLoopTest, TheWakeOfATaskThatHasReturnedDoesNothing) {
  std::promise<std::shared_ptr<EventLoop::Fiber>> running;
  EventLoop loop;
  loop.start([&] { running.set_value(EventLoop::current()); });
  const auto gone = running.get_future().get();
  // Once another task has run after it, it has returned.
  std::promise<void> later;
  loop.start([&] { later.set_value(); });
  later.get_future().wait();
  EventLoop::wake(gone);
  std::promise<void> still_runs;
  loop.start([&] { still_runs.set_value(); });
  still_runs.get_future().wait();
}

TEST(EventLoopTest, TheEndOfTheLoopWaitsForTasksThatSleep) {
  bool finished = false;
  {
    EventLoop loop;
    loop.start([&] {
      const auto until = steady_clock::now() + 30ms;
      while (steady_clock::now() < until) EventLoop::sleep(until);
      finished = true;
    });
  }
  EXPECT_TRUE(finished);
}

TEST(EventLoopTest, NoFiberIsHereOutsideOfALoop) {
  EXPECT_FALSE(EventLoop::is_here());
  EXPECT_EQ(EventLoop::current(), nullptr);
}

TEST(EventLoopTest, AnExceptionIsCaughtWhereItIsThrownWhateverOtherTasksThrowMeanwhile) {
  constexpr int tasks = 50;
  int caught = 0;
  {
    EventLoop loop;
    for (int i = 0; i < tasks; ++i) {
      loop.start([&caught, i] {
        const auto until = steady_clock::now() + std::chrono::milliseconds(i % 5);
        try {
          while (steady_clock::now() < until) EventLoop::sleep(until);
          throw i;
        } catch (int thrown) {
          if (thrown == i) ++caught;
        }
      });
    }
  }
  EXPECT_EQ(caught, tasks);
}

}  // namespace
}  // namespace jobs_bridge::fibers
