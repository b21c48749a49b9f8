#pragma once

#include <chrono>
#include <cstdint>

namespace jobs_endpoint {

/// The emulator's one notion of time: UTC, to the microsecond. No part but the server reads a
/// clock; every other function is told what time it is, so that tests can play any day.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// What AWS IoT Jobs writes as a stamp on HTTP: whole seconds since 1970.
[[nodiscard]] inline std::int64_t seconds_since_epoch(Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

/// Seconds since 1970 with a fraction.
[[nodiscard]] inline double precise_seconds(Instant instant) {
  return std::chrono::duration<double>(instant.time_since_epoch()).count();
}

}  // namespace jobs_endpoint
