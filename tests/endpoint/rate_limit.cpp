#include "tests/endpoint/rate_limit.h"

#include <algorithm>
#include <chrono>

namespace jobs_endpoint {

RateLimit::RateLimit(double per_second)
    : per_second_(per_second), most_(std::max(1.0, per_second)), tokens_(most_) {}

bool RateLimit::admit(Instant now) {
  if (per_second_ <= 0) return true;
  if (filled_at_) {
    const std::chrono::duration<double> passed = now - *filled_at_;
    tokens_ = std::min(most_, tokens_ + passed.count() * per_second_);
  }
  filled_at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace jobs_endpoint
