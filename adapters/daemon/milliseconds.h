#pragma once

#include <chrono>
#include <string>

#include "bridge/time.h"

namespace jobs_bridge {

/// For a person, to a tenth: `12.3ms`.
inline std::string in_milliseconds(Duration duration) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return std::to_string(microseconds / 1000) + "." + std::to_string(microseconds % 1000 / 100) +
         "ms";
}

}  // namespace jobs_bridge
