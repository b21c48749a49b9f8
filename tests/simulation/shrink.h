#pragma once

#include <optional>
#include <string>

#include "tests/simulation/plan.h"
#include "tests/simulation/story.h"
#include "tests/simulation/world.h"

namespace jobs_bridge::simulation {

struct Smallest {
  Plan plan;
  std::string violation;
  Story story;  ///< of its run
  int runs = 0;

  [[nodiscard]] std::string text() const;
};

/// Of a plan that breaks a promise a much smaller one that breaks the same one: fewer things
/// happen, in a shorter time, to fewer devices, with fewer kinds of fault and plainer settings.
/// Nothing if it keeps all promises. Tries at most `max_runs` worlds; deterministic.
std::optional<Smallest> shrink(Plan plan, const Extras& extras = {}, int max_runs = 3000);

}  // namespace jobs_bridge::simulation
