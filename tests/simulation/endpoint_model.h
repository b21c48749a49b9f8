#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bridge/flow/quota.h"
#include "bridge/flow/token_bucket.h"
#include "bridge/jobs/http.h"
#include "bridge/time.h"
#include "tests/simulation/asked.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/weather.h"

namespace jobs_bridge::simulation {

/// One attempt of a job on a thing.
struct Execution {
  enum class Status { queued, in_progress, succeeded, failed, rejected, canceled };
  Status status = Status::queued;
  std::int64_t version = 1;
  std::string details;  ///< JSON text
};

struct Job {
  std::vector<Execution> executions;  ///< the last one is current
  int retries = 0;                    ///< left
  bool disturbed = false;             ///< changed by the cloud
};

/// What will become of a call.
struct Fate {
  Duration takes{};
  bool carried_out = false;
  /// What the bridge hears; nothing of it if `answered`: then the endpoint's answer.
  HttpOutcome outcome;
  bool answered = false;
};

/// The Jobs data plane: one queue of jobs for each thing, as far as a bridge can see it, behind a
/// network that the weather rules.
class EndpointModel {
 public:
  EndpointModel(std::uint32_t things, std::uint64_t seed);

  void set_weather(const Weather& weather);
  [[nodiscard]] const Weather& weather() const { return weather_; }
  /// The first so many things have this weather instead.
  void set_failing_things(std::uint32_t count, const Weather& weather) {
    failing_things_ = count;
    failing_weather_ = weather;
  }
  /// A call arrives that will be given up after `timeout`. `signed_well`: with credentials that the
  /// endpoint accepts.
  Fate meet(MonotonicTime now, const HttpRequest& request, QuotaKind kind, Duration timeout,
            bool signed_well);
  /// Whether this answer is the endpoint's to a call that is not signed well.
  static bool refuses_credentials(const HttpResponse& response);
  /// Does what a call asks for. `asked`: the request that it is made for; null if it is made for
  /// none.
  HttpResponse carry_out(const HttpRequest& request, Asked* asked);

  void add_job(std::uint32_t thing, int retries);
  /// The cloud ends a job.
  void cancel_job(std::uint32_t thing, std::size_t job);
  [[nodiscard]] const std::vector<Job>& jobs(std::uint32_t thing) const { return things_[thing]; }
  [[nodiscard]] std::uint64_t throttled() const { return throttled_; }
  [[nodiscard]] std::uint64_t served() const { return served_; }

 private:
  [[nodiscard]] std::size_t thing_of(const HttpRequest& request) const;
  std::vector<Job>& jobs_of(const HttpRequest& request, std::string& rest);
  HttpResponse update(std::vector<Job>& jobs, std::size_t job, const HttpRequest& request,
                      Asked* asked);
  HttpOutcome broken_or_late(bool late);

  std::vector<std::vector<Job>> things_;
  /// Of each thing: what becomes of its calls is the same if those of others are taken out.
  std::vector<Dice> dice_;
  Weather weather_;
  std::uint32_t failing_things_ = 0;
  Weather failing_weather_;
  TokenBucket reads_;
  TokenBucket writes_;
  std::uint64_t throttled_ = 0;
  std::uint64_t served_ = 0;
};

}  // namespace jobs_bridge::simulation
