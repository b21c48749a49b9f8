#pragma once

#include <chrono>

#include "adapters/fibers/moment.h"
#include "bridge/time.h"

namespace jobs_bridge {

inline Now read_clocks() {
  using std::chrono::system_clock;
  const auto moment = fibers::read_moment();
  return {.monotonic = moment.now,
          .unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(
                              system_clock::now().time_since_epoch())
                              .count(),
          .suspended = moment.suspended};
}

}  // namespace jobs_bridge
