#pragma once

#include <cstdint>
#include <random>

namespace jobs_bridge {

/// Random numbers for jitter; the same seed yields the same numbers on every platform. Not for
/// anything that must be unpredictable, such as secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : generator_(seed) {}

  /// At least 0, less than 1.
  double fraction() { return static_cast<double>(generator_() >> 11U) * 0x1.0p-53; }
  double between(double least, double most) { return least + (most - least) * fraction(); }

 private:
  std::mt19937_64 generator_;
};

}  // namespace jobs_bridge
