#pragma once

#include <cstdint>

#include "tests/simulation/world.h"

namespace jobs_bridge::simulation {

/// Runs the world of that seed to its end, by chance in shape and course. Throws Violation.
inline Totals run_random_world(std::uint64_t seed) {
  Dice dice(seed);
  // One draw a statement: which of two arguments is evaluated first is the compiler's choice, and a
  // seed must show the same world with each.
  const auto shape = Shape::random(dice);
  World world(shape, dice.next());
  world.run_traffic();
  world.settle();
  return world.totals();
}

}  // namespace jobs_bridge::simulation
