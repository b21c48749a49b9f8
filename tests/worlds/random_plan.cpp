#include <chrono>

#include "tests/worlds/world.h"

namespace jobs_bridge::simulation {

using namespace std::chrono_literals;

Plan random_plan(std::uint64_t seed) {
  Chance chance(seed ^ 0x5eed);
  Plan plan;
  plan.seed = seed;
  plan.things = 1 + chance.below(chance.once_in(3) ? 3 : 200);
  plan.flood = chance.once_in(3) ? 0.5 : 0;
  plan.requests_per_second = static_cast<double>(1 + chance.below(chance.once_in(3) ? 1000 : 60));
  plan.length = plan.requests_per_second > 100 ? 5s : Duration(60s);
  plan.connections = 1 + chance.below(chance.once_in(2) ? 4 : 64);
  plan.crashes = chance.once_in(2);
  plan.storms = !chance.once_in(5);
  plan.disk_full_at_times = chance.once_in(4);
  auto& engine = plan.engine;
  engine.deadline = chance.once_in(3) ? Duration(200ms + chance.time(3s)) : Duration(8s);
  engine.queue = 1 + chance.below(chance.once_in(2) ? 20 : 2000);
  engine.queue_per_thing = 1 + chance.below(chance.once_in(2) ? 3 : 30);
  const auto rate = [&] {
    return chance.once_in(3) ? 0.0 : static_cast<double>(1 + chance.below(300));
  };
  engine.reads_per_second = rate();
  engine.writes_per_second = rate();
  engine.holding.durable = !chance.once_in(4);
  engine.holding.max_bytes = chance.once_in(4) ? 20000 : std::size_t{64} << 20;
  engine.holding.max_per_thing = chance.once_in(3) ? 1 + chance.below(10) : 256;
  engine.holding.max_age = 24h * 7;
  if (chance.once_in(4)) {
    engine.notifier.enabled = true;
    engine.notifier.interval = 5s;
    engine.notifier.calls_per_second = engine.reads_per_second * 0.5;
  }
  return plan;
}

}  // namespace jobs_bridge::simulation
