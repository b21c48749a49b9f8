#pragma once

#include <cstdint>

#include "tests/simulation/script.h"
#include "tests/simulation/shape.h"
#include "tests/simulation/world.h"

namespace jobs_bridge::simulation {

/// All that the run of a world depends on.
struct Plan {
  Shape shape;
  std::uint64_t seed = 0;
  Script script;
};

/// The world of that seed, by chance in shape and course.
Plan random_plan(std::uint64_t seed);

/// Runs it to its end. Throws Violation.
Totals run(const Plan& plan, Extras extras = {});

}  // namespace jobs_bridge::simulation
