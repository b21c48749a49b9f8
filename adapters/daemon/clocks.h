#pragma once

#include <chrono>

#include "bridge/time.h"

namespace jobs_bridge {

inline Now read_clocks() {
  using std::chrono::system_clock;
  return {.monotonic = std::chrono::steady_clock::now(),
          .unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(
                              system_clock::now().time_since_epoch())
                              .count()};
}

}  // namespace jobs_bridge
