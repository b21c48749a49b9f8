#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "adapters/aws/wall_clock.h"
#include "bridge/ports/log.h"

namespace jobs_bridge::aws {

/// The time that requests are signed with: this machine's, until the endpoint refuses a signature
/// and its Date shows that this machine's clock is off; from then on corrected by the difference.
/// Only refusals correct it, so an endpoint that has a wrong Date but accepts our signatures does
/// no harm. Any thread may call it.
class SigningClock {
 public:
  SigningClock(WallClock clock, Log& log) : clock_(std::move(clock)), log_(log) {}

  /// In seconds since 1970 UTC.
  [[nodiscard]] std::int64_t now() const { return clock_() + correction_.load(); }

  /// Checks the Date of an answer (verbatim; empty: none) and logs if the clock is off.
  void observe(const std::string& date);
  /// The endpoint has refused a request signed at `signed_at`, in an answer with this Date. True if
  /// the clock was corrected, by this call or by another one since, so that a new signature may
  /// succeed.
  bool correct(const std::string& date, std::int64_t signed_at);

  /// How far this machine's clock is behind the endpoint's, in seconds; negative: it is ahead. 0 if
  /// it is unknown.
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
