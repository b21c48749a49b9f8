#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/simulation/ledger.h"
#include "tests/simulation/shape.h"
#include "tests/simulation/world.h"

namespace jobs_bridge::simulation {

/// A gateway as it comes, with an endpoint that keeps AWS's quotas and nothing going wrong.
inline Shape usual_gateway(std::uint32_t things) {
  Shape shape;
  shape.things = things;
  shape.connections = 32;
  shape.jobs = 1;
  shape.engine.reads_per_second = 200;
  shape.engine.writes_per_second = 200;
  shape.engine.holding.durable = true;
  shape.start_next = 1;
  shape.get = 0;
  shape.describe = 0;
  shape.ends_jobs = 0;
  return shape;
}

/// How long those waited that were accepted, shortest first.
inline std::vector<Duration> waits(const Ledger& ledger, AskedNumber from = 0) {
  std::vector<Duration> all;
  for (auto number = from; number < ledger.size(); ++number) {
    const auto& asked = ledger.asked(number);
    if (asked.accepted) all.push_back(asked.replied - asked.received);
  }
  std::ranges::sort(all);
  return all;
}

inline std::size_t count_accepted(const Ledger& ledger, AskedNumber from = 0) {
  return waits(ledger, from).size();
}

inline double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace jobs_bridge::simulation
