#include "adapters/aws/signing_clock.h"

#include <cstdlib>

#include "bridge/jobs/http_date.h"

namespace jobs_bridge::aws {
namespace {

constexpr std::string_view set_the_clock = "set the clock, and keep it synchronized by NTP";

/// AWS takes signatures that are off by five minutes at most.
constexpr std::int64_t tolerated = 300;
/// Below this the time is not the reason of a refusal.
constexpr std::int64_t worth_correcting = 60;

bool far(std::int64_t seconds) {
  return std::llabs(seconds) >= worth_correcting;
}

}  // namespace

bool SigningClock::is_off() const {
  return std::llabs(skew_.load()) >= tolerated;
}

void SigningClock::observe(const std::string& date) {
  const auto endpoint = read_http_date(date);
  if (!endpoint) return;
  const auto skew = endpoint->time_since_epoch().count() - clock_();
  const auto before = skew_.exchange(skew);
  if (far(skew) == far(before)) return;
  if (far(skew)) {
    log_.write(Severity::warning, "this machine's clock differs from the endpoint's",
               {{"behind", std::to_string(skew) + "s"}, {"hint", set_the_clock}});
  } else {
    log_.write(Severity::info, "this machine's clock agrees with the endpoint's again", {});
  }
}

bool SigningClock::correct(const std::string& date, std::int64_t signed_at) {
  const auto endpoint = read_http_date(date);
  if (!endpoint) return false;
  const auto there = endpoint->time_since_epoch().count();
  if (!far(there - signed_at)) return false;
  const auto needed = there - clock_();
  const auto correction = far(needed) ? needed : 0;
  if (!far(correction_.exchange(correction) - correction)) return true;
  log_.write(Severity::warning,
             "signatures were refused because of this machine's clock: the bridge now signs with "
             "the endpoint's time",
             {{"by", std::to_string(correction) + "s"}, {"hint", set_the_clock}});
  return true;
}

}  // namespace jobs_bridge::aws
