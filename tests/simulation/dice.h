#pragma once

#include <cstdint>

#include "bridge/time.h"

namespace jobs_bridge::simulation {

/// Chance from a seed: SplitMix64 (Steele, Lea, Flood 2014), without the standard library's
/// distributions, which differ between platforms.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  /// Less than `limit`, which is not 0.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11U) * 0x1.0p-53 < probability;
  }
  Duration between(Duration least, Duration most) {
    return Duration(static_cast<Duration::rep>(between(static_cast<std::uint64_t>(least.count()),
                                                       static_cast<std::uint64_t>(most.count()))));
  }
  /// Mostly small, up to sixteen times the mean or so: the scale is thrown first.
  Duration about(Duration mean) {
    const auto scaled = mean * (1 << below(5)) / 3;
    return between(Duration::zero(), scaled);
  }

 private:
  std::uint64_t state_;
};

}  // namespace jobs_bridge::simulation
