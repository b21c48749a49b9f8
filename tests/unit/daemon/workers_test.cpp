#include "adapters/daemon/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <set>

namespace jobs_bridge {
namespace {

/// Connections that only count.
class CountingEndpoint final : public Endpoint {
 public:
  std::unique_ptr<Exchange> open() override {
    ++opened_;
    return std::make_unique<Idle>();
  }
  void stop() override {}
  [[nodiscard]] int opened() const { return opened_; }

 private:
  class Idle final : public Exchange {
   public:
    HttpOutcome perform(const HttpRequest& /*request*/, MonotonicTime /*deadline*/) override {
      return HttpResponse{};
    }
  };
  std::atomic<int> opened_ = 0;
};

/// Calls that wait until they are let go.
class Calls {
 public:
  void add(int count) {
    const std::lock_guard lock(mutex_);
    waiting_ += count;
  }
  bool carry_out(const Exchange& exchange) {
    std::unique_lock lock(mutex_);
    if (waiting_ == 0) return false;
    --waiting_;
    ++under_way_;
    used_.insert(&exchange);
    changed_.notify_all();
    changed_.wait(lock, [&] { return let_go_ > 0; });
    --let_go_;
    --under_way_;
    ++done_;
    changed_.notify_all();
    return true;
  }
  void let_go(int count) {
    const std::lock_guard lock(mutex_);
    let_go_ += count;
    changed_.notify_all();
  }
  void await_under_way(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return under_way_ == count; });
  }
  void await_done(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ == count; });
  }
  int done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  std::size_t connections_used() {
    const std::lock_guard lock(mutex_);
    return used_.size();
  }

 private:
  std::mutex mutex_;
  fibers::ConditionVariable changed_;
  int waiting_ = 0;
  int under_way_ = 0;
  int let_go_ = 0;
  int done_ = 0;
  std::set<const Exchange*> used_;
};

class WorkersTest : public ::testing::Test {
 protected:
  void ask(Workers& workers, int count) {
    calls_.add(count);
    for (int i = 0; i < count; ++i) workers.wake();
  }
  Workers::Work work() {
    return [this](Exchange& exchange) { return calls_.carry_out(exchange); };
  }
  Calls calls_;
  CountingEndpoint endpoint_;
  fibers::EventLoop loop_;
};

TEST_F(WorkersTest, AsManyCallsAreUnderWayAsAreAskedForUpToTheLimit) {
  Workers workers(8, loop_, endpoint_, work());
  ask(workers, 20);
  calls_.await_under_way(8);
  calls_.let_go(20);
  calls_.await_done(20);
  EXPECT_EQ(endpoint_.opened(), 8);
}

TEST_F(WorkersTest, CallsOneAfterAnotherUseOneConnection) {
  Workers workers(8, loop_, endpoint_, work());
  std::promise<void> asked;
  // From within the loop: there a worker is seen to be idle before the next call is asked for.
  loop_.start([&] {
    for (int i = 1; i <= 50; ++i) {
      calls_.let_go(1);
      ask(workers, 1);
      calls_.await_done(i);
    }
    asked.set_value();
  });
  asked.get_future().wait();
  EXPECT_EQ(calls_.connections_used(), 1U);
}

TEST_F(WorkersTest, StoppingWaitsForTheCallsUnderWay) {
  Workers workers(4, loop_, endpoint_, work());
  ask(workers, 4);
  calls_.await_under_way(4);
  loop_.start([&] { calls_.let_go(4); });
  workers.stop();
  EXPECT_EQ(calls_.done(), 4);
}

TEST_F(WorkersTest, AWakeAfterTheStopStartsNothing) {
  Workers workers(4, loop_, endpoint_, work());
  workers.stop();
  ask(workers, 1);
  EXPECT_EQ(endpoint_.opened(), 0);
}

}  // namespace
}  // namespace jobs_bridge
