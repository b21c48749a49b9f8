#include "adapters/fibers/wait.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <future>
#include <optional>
#include <stdexcept>
#include <vector>

#include "adapters/fibers/event_loop.h"
#include "adapters/files/file_descriptor.h"

namespace jobs_bridge::fibers {
namespace {

using files::FileDescriptor;

using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct Pair {
  FileDescriptor ours;
  FileDescriptor theirs;
  const std::uint64_t id = descriptor_id();
  Pair() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw std::runtime_error("socketpair");
    }
    ours = FileDescriptor(ends[0]);
    theirs = FileDescriptor(ends[1]);
  }
  void say() const { ASSERT_EQ(::write(theirs.get(), "x", 1), 1); }
  void hear() const {
    char byte = 0;
    ASSERT_EQ(::read(ours.get(), &byte, 1), 1);
  }
};

MonotonicTime in(Duration time) {
  return steady_clock::now() + time;
}

enum class On { fiber, fiber_that_is_known, thread };

/// A wait promises the same on a fiber and on a thread, and whether or not the loop knows the
/// descriptor.
class WaitTest : public ::testing::TestWithParam<On> {
 protected:
  /// Runs `task` on a fiber, or here, and returns when it has.
  void run(const std::function<void()>& task) {
    if (GetParam() == On::thread) return task();
    EventLoop loop;
    loop.start(task);
  }
  /// Until there is something to read.
  Waited wait(const Pair& pair, MonotonicTime deadline) {
    return wait_for(pair.ours.get(), POLLIN, deadline, stop_,
                    GetParam() == On::fiber_that_is_known ? pair.id : 0);
  }
  StopSignal stop_;
};

TEST_P(WaitTest, EndsWhenTheDescriptorIsReadable) {
  const Pair pair;
  pair.say();
  run([&] { EXPECT_EQ(wait(pair, in(10s)), Waited::ready); });
}

TEST_P(WaitTest, EndsWhenTheDescriptorBecomesReadableMeanwhile) {
  const Pair pair;
  auto said = std::async(std::launch::async, [&] { pair.say(); });
  run([&] { EXPECT_EQ(wait(pair, in(10s)), Waited::ready); });
}

TEST_P(WaitTest, EndsWhenTheDescriptorCanBeWritten) {
  const Pair pair;
  run([&] { EXPECT_EQ(wait_for(pair.ours.get(), POLLOUT, in(10s), stop_), Waited::ready); });
}

TEST_P(WaitTest, EndsWhenThePeerHangsUp) {
  Pair pair;
  pair.theirs = FileDescriptor();
  run([&] { EXPECT_EQ(wait(pair, in(10s)), Waited::ready); });
}

TEST_P(WaitTest, EndsAtItsDeadlineAndNotBefore) {
  const Pair pair;
  run([&] {
    const auto deadline = in(30ms);
    EXPECT_EQ(wait(pair, deadline), Waited::timeout);
    EXPECT_GE(steady_clock::now(), deadline);
  });
}

TEST_P(WaitTest, PastItsDeadlineIsATimeoutEvenIfTheDescriptorIsReady) {
  const Pair pair;
  pair.say();
  run([&] { EXPECT_EQ(wait(pair, in(-1ms)), Waited::timeout); });
}

TEST_P(WaitTest, ServesOneWaitAfterAnotherOnTheSameDescriptor) {
  const Pair pair;
  run([&] {
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(wait(pair, in(-1ms)), Waited::timeout);
      pair.say();
      ASSERT_EQ(wait(pair, in(10s)), Waited::ready);
      pair.hear();
    }
  });
}

TEST_P(WaitTest, WhatWasNotReadMakesTheNextWaitReadyToo) {
  const Pair pair;
  pair.say();
  run([&] {
    ASSERT_EQ(wait(pair, in(10s)), Waited::ready);
    EXPECT_EQ(wait(pair, in(10s)), Waited::ready);
  });
}

TEST_P(WaitTest, ADescriptorWithTheNumberOfAClosedOneIsWaitedForAnew) {
  run([&] {
    int number = -1;
    for (int i = 0; i < 3; ++i) {
      const Pair pair;
      if (number >= 0) {
        ASSERT_EQ(pair.ours.get(), number);
      }
      number = pair.ours.get();
      ASSERT_EQ(wait(pair, in(5ms)), Waited::timeout);
      pair.say();
      ASSERT_EQ(wait(pair, in(10s)), Waited::ready);
    }
  });
}

TEST_P(WaitTest, AFileIsAlwaysReady) {
  const FileDescriptor file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.valid());
  run([&] { EXPECT_EQ(wait_for(file.get(), POLLIN, in(10s), stop_), Waited::ready); });
}

TEST_P(WaitTest, StoppingEndsAWaitInProgress) {
  const Pair pair;
  auto stopped = std::async(std::launch::async, [&] { stop_.raise(); });
  run([&] { EXPECT_EQ(wait(pair, MonotonicTime::max() - 1h), Waited::stopped); });
}

TEST_P(WaitTest, OnceStoppedEveryWaitEndsAtOnceWhateverIsReady) {
  const Pair pair;
  pair.say();
  stop_.raise();
  run([&] {
    EXPECT_EQ(wait(pair, in(10s)), Waited::stopped);
    EXPECT_EQ(wait(pair, in(10s)), Waited::stopped);
  });
}

INSTANTIATE_TEST_SUITE_P(On, WaitTest,
                         ::testing::Values(On::fiber, On::fiber_that_is_known, On::thread),
                         [](const auto& kind) {
                           switch (kind.param) {
                             case On::fiber:
                               return "AFiber";
                             case On::fiber_that_is_known:
                               return "AFiberWhoseDescriptorIsKnown";
                             default:
                               return "AThread";
                           }
                         });

TEST(FiberWaitTest, WhatIsNotReadOfADescriptorThatIsKnownKeepsNoLoopBusy) {
  const Pair pair;
  StopSignal stop;
  EventLoop loop;
  std::promise<void> told;
  loop.start([&] {
    EXPECT_EQ(wait_for(pair.ours.get(), POLLIN, in(10s), stop, pair.id), Waited::ready);
    // With another that is waited for meanwhile, and none for the first.
    const Pair other;
    EXPECT_EQ(wait_for(other.ours.get(), POLLIN, in(300ms), stop, other.id), Waited::timeout);
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    EXPECT_EQ(used.tv_sec, 0);
    EXPECT_LT(used.tv_nsec, 100'000'000);
    EXPECT_EQ(wait_for(pair.ours.get(), POLLIN, in(10s), stop, pair.id), Waited::ready);
    told.set_value();
  });
  pair.say();
  told.get_future().wait();
}

TEST(FiberWaitTest, StoppingEndsEveryWaitOnOneLoopAndNoOther) {
  constexpr int waits = 200;
  StopSignal stop;
  StopSignal other;
  std::vector<Pair> pairs(waits);
  std::atomic<int> stopped = 0;
  std::atomic<int> ready = 0;
  {
    EventLoop loop;
    std::promise<void> all_stopped;
    for (auto& pair : pairs) {
      loop.start([&] {
        wait_for(pair.ours.get(), POLLIN, in(20s), stop);
        if (++stopped == waits) all_stopped.set_value();
      });
    }
    const Pair unconcerned;
    loop.start([&] {
      if (wait_for(unconcerned.ours.get(), POLLIN, in(20s), other) == Waited::ready) ++ready;
    });
    stop.raise();
    all_stopped.get_future().wait();
    EXPECT_EQ(ready, 0);
    unconcerned.say();
    // Gone only when it was heard: the loop ends with its tasks.
    while (ready == 0) std::this_thread::yield();
  }
  EXPECT_EQ(stopped, waits);
  EXPECT_EQ(ready, 1);
}

TEST(FiberWaitTest, ASecondStopSignalWithTheDescriptorOfTheFirstIsHeeded) {
  const Pair pair;
  for (int i = 0; i < 2; ++i) {
    EventLoop loop;
    loop.start([&] {
      for (int round = 0; round < 3; ++round) {
        std::optional<StopSignal> stop(std::in_place);
        auto raised = std::async(std::launch::async, [&] { stop->raise(); });
        EXPECT_EQ(wait_for(pair.ours.get(), POLLIN, in(20s), *stop), Waited::stopped);
        raised.wait();
      }
    });
  }
}

TEST(FiberWaitTest, EachOfManyDescriptorsWakesTheFiberThatWaitsForIt) {
  constexpr std::size_t count = 300;
  StopSignal stop;
  std::vector<Pair> pairs(count);
  std::vector<std::atomic<int>> heard(count);
  {
    EventLoop loop;
    for (std::size_t i = 0; i < count; ++i) {
      loop.start([&, i] {
        for (int round = 0; round < 10; ++round) {
          if (wait_for(pairs[i].ours.get(), POLLIN, in(20s), stop) != Waited::ready) return;
          pairs[i].hear();
          ++heard[i];
        }
      });
    }
    for (int round = 0; round < 10; ++round) {
      for (std::size_t i = 0; i < count; ++i) pairs[(i * 7) % count].say();
    }
  }
  for (const auto& times : heard) EXPECT_EQ(times, 10);
}

}  // namespace
}  // namespace jobs_bridge::fibers
