#pragma once

#include <chrono>

#include "tests/endpoint/instant.h"

namespace jobs_endpoint {

/// UTC as it was when the program started, carried on by the steady clock: it never jumps, even if
/// the machine's clock is set meanwhile. Safe to call from several threads.
class Clock {
 public:
  /// `offset` plays a machine whose clock is wrong.
  explicit Clock(std::chrono::seconds offset = {}) : wall_at_start_(read_wall() + offset) {}

  [[nodiscard]] Instant now() const {
    return wall_at_start_ + std::chrono::duration_cast<std::chrono::microseconds>(
                                std::chrono::steady_clock::now() - steady_at_start_);
  }

 private:
  static Instant read_wall() {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }

  const Instant wall_at_start_;
  const std::chrono::steady_clock::time_point steady_at_start_ = std::chrono::steady_clock::now();
};

}  // namespace jobs_endpoint
