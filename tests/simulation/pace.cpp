#include "tests/simulation/pace.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <variant>

#include "tests/simulation/endpoint_model.h"
#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr double burst_share = 0.05;
/// From so many answers after an outage on, any number of calls may be in flight.
constexpr std::size_t recovered = 256;
/// So long after its end as well.
constexpr Duration longest_recovery = 1min;
/// One that hangs no longer counts then.
constexpr Duration counts_in_flight_for = 1s;
/// Beside the others, of things that fail alone.
constexpr std::size_t apart = 1;
constexpr std::size_t max_probes = 2;

bool tells_of_trouble(const HttpOutcome& outcome) {
  const auto* response = std::get_if<HttpResponse>(&outcome);
  return response == nullptr || response->status >= 500 ||
         EndpointModel::refuses_credentials(*response);
}

}  // namespace

void Pace::began(MonotonicTime now, RequestId id, QuotaKind kind, bool reachable) {
  auto& window = kind == QuotaKind::reads ? reads_ : writes_;
  const auto per_second = window.per_second;
  auto& calls = window.calls;
  if (per_second > 0) {
    while (!calls.empty() && calls.front() <= now - 1s) calls.pop_front();
    calls.push_back(now);
    const double most = per_second + std::max(1.0, per_second * burst_share);
    promise(static_cast<double>(calls.size()) <= most + 1e-6,
            "no second has more calls than the quota",
            [&] { return std::to_string(calls.size()) + " of " + std::to_string(most); });
  }
  if (!reachable) {
    probes_.insert(id);
    promise(
        probes_.size() <= max_probes,
        "an endpoint that is down gets one call at a time, and one for a thing that never failed");
    return;
  }
  if (!was_open_ || answers_since_outage_ >= recovered) return;
  if (now >= closed_ + longest_recovery) return;
  const auto in_flight = std::ranges::count_if(
      since_outage_, [&](const auto& call) { return call.second > now - counts_in_flight_for; });
  since_outage_.emplace(id, now);
  promise(static_cast<std::size_t>(in_flight) <= answers_since_outage_ + apart,
          "after an outage the calls in flight grow slowly", [&] {
            return std::to_string(in_flight + 1) + " after " +
                   std::to_string(answers_since_outage_) + " answers";
          });
}

void Pace::ended(MonotonicTime now, RequestId id, const HttpOutcome& outcome, bool reachable_before,
                 bool reachable) {
  if (!reachable_before && reachable) {
    was_open_ = true;
    closed_ = now;
    answers_since_outage_ = 0;
    probes_.clear();  // it may have been another call that got through
    since_outage_.clear();
  }
  probes_.erase(id);
  since_outage_.erase(id);
  if (!tells_of_trouble(outcome)) ++answers_since_outage_;
}

}  // namespace jobs_bridge::simulation
