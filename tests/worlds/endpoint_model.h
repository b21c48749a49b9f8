#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "bridge/jobs/http.h"
#include "bridge/time.h"
#include "tests/worlds/chance.h"

namespace jobs_bridge::simulation {

/// What may be the matter with the endpoint, and with the way to it.
struct Weather {
  bool refuses = false;      ///< no connection: nothing is ever sent
  bool hangs = false;        ///< connections, and no answers
  double failures = 0;       ///< share of calls that end with a 5xx, half of them carried out
  double lost_answers = 0;   ///< share that is carried out and has no answer
  double lost_requests = 0;  ///< share that is not carried out and has no answer
  double garbage = 0;        ///< share whose answer makes no sense, half of them carried out
  double per_second = 0;     ///< calls of each kind that are not throttled; 0: any number
  bool says_retry_after = false;
  Duration latency = std::chrono::milliseconds(20);
};

/// The Jobs data plane as far as the engine can tell: executions with states and versions.
class EndpointModel {
 public:
  explicit EndpointModel(std::uint64_t seed) : chance_(seed) {}

  Weather weather = {};

  /// What becomes of a call, and when it ends.
  struct Fate {
    HttpOutcome outcome;
    MonotonicTime at;
  };
  /// A call that is made now and waits until `deadline`. What it does, it does at once.
  Fate call(MonotonicTime now, const HttpRequest& request, MonotonicTime deadline);

  struct Execution {
    std::string status = "QUEUED";
    std::int64_t version = 1;
    std::string note = "-";  ///< the one pair of its statusDetails
  };
  [[nodiscard]] const Execution& execution(const std::string& thing, const std::string& job);

  /// Notes of the updates that were applied to a thing, each when it was for the first time.
  [[nodiscard]] const std::vector<std::uint64_t>& applied(const std::string& thing) {
    return things_[thing].applied;
  }
  [[nodiscard]] bool was_applied(const std::string& thing, std::uint64_t note) {
    return things_[thing].known.contains(note);
  }
  [[nodiscard]] std::uint64_t applied_again() const { return applied_again_; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] std::uint64_t throttled() const { return throttled_; }
  [[nodiscard]] std::uint64_t carried_out() const { return carried_out_; }

 private:
  struct Thing {
    std::map<std::string, Execution> executions;
    std::vector<std::uint64_t> applied;
    std::set<std::uint64_t> known;
  };
  HttpResponse carry_out(const HttpRequest& request);
  HttpResponse update(Thing& thing, const std::string& job, const std::string& body);
  bool takes(MonotonicTime now, bool write);

  Chance chance_;
  std::unordered_map<std::string, Thing> things_;
  std::deque<MonotonicTime> reads_;  ///< that were taken in the last second
  std::deque<MonotonicTime> writes_;
  std::uint64_t applied_again_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t throttled_ = 0;
  std::uint64_t carried_out_ = 0;
};

}  // namespace jobs_bridge::simulation
