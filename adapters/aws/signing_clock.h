#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "adapters/aws/wall_clock.h"
#include "bridge/ports.h"

namespace jobs_bridge::aws {

/// The time that requests are signed with: this machine's, until the endpoint refuses a signature
/// and its Date shows that this machine's clock is off; from then on corrected by so much. It is
/// corrected by refusals alone, so an endpoint whose Date is wrong, and that takes our signatures
/// all the same, does no harm. Any thread may call it.
class SigningClock {
 public:
  SigningClock(WallClock clock, Log& log) : clock_(std::move(clock)), log_(log) {}

  /// In seconds since 1970 UTC.
  [[nodiscard]] std::int64_t now() const { return clock_() + correction_.load(); }

  /// Looks at the Date of an answer (verbatim; empty: none) and reports a clock that is off.
  void observe(const std::string& date);
  /// The endpoint has refused what was signed at `signed_at`, with this Date. True if the clock
  /// was corrected, by this call or by another since, so that a new signature may do better.
  bool correct(const std::string& date, std::int64_t signed_at);

  /// How far this machine's clock is behind the endpoint's, in seconds; negative: it is ahead. 0
  /// when it is not known.
  [[nodiscard]] std::int64_t skew() const { return skew_.load(); }
  /// Whether it is so far off that AWS would refuse signatures made with it.
  [[nodiscard]] bool is_off() const;

 private:
  const WallClock clock_;
  Log& log_;
  std::atomic<std::int64_t> correction_{0};
  std::atomic<std::int64_t> skew_{0};
};

}  // namespace jobs_bridge::aws
