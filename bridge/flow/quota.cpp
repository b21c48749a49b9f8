#include "bridge/flow/quota.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// The burst: so small that it hardly matters in the count of a second.
constexpr double burst_seconds = 0.05;

/// Throttling answers within this time belong to the same excess.
constexpr Duration one_excess = 1s;
/// The first step down, as a share of the ceiling, and how long it takes to be back at it. Further
/// steps are a share of the previous rate.
constexpr double step_down = 0.1;
constexpr double recovery_seconds = 10;
/// The rate at most halves at once, however few calls were carried out lately: there may have been
/// few to carry out.
constexpr double min_share = 0.5;
constexpr double min_rate = 1;
constexpr double nearly_all = 0.8;
/// Without a configured rate, growth by this much over the ceiling counts as recovered.
constexpr double recovered = 20;

}  // namespace

Quota::Quota(double per_second)
    : per_second_(per_second), bucket_(per_second, per_second * burst_seconds) {}

double Quota::rate(MonotonicTime now) const {
  if (!slowed_) return per_second_;
  const double from_ceiling =
      (in_seconds(now - slowed_->since) - recovery_seconds) / recovery_seconds;
  // Below the ceiling in proportion to it, or the step down from a low one would be below zero.
  const double step = step_down * (from_ceiling < 0 ? slowed_->ceiling : slowed_->before);
  const double grown = slowed_->ceiling + step * std::pow(from_ceiling, 3);
  return per_second_ > 0 ? std::min(grown, per_second_) : grown;
}

void Quota::set_limit(MonotonicTime now, double per_second) {
  if (per_second == per_second_) return;
  per_second_ = per_second;
  bucket_ = TokenBucket(rate(now), per_second * burst_seconds);
  // The old limit's burst may just have been used.
  bucket_.empty(now);
}

bool Quota::is_slowed(MonotonicTime now) const {
  if (!slowed_) return false;
  const double limit =
      per_second_ > 0 ? per_second_ : std::max(slowed_->ceiling * recovered, slowed_->before);
  return rate(now) < limit;
}

MonotonicTime Quota::ready_at(MonotonicTime now) const {
  // A trial does not wait for tokens that earlier calls used up.
  return pause_.until() ? std::max(now, pause_.ready_at()) : bucket_.ready_at(now);
}

void Quota::called(MonotonicTime now, RequestId call) {
  pause_.called(now, call);
  adapt(now);
  bucket_.take(now);
  calls_.add(now);
}

void Quota::adapt(MonotonicTime now) {
  if (!slowed_) return;
  if (!is_slowed(now)) slowed_.reset();
  bucket_.set_rate(now, rate(now));
}

std::optional<Duration> Quota::succeeded(MonotonicTime now, RequestId call) {
  successes_.add(now);
  const auto lasted = pause_.end(now, call);
  if (lasted) bucket_.empty(now);
  return lasted;
}

std::optional<Duration> Quota::tick(MonotonicTime now) {
  const auto lasted = pause_.end(now);
  // Tokens saved up meanwhile would allow a burst.
  if (lasted) bucket_.empty(now);
  return lasted;
}

double Quota::before_throttling(MonotonicTime now, double allowed, double ceiling) const {
  if (!slowed_) return std::max(allowed, ceiling);
  // A limit that was met again above the ceiling is more and more likely to be one that lasts.
  const bool met_again = in_seconds(now - slowed_->since) > recovery_seconds;
  return std::max(met_again ? slowed_->before / 2 : slowed_->before, ceiling);
}

Quota::Throttling Quota::throttled(MonotonicTime now, RequestId call,
                                   std::optional<Duration> retry_after) {
  const bool trial = pause_.is_trial(call);
  Throttling done;
  if (retry_after) done.paused = pause_.ask(now, call, *retry_after);
  // A trial says that the pause goes on, and nothing of the rate.
  pause_.failed(now, call);
  if (!trial) done.slowed = slow_down(now);
  return done;
}

bool Quota::slow_down(MonotonicTime now) {
  if (slowed_ && now - slowed_->since < one_excess) return false;
  const double allowed = rate(now) > 0 ? rate(now) : calls_.rate(now);
  const double carried_out = successes_.rate(now);
  // The measured rate lags behind a growing one: nearly as much as was allowed counts as all of it.
  const double ceiling = carried_out >= allowed * nearly_all
                             ? allowed
                             : std::max({carried_out, allowed * min_share, min_rate});
  slowed_ =
      Slowed{.ceiling = ceiling, .before = before_throttling(now, allowed, ceiling), .since = now};
  bucket_.set_rate(now, rate(now));
  bucket_.empty(now);
  return true;
}

}  // namespace jobs_bridge
