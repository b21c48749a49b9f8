#pragma once

#include <cstdint>
#include <random>

namespace jobs_bridge {

/// Numbers for jitter, the same ones for the same seed on every platform. Fit for nothing that must
/// not be guessed.
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
