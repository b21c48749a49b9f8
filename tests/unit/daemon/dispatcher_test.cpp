#include "adapters/daemon/dispatcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/recording_log.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Never has a job, and answers only when the test allows it.
class EmptyEndpoint final : public Endpoint {
 public:
  /// Of each call, on the fiber that makes it.
  using OnCall = std::function<void()>;

  explicit EmptyEndpoint(OnCall on_call = nullptr) : on_call_(std::move(on_call)) {}

  std::unique_ptr<Exchange> open() override {
    ++opened_;
    return std::make_unique<Connection>(*this);
  }
  void stop() override { stopped_ = true; }
  [[nodiscard]] int calls() const { return calls_; }
  [[nodiscard]] int opened() const { return opened_; }
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  class Connection final : public Exchange {
   public:
    explicit Connection(EmptyEndpoint& endpoint) : endpoint_(endpoint) {}
    HttpOutcome perform(const HttpRequest& /*request*/, MonotonicTime /*deadline*/) override {
      ++endpoint_.calls_;
      if (endpoint_.on_call_) endpoint_.on_call_();
      HttpResponse response;
      response.status = 200;
      response.body = "{}";
      return response;
    }

   private:
    EmptyEndpoint& endpoint_;
  };
  const OnCall on_call_;
  std::atomic<int> calls_ = 0;
  std::atomic<int> opened_ = 0;
  std::atomic<bool> stopped_ = false;
};

class ReplyCounter final : public Publisher {
 public:
  void queue(Publication publication) override {
    const std::lock_guard lock(mutex_);
    queued_.push_back(std::move(publication));
  }
  void flush() override {
    const std::lock_guard lock(mutex_);
    ++flushes_;
    sent_ = queued_.size();
    changed_.notify_all();
  }
  bool wait_for(std::size_t sent, Duration limit = 5s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return sent_ >= sent; });
  }
  int flushes() {
    const std::lock_guard lock(mutex_);
    return flushes_;
  }
  std::vector<Publication> queued() {
    const std::lock_guard lock(mutex_);
    return queued_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Publication> queued_;
  std::size_t sent_ = 0;
  int flushes_ = 0;
};

/// The real time, but that a second passes after a reading that a test chooses, as it does when the
/// thread that has read is not scheduled for so long.
class LeapingClock {
 public:
  Now read() {
    const std::lock_guard lock(mutex_);
    const Now now{.monotonic = steady_clock::now() + ahead_};
    if (left_ && --*left_ == 0) {
      left_.reset();
      ahead_ += 1s;
    }
    return now;
  }
  /// After that many more readings.
  void leap_after(int readings) {
    const std::lock_guard lock(mutex_);
    left_ = readings;
  }

 private:
  std::mutex mutex_;
  std::optional<int> left_;
  Duration ahead_{};
};

Message update_of(const std::string& thing) {
  return {.topic = "$aws/things/" + thing + "/jobs/j/update",
          .payload = R"({"status":"SUCCEEDED"})"};
}

Message start_next_of(const std::string& thing) {
  return {.topic = "$aws/things/" + thing + "/jobs/start-next", .payload = "{}"};
}

/// Keeps what it is given, or refuses it.
class ScriptedJournal final : public Journal {
 public:
  explicit ScriptedJournal(std::optional<std::string> fault = std::nullopt,
                           std::function<void()> on_record = nullptr)
      : fault_(std::move(fault)), on_record_(std::move(on_record)) {}
  std::optional<std::string> record(const JournalEntry& entry) override {
    if (on_record_) on_record_();
    if (!fault_) kept_.insert(entry.number);
    return fault_;
  }
  void settle(const std::vector<std::uint64_t>& numbers) override {
    for (const auto number : numbers) kept_.erase(number);
  }
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  const std::optional<std::string> fault_;
  const std::function<void()> on_record_;
  std::set<std::uint64_t> kept_;
};

class DispatcherTest : public testing::Test {
 protected:
  std::unique_ptr<Dispatcher> dispatcher_for(Endpoint& endpoint, EngineSettings settings = {},
                                             Journal* journal = nullptr,
                                             Dispatcher::Clock clock = read_clock) {
    return std::make_unique<Dispatcher>(
        Engine(settings, *TopicGrammar::from_base("$aws/things/{thing}/jobs")), 64, loop, endpoint,
        publisher, Dispatcher::Stores{.journal = journal}, Dispatcher::Observers{}, log,
        std::move(clock));
  }
  static Now read_clock() { return {.monotonic = steady_clock::now()}; }
  static EngineSettings durable() {
    EngineSettings settings;
    settings.holding.durable = true;
    return settings;
  }

  ReplyCounter publisher;
  testing_support::RecordingLog log;
  fibers::EventLoop loop;
};

/// Of an event's readings of the clock: the place of the one after which the time leaps.
class DispatcherClockTest : public DispatcherTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Readings, DispatcherClockTest, testing::Range(1, 9));

TEST_P(DispatcherClockTest, QuotaThatBecomesReadyBetweenTwoReadingsIsNotMissed) {
  LeapingClock clock;
  EmptyEndpoint endpoint;
  EngineSettings settings;
  settings.writes_per_second = 5;
  // The second request's call has to wait for 200 ms, which pass at once.
  const auto dispatcher = dispatcher_for(endpoint, settings, nullptr, [&] { return clock.read(); });
  dispatcher->receive(start_next_of("first"));
  ASSERT_TRUE(publisher.wait_for(1));
  clock.leap_after(GetParam());
  dispatcher->receive(start_next_of("second"));
  EXPECT_TRUE(publisher.wait_for(2, 2s));
}

TEST_F(DispatcherTest, TimeInWhichTheMachineIsSuspendedCountsForDeadlines) {
  std::atomic<Duration> suspended = Duration(5h);
  EmptyEndpoint endpoint;
  EngineSettings settings;
  settings.writes_per_second = 0.001;  // so the second waits for its call
  const auto dispatcher = dispatcher_for(endpoint, settings, nullptr, [&]() -> Now {
    return {.monotonic = steady_clock::now(), .suspended = suspended};
  });
  dispatcher->receive(start_next_of("first"));
  ASSERT_TRUE(publisher.wait_for(1)) << "its call has its time, on a machine that was suspended";
  dispatcher->receive(start_next_of("second"));
  suspended = Duration(6h);
  dispatcher->receive(update_of("third"));  // anything that happens shows what time it is
  ASSERT_TRUE(publisher.wait_for(3));
  EXPECT_EQ(endpoint.calls(), 2) << "nobody waits for the second any more";
}

/// Then the broker may forget it: both MQTT libraries acknowledge once receive() has returned.
TEST_F(DispatcherTest, UpdateIsInTheJournalBeforeItsCallAndBeforeItIsAcknowledged) {
  ScriptedJournal journal;
  std::promise<void> go;
  std::atomic<bool> kept_at_call = false;
  EmptyEndpoint endpoint([&] { kept_at_call = journal.size() == 1; });
  const auto dispatcher = dispatcher_for(endpoint, durable(), &journal);
  // The loop is busy, so nothing but receive() itself can have kept it.
  std::promise<void> busy;
  loop.start([&] {
    busy.set_value();
    go.get_future().wait();
  });
  busy.get_future().wait();
  dispatcher->receive(update_of("lamp"));
  EXPECT_EQ(journal.size(), 1U);
  EXPECT_EQ(endpoint.calls(), 0);
  go.set_value();
  EXPECT_TRUE(publisher.wait_for(1));
  EXPECT_TRUE(kept_at_call);
  EXPECT_EQ(journal.size(), 1U) << "the broker has not acknowledged its reply";
  dispatcher->replies_ended({publisher.queued().at(0).update});
  EXPECT_EQ(journal.size(), 0U);
}

TEST_F(DispatcherTest, UpdateThatTheJournalRefusesIsRejectedAndNotCarriedOut) {
  ScriptedJournal journal("the disk is full");
  EmptyEndpoint endpoint;
  const auto dispatcher = dispatcher_for(endpoint, durable(), &journal);
  dispatcher->receive(update_of("lamp"));
  ASSERT_TRUE(publisher.wait_for(1));
  EXPECT_NE(publisher.queued()[0].payload.find("the disk is full"), std::string::npos);
  dispatcher->drain(5s);
  EXPECT_EQ(endpoint.calls(), 0);
}

TEST_F(DispatcherTest, JournalThatDoesNotRespondDelaysNoRequestTakenBefore) {
  std::atomic<bool> recording = false;
  std::promise<void> disk_responds;
  ScriptedJournal journal(std::nullopt, [&] {
    recording = true;
    disk_responds.get_future().wait();
  });
  EmptyEndpoint endpoint([&] {
    while (!recording) fibers::EventLoop::sleep(steady_clock::now() + 1ms);
  });
  const auto dispatcher = dispatcher_for(endpoint, durable(), &journal);
  dispatcher->receive(start_next_of("first"));
  std::thread library([&] { dispatcher->receive(update_of("second")); });
  EXPECT_TRUE(publisher.wait_for(1)) << "its call ends while the update is recorded";
  EXPECT_EQ(dispatcher->snapshot().counts.updates, 0U) << "the update is not entered yet";
  disk_responds.set_value();
  library.join();
  EXPECT_TRUE(publisher.wait_for(2));
}

TEST_F(DispatcherTest, MessageOnTheEventLoopHasItsCallWithoutAnotherThread) {
  EmptyEndpoint endpoint;
  const auto dispatcher = dispatcher_for(endpoint);
  loop.start([&] { dispatcher->receive(start_next_of("lamp")); });
  EXPECT_TRUE(publisher.wait_for(1));
}

TEST_F(DispatcherTest, RepliesToCallsThatEndTogetherAreSentTogether) {
  constexpr int requests = 50;
  std::vector<std::shared_ptr<fibers::EventLoop::Fiber>> waiting;
  EmptyEndpoint endpoint([&] {
    waiting.push_back(fibers::EventLoop::current());
    if (waiting.size() == requests) {
      for (const auto& fiber : waiting) fibers::EventLoop::wake(fiber);
    }
    while (waiting.size() < requests) fibers::EventLoop::sleep(MonotonicTime::max());
  });
  const auto dispatcher = dispatcher_for(endpoint);
  for (int i = 0; i < requests; ++i)
    dispatcher->receive(start_next_of("lamp-" + std::to_string(i)));
  ASSERT_TRUE(publisher.wait_for(requests));
  EXPECT_EQ(publisher.flushes(), 1);
  EXPECT_EQ(endpoint.opened(), requests);
}

TEST_F(DispatcherTest, RequestsOneAfterAnotherUseOneConnection) {
  EmptyEndpoint endpoint;
  const auto dispatcher = dispatcher_for(endpoint);
  for (std::size_t i = 1; i <= 50; ++i) {
    dispatcher->receive(start_next_of("lamp"));
    ASSERT_TRUE(publisher.wait_for(i));
  }
  EXPECT_EQ(endpoint.opened(), 1);
}

TEST_F(DispatcherTest, DrainRejectsWhatDoesNotEndAndWaitsForTheCallsThatItStops) {
  std::atomic<bool> in_call = false;
  EmptyEndpoint* running = nullptr;
  EmptyEndpoint endpoint([&] {
    in_call = true;
    while (!running->stopped()) fibers::EventLoop::sleep(steady_clock::now() + 1ms);
    in_call = false;
  });
  running = &endpoint;
  const auto dispatcher = dispatcher_for(endpoint);
  dispatcher->receive(start_next_of("lamp"));
  while (!in_call) std::this_thread::yield();
  const auto drained = dispatcher->drain(20ms);
  EXPECT_EQ(drained.rejected, 1U);
  EXPECT_FALSE(in_call);
  ASSERT_EQ(publisher.queued().size(), 1U);
  EXPECT_TRUE(publisher.wait_for(1));
  dispatcher->receive(start_next_of("late"));
  EXPECT_TRUE(publisher.wait_for(2)) << "it hears that the gateway is shutting down";
  EXPECT_EQ(dispatcher->drain(5s).rejected, 0U);
}

TEST_F(DispatcherTest, MessagesFromAnotherThreadWhileCallsEndAndLimitsChangeAreAllAnswered) {
  constexpr std::size_t requests = 3000;
  EmptyEndpoint endpoint;
  const auto dispatcher = dispatcher_for(endpoint);
  std::thread changes([&] {
    EngineSettings settings;
    for (int i = 0; i < 200; ++i) {
      settings.writes_per_second = i % 2 == 0 ? 0 : 50000;
      dispatcher->change_limits(settings);
      static_cast<void>(dispatcher->snapshot());
    }
  });
  for (std::size_t i = 0; i < requests; ++i) {
    dispatcher->receive(start_next_of("lamp-" + std::to_string(i)));
  }
  changes.join();
  dispatcher->change_limits({});
  EXPECT_TRUE(publisher.wait_for(requests, 20s));
  EXPECT_EQ(publisher.queued().size(), requests);
}

}  // namespace
}  // namespace jobs_bridge
