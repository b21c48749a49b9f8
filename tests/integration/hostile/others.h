#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/integration/bridge/site.h"
#include "tests/support/process_usage.h"

namespace jobs_bridge::testing_support {

/// The most of its memory that a living process ever had in RAM, in bytes.
inline std::size_t peak_memory(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string word; file >> word;) {
    if (word != "VmHWM:") continue;
    std::size_t kibibytes = 0;
    if (file >> kibibytes) return kibibytes << 10U;
  }
  throw std::runtime_error("no peak memory of process " + std::to_string(process));
}

/// Things that do nothing wrong, and what it costs them that others do. One asks at a time, so that
/// each reply is a measurement.
class Others {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Others(unsigned short broker_port)
      : device_({.port = broker_port, .client_id = "calm"}) {
    device_.subscribe("$aws/things/calm/jobs/start-next/+");
  }

  /// One request of theirs; false: it was not accepted.
  bool ask() {
    const auto start = Clock::now();
    device_.publish(start_next_topic("calm"), "{}");
    const auto reply = device_.next();
    times_.push_back(Clock::now() - start);
    last_ = reply ? reply->topic + " " + reply->payload : "no reply";
    return reply && reply->topic.ends_with("/accepted");
  }

  [[nodiscard]] const std::string& last() const { return last_; }
  [[nodiscard]] std::chrono::milliseconds p99() const {
    auto sorted = times_;
    std::sort(sorted.begin(), sorted.end());
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        sorted.at(sorted.size() * 99 / 100));
  }
  [[nodiscard]] std::size_t asked() const { return times_.size(); }

 private:
  MqttDevice device_;
  std::vector<Clock::duration> times_;
  std::string last_;
};

/// Prints a row of the table of hostile peers.
inline void report(const std::string& behaviour, std::chrono::milliseconds longest,
                   std::size_t grown, const Others& others) {
  std::cout << "[ measured ] " << behaviour << " | " << longest.count() << " ms | +"
            << (grown >> 10U) << " KiB | others' p99 " << others.p99().count() << " ms of "
            << others.asked() << "\n";
}

}  // namespace jobs_bridge::testing_support
