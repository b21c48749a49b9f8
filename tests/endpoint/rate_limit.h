#pragma once

#include <optional>

#include "tests/endpoint/instant.h"

namespace jobs_endpoint {

/// A token bucket: `per_second` calls a second, of which a second's worth may come at once.
class RateLimit {
 public:
  /// 0: no limit.
  explicit RateLimit(double per_second);
  /// Takes a token if there is one; false: the call is one too many.
  [[nodiscard]] bool admit(Instant now);

 private:
  const double per_second_;
  const double most_;
  double tokens_;
  std::optional<Instant> filled_at_;
};

}  // namespace jobs_endpoint
