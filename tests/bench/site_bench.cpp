#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/flow/engine.h"
#include "bridge/jobs/topic.h"
#include "tests/simulation/dice.h"

/// A whole site comes back at once: every device asks start-next within a minute, and asks again
/// after pauses that double as long as it is refused. In virtual time, with one engine and an
/// endpoint that takes 100 ms:
///
///     site_bench [DEVICES=1000000] [WRITES_PER_SECOND=200] [LONGEST_PAUSE_SECONDS=640]
///                [QUEUE=10000]
namespace {

using namespace jobs_bridge;
using namespace std::chrono_literals;

constexpr std::string_view base = "$aws/things/{thing}/jobs";
constexpr std::string_view name_begin = "$aws/things/device-";
constexpr Duration all_back_within = 60s;
constexpr Duration first_pause = 10s;
constexpr Duration endpoint_takes = 100ms;
constexpr std::size_t connections = 256;

struct Shape {
  std::uint32_t devices = 1000000;
  double writes_per_second = 200;
  Duration longest_pause = 640s;
  std::size_t queue = 10000;
};

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

EngineSettings settings_of(const Shape& shape) {
  EngineSettings settings;
  settings.writes_per_second = shape.writes_per_second;
  settings.queue = shape.queue;
  return settings;
}

class Site {
 public:
  explicit Site(const Shape& shape)
      : shape_(shape),
        engine_(settings_of(shape), *TopicGrammar::from_base(base)),
        refused_(shape.devices) {
    for (std::uint32_t device = 0; device < shape.devices; ++device) {
      asks_.push({now_.monotonic + dice_.between(Duration::zero(), all_back_within), device});
    }
    answer_.body = R"({"execution":{"jobId":"update-1","status":"IN_PROGRESS","versionNumber":2,)"
                   R"("executionNumber":1,"jobDocument":"{\"operation\":\"install\"}"}})";
    answer_.status = 200;
  }

  void run() {
    while (served_.size() < shape_.devices) {
      const auto next = next_event();
      now_.monotonic = std::max(now_.monotonic, next);
      now_.unix_seconds = 1700000000 + static_cast<std::int64_t>(seconds(now_.monotonic - start_));
      if (!calls_.empty() && calls_.front().ends <= now_.monotonic) {
        const auto id = calls_.front().id;
        calls_.pop();
        engine_.call_ended(now_, id, HttpOutcome(answer_), effects_);
      } else if (!asks_.empty() && asks_.top().at <= now_.monotonic) {
        ask(asks_.top().device);
        asks_.pop();
      } else {
        engine_.tick(now_, effects_);
      }
      make_calls();
      take_replies();
    }
  }

  void report() const {
    const auto served = [this](double share) {
      return seconds(served_[static_cast<std::size_t>(share *
                                                      static_cast<double>(served_.size() - 1))]) /
             60;
    };
    std::cout << shape_.devices << " devices, " << shape_.writes_per_second
              << " calls/s, pauses up to " << seconds(shape_.longest_pause) << " s, room for "
              << shape_.queue << ": half are served after " << served(0.5) << " min, 99 % after "
              << served(0.99) << " min, all after " << served(1) << " min; " << requests_
              << " requests, at most " << *std::ranges::max_element(per_second_)
              << " in a second and " << after_a_quarter() << " in one after a quarter of an hour\n";
  }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }

 private:
  struct Ask {
    MonotonicTime at;
    std::uint32_t device;
    friend bool operator<(const Ask& left, const Ask& right) { return left.at > right.at; }
  };
  struct Running {
    MonotonicTime ends;
    RequestId id;
  };

  MonotonicTime next_event() const {
    auto next = engine_.next_tick(now_.monotonic);
    if (!asks_.empty()) next = std::min(next, asks_.top().at);
    if (!calls_.empty()) next = std::min(next, calls_.front().ends);
    return next;
  }

  void ask(std::uint32_t device) {
    const auto second = static_cast<std::size_t>(seconds(now_.monotonic - start_));
    if (per_second_.size() <= second) per_second_.resize(second + 1);
    ++per_second_[second];
    ++requests_;
    engine_.received(
        now_,
        {.topic = std::string(name_begin) + std::to_string(device) + "/jobs/start-next",
         .payload = R"({"clientToken":"0123456789abcdef"})"},
        effects_);
  }

  void make_calls() {
    while (calls_.size() < connections && engine_.has_call(now_)) {
      const auto call = engine_.next_call(now_, effects_);
      if (!call) return;
      calls_.push({now_.monotonic + endpoint_takes, call->id});
    }
  }

  void take_replies() {
    for (const auto& reply : effects_.publications) {
      const std::string_view topic = reply.topic;
      std::uint32_t device = 0;
      std::from_chars(topic.data() + name_begin.size(), topic.data() + topic.size(), device);
      if (topic.ends_with("/accepted")) {
        served_.push_back(now_.monotonic - start_);
        continue;
      }
      const auto pause = std::min(first_pause * (1 << std::min<int>(refused_[device]++, 20)),
                                  shape_.longest_pause);
      asks_.push({now_.monotonic + dice_.between(pause / 2, pause * 3 / 2), device});
    }
    effects_.clear();
  }

  std::uint64_t after_a_quarter() const {
    const auto begin = std::min<std::size_t>(per_second_.size() - 1, 15 * 60);
    return *std::max_element(per_second_.begin() + static_cast<std::ptrdiff_t>(begin),
                             per_second_.end());
  }

  const Shape shape_;
  const MonotonicTime start_ = MonotonicTime(1h);
  Now now_{.monotonic = start_, .unix_seconds = 1700000000};
  Engine engine_;
  Effects effects_;
  simulation::Dice dice_{1};
  HttpResponse answer_;
  std::priority_queue<Ask> asks_;
  std::queue<Running> calls_;
  std::vector<std::uint8_t> refused_;  ///< how often in a row, by device
  std::vector<Duration> served_;       ///< when, in order
  std::vector<std::uint64_t> per_second_;
  std::uint64_t requests_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  const auto number = [&](int place, double otherwise) {
    return count > place ? std::atof(arguments[place]) : otherwise;
  };
  Shape shape;
  shape.devices = static_cast<std::uint32_t>(number(1, shape.devices));
  shape.writes_per_second = number(2, shape.writes_per_second);
  shape.longest_pause = std::chrono::seconds(static_cast<int>(number(3, 640)));
  shape.queue = static_cast<std::size_t>(number(4, static_cast<double>(shape.queue)));
  if (shape.devices < 1 || shape.longest_pause < first_pause || shape.queue < 1) {
    std::cerr << "site_bench [DEVICES] [WRITES_PER_SECOND] [LONGEST_PAUSE_SECONDS, 10 or more] "
                 "[QUEUE]\n";
    return 2;
  }
  Site site(shape);
  site.run();
  site.report();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto spent = static_cast<double>(usage.ru_utime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec) / 1e6;
  std::cout << spent << " s of CPU, " << 1e6 * spent / static_cast<double>(site.requests())
            << " us a request with the devices' part, " << usage.ru_maxrss / 1024 << " MiB\n";
}
