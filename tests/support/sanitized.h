#pragma once

#include <cstddef>
#include <cstdint>

namespace jobs_bridge::testing_support {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

inline constexpr std::size_t kMebibyte = 1U << 20U;

/// What a process may grow to. Under a sanitizer, which keeps what was freed and notes down what
/// was written, that would be measured instead: there is no bound then.
constexpr std::size_t memory_bound(std::size_t bytes) {
  return is_sanitized ? SIZE_MAX : bytes;
}

/// How much longer everything may take under a sanitizer.
constexpr int slowdown = is_sanitized ? 5 : 1;

}  // namespace jobs_bridge::testing_support
