#include "bridge/flow/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace jobs_bridge {

TokenBucket::TokenBucket(double per_second, double burst)
    : per_second_(per_second), burst_(std::max(burst, 1.0)), tokens_(burst_) {}

double TokenBucket::tokens_at(MonotonicTime now) const {
  const auto seconds = in_seconds(now - counted_);
  return std::min(burst_, tokens_ + std::max(seconds, 0.0) * per_second_);
}

bool TokenBucket::take(MonotonicTime now) {
  if (per_second_ <= 0) return true;
  const auto tokens = tokens_at(now);
  if (tokens < 1) return false;
  tokens_ = tokens - 1;
  counted_ = std::max(counted_, now);
  return true;
}

MonotonicTime TokenBucket::ready_at(MonotonicTime now) const {
  if (per_second_ <= 0) return now;
  const auto missing = 1 - tokens_;
  if (missing <= 0) return now;
  // Rounded up, so that the token is there at that time. Computed from when the tokens were
  // counted, not from now, so that the result does not depend on when it is asked.
  const auto nanoseconds = std::ceil(missing / per_second_ * 1e9) + 1;
  return std::max(now, counted_ + std::chrono::nanoseconds(
                                      static_cast<std::int64_t>(std::min(nanoseconds, 1e15))));
}

void TokenBucket::set_rate(MonotonicTime now, double per_second) {
  tokens_ = tokens_at(now);
  counted_ = std::max(counted_, now);
  per_second_ = per_second;
}

void TokenBucket::empty(MonotonicTime now) {
  tokens_ = 0;
  counted_ = std::max(counted_, now);
}

}  // namespace jobs_bridge
