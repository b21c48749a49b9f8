#pragma once

#include <cstdint>
#include <functional>

namespace jobs_bridge::aws {

/// This machine's idea of the time, in seconds since 1970 UTC. It may be wrong and may jump.
using WallClock = std::function<std::int64_t()>;

}  // namespace jobs_bridge::aws
