#pragma once

#include <cstddef>

#include "bridge/time.h"
#include "tests/simulation/shape.h"

namespace jobs_bridge::simulation {

/// What is left to do when nothing goes wrong any more.
struct Load {
  std::size_t updates = 0;
  std::size_t requests = 0;      ///< without a reply, those updates included
  std::size_t longest_line = 0;  ///< of one thing's requests, which are carried out one by one
};

/// The time within which a bridge must have answered and delivered all of it: what its promises
/// allow for calls that hang, pauses and probes, and the calls at the quota. A bridge that needs
/// longer has forgotten something, or waits for what need not be waited for.
Duration time_to_finish(const Shape& shape, const Load& load);

}  // namespace jobs_bridge::simulation
