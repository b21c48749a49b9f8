#pragma once

#include <cstdint>
#include <vector>

#include "bridge/time.h"
#include "tests/simulation/shape.h"

namespace jobs_bridge::simulation {

/// What comes to a world from outside, at once. How exactly, its own seed says: what happens stays
/// the same when others are taken out before it.
struct Happening {
  enum class Kind : std::uint8_t {
    request,
    weather,
    cancellation,
    new_job,
    clock_jump,
    full_disk,
    end,
    standstill,
    broker_loss,
    credentials_loss,
    credentials_refusal,
    dead_link,
  };
  Duration at{};  ///< from the beginning of the traffic
  Kind kind = Kind::request;
  std::uint32_t thing = 0;  ///< of those that there are, counted round
  std::uint64_t seed = 0;
};

/// In the order of time.
using Script = std::vector<Happening>;

/// Whether it is not a fault, or a fault of one of these kinds.
bool belongs_to(const Faults& faults, const Happening& what);

/// As often as the shape has it, for as long.
Script random_script(const Shape& shape, std::uint64_t seed);

}  // namespace jobs_bridge::simulation
