// The engine under a schedule of events, in the simulation's world, whose ledger knows the
// promises. Input: two bytes that choose the world's shape, then an event each two bytes: what
// happens (see happen()), and how. At the end the weather is fair and everything held must be
// delivered.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/input.h"
#include "tests/simulation/shape.h"
#include "tests/simulation/violation.h"
#include "tests/simulation/weather.h"
#include "tests/simulation/world.h"

namespace {

using namespace jobs_bridge;
using namespace jobs_bridge::simulation;
using namespace std::chrono_literals;

/// More would make a run long and show nothing that fewer do not.
constexpr std::uint32_t max_things = 6;
constexpr int max_events = 300;

/// From a millisecond to two minutes.
Duration pause_of(std::uint8_t how) {
  return Duration(1ms) * (1U << (how % 18U)) * (1U + how / 18U) / 8U;
}

void happen(World& world, std::uint8_t what, std::uint8_t how) {
  // What is left to chance depends on the event alone, so that events can be moved.
  world.dice() = Dice(how);
  const auto things = static_cast<std::uint32_t>(world.ledger().things());
  switch (what % 12U) {
    case 0:
    case 1:
      world.send(how % things);
      break;
    case 2:
      for (int i = 0; i < how / 8; ++i) world.send(how % things);
      break;
    case 3:
      world.request(how % things);
      break;
    case 4:
    case 5:
      world.run_for(pause_of(how));
      break;
    case 6: {
      Dice dice(how);
      world.set_weather(how == 0 ? Weather::fair() : Weather::random(dice));
      break;
    }
    case 7: {
      Dice dice(how);
      world.set_weather(Weather::outage(dice));
      break;
    }
    case 8:
      world.end_the_bridge();
      break;
    case 9:
      world.jump_the_clock();
      break;
    case 10:
      world.fill_the_disk();
      break;
    default:
      if (how % 2 == 0) {
        world.cancel_a_job(how / 2 % things);
      } else {
        world.add_a_job(how / 2 % things);
      }
  }
}

Shape shape_of(fuzz::Input& input) {
  Dice dice(input.byte() | static_cast<unsigned>(input.byte()) << 8U);
  auto shape = Shape::random(dice);
  shape.things = std::min(shape.things, max_things);
  return shape;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto shape = shape_of(input);
  try {
    World world(shape, 1);
    for (int event = 0; event < max_events && !input.is_empty(); ++event) {
      const auto what = input.byte();
      happen(world, what, input.byte());
    }
    world.settle();
  } catch (const Violation& violation) {
    std::fprintf(stderr, "not so: %s\nin a world of %s\n", violation.what(),
                 shape.describe_world().c_str());
    std::abort();
  }
  return 0;
}
