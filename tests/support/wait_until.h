#pragma once

#include <chrono>
#include <thread>

#include "tests/support/sanitized.h"

namespace jobs_bridge::testing_support {

/// Looks again and again until `condition` holds; false if that took longer than `limit`, and under
/// a sanitizer than so much more as everything takes. For what cannot be waited on otherwise.
template <typename Condition>
bool wait_until(Condition&& condition,
                std::chrono::steady_clock::duration limit = std::chrono::seconds(30)) {
  const auto deadline = std::chrono::steady_clock::now() + limit * slowdown;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace jobs_bridge::testing_support
