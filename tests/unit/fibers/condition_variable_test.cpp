#include "adapters/fibers/condition_variable.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

#include "adapters/fibers/event_loop.h"

namespace jobs_bridge::fibers {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Who waits: a fiber or a thread.
class ConditionVariableTest : public ::testing::TestWithParam<bool> {
 protected:
  std::future<void> waiting(std::function<void()> task) {
    if (!GetParam()) return std::async(std::launch::async, std::move(task));
    auto ended = std::make_shared<std::promise<void>>();
    loop_.start([ended, task = std::move(task)] {
      task();
      ended->set_value();
    });
    return ended->get_future();
  }
  bool wait(MonotonicTime deadline = MonotonicTime::max()) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    const bool came = changed_.wait_until(lock, deadline, [&] { return granted_ > 0; });
    if (came) --granted_;
    return came;
  }
  void grant(int count) {
    const std::lock_guard lock(mutex_);
    granted_ += count;
  }
  /// Once `count` are between taking the lock and having it back, which is to say asleep.
  void until_waiting(int count) {
    while (true) {
      const std::lock_guard lock(mutex_);
      if (waiting_ == count) return;
    }
  }
  std::mutex mutex_;
  ConditionVariable changed_;
  int granted_ = 0;
  int waiting_ = 0;
  EventLoop loop_;
};

TEST_P(ConditionVariableTest, AWaitForWhatIsSoAlreadyReturnsAtOnce) {
  granted_ = 1;
  waiting([&] { EXPECT_TRUE(wait()); }).wait();
}

TEST_P(ConditionVariableTest, ANotificationEndsTheWait) {
  auto ended = waiting([&] { EXPECT_TRUE(wait()); });
  until_waiting(1);
  grant(1);
  changed_.notify_one();
  ended.wait();
}

TEST_P(ConditionVariableTest, ANotificationWithoutTheConditionDoesNot) {
  auto ended = waiting([&] { EXPECT_TRUE(wait()); });
  until_waiting(1);
  for (int i = 0; i < 10; ++i) changed_.notify_all();
  grant(1);
  changed_.notify_all();
  ended.wait();
}

TEST_P(ConditionVariableTest, TheDeadlineEndsTheWaitAndNotBefore) {
  const auto deadline = steady_clock::now() + 30ms;
  waiting([&] { EXPECT_FALSE(wait(deadline)); }).wait();
  EXPECT_GE(steady_clock::now(), deadline);
}

TEST_P(ConditionVariableTest, ADeadlineThatHasPassedStillAsksForTheCondition) {
  granted_ = 1;
  waiting([&] { EXPECT_TRUE(wait(steady_clock::now() - 1s)); }).wait();
}

TEST_P(ConditionVariableTest, EachOfManyNotificationsLetsOneGo) {
  std::vector<std::future<void>> ended;
  for (int i = 0; i < 20; ++i) ended.push_back(waiting([&] { EXPECT_TRUE(wait()); }));
  until_waiting(20);
  for (int i = 0; i < 20; ++i) {
    grant(1);
    changed_.notify_one();
  }
  for (auto& one : ended) one.wait();
  EXPECT_EQ(granted_, 0);
}

TEST_P(ConditionVariableTest, AFiberAndAThreadThatWaitTogetherAreBothNotified) {
  auto ours = waiting([&] { EXPECT_TRUE(wait()); });
  auto thread = std::async(std::launch::async, [&] { EXPECT_TRUE(wait()); });
  until_waiting(2);
  grant(2);
  changed_.notify_all();
  ours.wait();
  thread.wait();
}

INSTANTIATE_TEST_SUITE_P(WaitedOnBy, ConditionVariableTest, ::testing::Values(true, false),
                         [](const auto& kind) { return kind.param ? "AFiber" : "AThread"; });

TEST(FiberConditionVariableTest, TwoFibersHandATokenToAndFro) {
  std::mutex mutex;
  ConditionVariable changed;
  int turn = 0;
  {
    EventLoop loop;
    for (const int me : {0, 1}) {
      loop.start([&, me] {
        for (int i = 0; i < 1000; ++i) {
          std::unique_lock lock(mutex);
          changed.wait(lock, [&] { return turn % 2 == me; });
          ++turn;
          changed.notify_all();
        }
      });
    }
  }
  EXPECT_EQ(turn, 2000);
}

}  // namespace
}  // namespace jobs_bridge::fibers
