#include "adapters/daemon/gathered_flush.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace jobs_bridge {
namespace {

/// Counts what it is asked for.
class CountingPublisher final : public Publisher {
 public:
  void queue(Publication /*publication*/) override { ++waiting_; }
  void flush() override {
    ++flushes_;
    sent_ += waiting_.exchange(0);
    if (sent_ == awaited_) all_sent_.set_value();
  }
  /// Returns when so many have been sent.
  void await() { all_sent_.get_future().wait(); }

  explicit CountingPublisher(int awaited = -1) : awaited_(awaited) {}
  [[nodiscard]] int flushes() const { return flushes_; }
  [[nodiscard]] int sent() const { return sent_; }

 private:
  const int awaited_;
  std::promise<void> all_sent_;
  std::atomic<int> waiting_ = 0;
  std::atomic<int> flushes_ = 0;
  std::atomic<int> sent_ = 0;
};

TEST(GatheredFlushTest, WhatTheTasksOfOneTurnQueueIsFlushedOnce) {
  constexpr int tasks = 50;
  CountingPublisher publisher(tasks);
  fibers::EventLoop loop;
  GatheredFlush gathered(loop, publisher);
  loop.start([&] {
    // Started from here they all have their turn in one go.
    for (int i = 0; i < tasks; ++i) {
      loop.start([&] {
        publisher.queue({});
        gathered.flush();
        EXPECT_EQ(publisher.flushes(), 0);
      });
    }
  });
  publisher.await();
  EXPECT_EQ(publisher.flushes(), 1);
}

TEST(GatheredFlushTest, WhatIsQueuedAfterAFlushIsFlushedAnew) {
  CountingPublisher publisher(10);
  fibers::EventLoop loop;
  GatheredFlush gathered(loop, publisher);
  loop.start([&] {
    for (int i = 0; i < 10; ++i) {
      publisher.queue({});
      gathered.flush();
      while (publisher.sent() == i) {
        fibers::EventLoop::sleep(std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
      }
    }
  });
  publisher.await();
  EXPECT_EQ(publisher.flushes(), 10);
}

TEST(GatheredFlushTest, OutsideOfTheLoopItIsDoneAtOnce) {
  CountingPublisher publisher;
  fibers::EventLoop loop;
  GatheredFlush gathered(loop, publisher);
  publisher.queue({});
  gathered.flush();
  EXPECT_EQ(publisher.sent(), 1);
}

TEST(GatheredFlushTest, NothingThatWasAskedForIsLostWhenItStops) {
  CountingPublisher publisher;
  fibers::EventLoop loop;
  {
    GatheredFlush gathered(loop, publisher);
    std::promise<void> asked;
    loop.start([&] {
      publisher.queue({});
      gathered.flush();
      asked.set_value();
    });
    asked.get_future().wait();
    gathered.stop();
    EXPECT_EQ(publisher.sent(), 1);
    std::promise<void> asked_again;
    loop.start([&] {
      publisher.queue({});
      gathered.flush();
      EXPECT_EQ(publisher.sent(), 2);
      asked_again.set_value();
    });
    asked_again.get_future().wait();
  }
  EXPECT_EQ(publisher.sent(), 2);
}

}  // namespace
}  // namespace jobs_bridge
