#include "adapters/daemon/dispatcher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tests/support/recording_log.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Has no job for anybody.
class EmptyEndpoint final : public Endpoint {
 public:
  std::unique_ptr<Exchange> open() override { return std::make_unique<Connection>(); }
  void stop() override {}

 private:
  class Connection final : public Exchange {
   public:
    HttpOutcome perform(const HttpRequest& /*request*/, MonotonicTime /*deadline*/) override {
      HttpResponse response;
      response.status = 200;
      response.body = "{}";
      return response;
    }
  };
};

class ReplyCounter final : public Publisher {
 public:
  void queue(Publication /*publication*/) override {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void flush() override {}
  bool wait_for(int count, Duration limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
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

Message start_next_of(const std::string& thing) {
  return {.topic = "$aws/things/" + thing + "/jobs/start-next", .payload = "{}"};
}

/// Of an event's readings of the clock: the place of the one after which the time leaps.
class DispatcherClockTest : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Readings, DispatcherClockTest, testing::Range(1, 9));

TEST_P(DispatcherClockTest, QuotaThatBecomesReadyBetweenTwoReadingsIsNotMissed) {
  LeapingClock clock;
  EmptyEndpoint endpoint;
  ReplyCounter publisher;
  testing_support::RecordingLog log;
  fibers::EventLoop loop;
  EngineSettings settings;
  settings.writes_per_second = 5;
  // The second request's call has to wait for 200 ms, which pass at once.
  Dispatcher dispatcher(Engine(settings, *TopicGrammar::from_base("$aws/things/{thing}/jobs")), 4,
                        loop, endpoint, publisher, {}, {}, log, [&] { return clock.read(); });
  dispatcher.receive(start_next_of("first"));
  ASSERT_TRUE(publisher.wait_for(1, 5s));
  clock.leap_after(GetParam());
  dispatcher.receive(start_next_of("second"));
  EXPECT_TRUE(publisher.wait_for(2, 2s));
}

}  // namespace
}  // namespace jobs_bridge
