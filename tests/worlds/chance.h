#pragma once

#include <chrono>
#include <cstdint>
#include <random>

#include "bridge/time.h"

namespace jobs_bridge::simulation {

/// The same throws for the same seed everywhere: no distribution of the standard library, which
/// differ from one to the other.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : generator_(seed) {}

  /// Less than `limit`, which is at least 1.
  std::uint64_t below(std::uint64_t limit) { return generator_() % limit; }
  bool once_in(std::uint64_t times) { return below(times) == 0; }
  bool with(double probability) {
    return static_cast<double>(generator_() >> 11U) * 0x1.0p-53 < probability;
  }
  /// Up to that long; short times are as likely as long ones.
  Duration time(Duration longest) {
    const auto scale = 1.0 / static_cast<double>(1U << below(10));
    const auto most = static_cast<double>(longest.count()) * scale;
    return Duration(
        static_cast<Duration::rep>(most) <= 0
            ? 0
            : static_cast<Duration::rep>(generator_() % static_cast<std::uint64_t>(most + 1)));
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace jobs_bridge::simulation
