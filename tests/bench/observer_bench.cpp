#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "adapters/admin/activity.h"
#include "adapters/admin/metrics.h"
#include "adapters/daemon/request_log.h"
#include "tests/bench/allocations.h"

/// What it costs a request that metrics, dashboard and log are told of it.
namespace {

using namespace jobs_bridge;
using namespace std::chrono_literals;

/// A log that takes nothing below a warning, as the daemon's does by default.
class QuietLog final : public Log {
 public:
  using Log::write;
  [[nodiscard]] bool enabled(Severity severity) const override {
    return severity >= Severity::warning;
  }
  void write(Severity, std::string_view, std::initializer_list<Field>) override {}
};

/// What those who watch are told of one request. Argument: how many things there are.
void observe_request(benchmark::State& state) {
  const auto grammar = *TopicGrammar::from_base("$aws/things/{thing}/jobs");
  QuietLog log;
  admin::Activity activity(grammar);
  admin::Metrics metrics;
  RequestLog request_log(grammar, log);
  HttpResponse response;
  response.status = 200;
  response.body = R"({"execution":{"jobId":"update-1","status":"IN_PROGRESS"}})";
  const auto outcome = HttpOutcome(response);
  const Effects nothing;
  Effects answered;
  auto& finished = answered.finished.emplace_back();
  finished.operation = Operation::start_next;
  finished.client_token = R"("0123456789abcdef")";
  finished.took = 3ms;
  finished.calls = 1;
  std::vector<std::string> topics;
  for (std::int64_t thing = 0; thing < state.range(0); ++thing) {
    topics.push_back("$aws/things/device-" + std::to_string(thing) + "/jobs/start-next");
  }
  std::size_t at = 0;
  Now now{.monotonic = MonotonicTime(1h), .unix_seconds = 1700000000};
  const std::array<Observer*, 3> observers = {&activity, &metrics, &request_log};
  const auto before = allocations();
  for ([[maybe_unused]] auto round : state) {
    now.monotonic += 100us;
    at = (at + 7919) % topics.size();
    finished.topic = topics[at];
    for (Observer* observer : observers) {
      observer->received(now);
      observer->decided(now, nothing);  // when it is received, and when its call begins
      observer->decided(now, nothing);
      observer->call_finished(now, Operation::start_next, outcome, Health::healthy, 2ms);
      observer->decided(now, answered);
    }
  }
  report_allocations(state, before);
}
BENCHMARK(observe_request)->Arg(100)->Arg(1000)->Arg(100000);

}  // namespace

BENCHMARK_MAIN();
