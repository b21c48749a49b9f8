#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>

namespace jobs_bridge::testing_support {

/// What a living process has used of the processors till now: all its threads, in user and kernel
/// together, to the hundredth of a second. Throws std::runtime_error if there is no such process.
std::chrono::milliseconds processor_time(pid_t process);

/// How much of its memory is in RAM now, in bytes. Throws std::runtime_error if there is no such
/// process.
std::size_t resident_memory(pid_t process);

}  // namespace jobs_bridge::testing_support
