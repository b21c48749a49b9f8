#include "tests/simulation/plan.h"

#include <utility>

#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

Plan random_plan(std::uint64_t seed) {
  Dice dice(seed);
  // One draw a statement: which of two arguments is evaluated first is the compiler's choice, and a
  // seed must show the same world with each.
  Plan plan;
  plan.shape = Shape::random(dice);
  plan.seed = dice.next();
  plan.script = random_script(plan.shape, dice.next());
  return plan;
}

Totals run(const Plan& plan, Extras extras) {
  World world(plan.shape, plan.seed, std::move(extras));
  world.run_traffic(plan.script);
  world.settle();
  return world.totals();
}

}  // namespace jobs_bridge::simulation
