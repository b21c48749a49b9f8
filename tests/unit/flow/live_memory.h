#pragma once

#include <cstddef>

/// What this test program holds on the heap at the moment, through `new`. Counted by replacing the
/// global operators, so it is exact and tells a leak in a container from one in the allocator.
namespace jobs_bridge::testing_support {

struct LiveMemory {
  std::size_t blocks = 0;
  std::size_t bytes = 0;
};

LiveMemory live_memory();

}  // namespace jobs_bridge::testing_support
