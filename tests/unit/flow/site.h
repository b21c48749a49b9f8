#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/flow/engine_driver.h"

namespace jobs_bridge::testing_support {

/// A gateway's day in virtual time: devices that ask, an endpoint that takes its time, and some
/// connections for calls.
class Site {
 public:
  /// What becomes of a call of that thing that begins at that time, and how long it takes. One that
  /// takes longer than the call's deadline ends then.
  struct Fate {
    HttpOutcome outcome;
    Duration takes;
  };
  /// Of an endpoint in order.
  static constexpr Duration latency = std::chrono::milliseconds(20);
  using Endpoint = std::function<Fate(const std::string& thing, MonotonicTime now)>;

  Site(EngineSettings settings, Endpoint endpoint)
      : driver(settings), endpoint_(std::move(endpoint)) {}

  void at(Duration after_begin, std::function<void()> event) {
    events_.emplace(began + after_begin, std::move(event));
  }
  void run_until(Duration after_begin) {
    const auto end = began + after_begin;
    while (true) {
      while (calls_in_flight < connections) {
        auto call = driver.next_call();
        if (!call) break;
        begin(*std::move(call));
      }
      const auto now = driver.now.monotonic;
      auto next = std::max(driver.engine.next_tick(now), now + Duration(1));
      if (!events_.empty()) next = std::min(next, events_.begin()->first);
      driver.now.monotonic = std::min(next, end);
      if (driver.now.monotonic >= end) return;
      while (!events_.empty() && events_.begin()->first <= driver.now.monotonic) {
        const auto event = std::move(events_.extract(events_.begin()).mapped());
        event();
      }
      driver.tick();
      for (auto& finished : driver.effects.finished) {
        replies.push_back({std::move(finished), driver.now.monotonic});
      }
      driver.effects.finished.clear();
      driver.effects.publications.clear();
    }
  }

  /// The thing that a topic or a path is of.
  static std::string thing_in(const std::string& text) {
    const auto begin = text.find("things/") + 7;
    return text.substr(begin, text.find('/', begin) - begin);
  }

  struct Reply : Finished {
    MonotonicTime at;
  };
  struct Made {
    MonotonicTime at;
    std::string thing;
  };

  EngineDriver driver;
  const MonotonicTime began = driver.now.monotonic;
  std::size_t connections = 32;
  std::size_t calls_in_flight = 0;
  std::vector<Reply> replies;
  std::vector<Made> calls;

 private:
  void begin(Call call) {
    const auto thing = thing_in(call.request.target);
    calls.push_back({.at = driver.now.monotonic, .thing = thing});
    auto fate = endpoint_(thing, driver.now.monotonic);
    ++calls_in_flight;
    events_.emplace(std::min(driver.now.monotonic + fate.takes, call.deadline),
                    [this, id = call.id, outcome = std::move(fate.outcome)] {
                      --calls_in_flight;
                      driver.answer(id, outcome);
                    });
  }

  Endpoint endpoint_;
  std::multimap<MonotonicTime, std::function<void()>> events_;
};

}  // namespace jobs_bridge::testing_support
