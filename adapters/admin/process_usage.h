#pragma once

#include <cstdint>

namespace jobs_bridge::admin {

/// The resources that this process uses, as counted by the kernel. A value that cannot be read is
/// 0.
struct ProcessUsage {
  double cpu_seconds = 0;      ///< user and system, since it started
  double start_time = 0;       ///< seconds since 1970
  std::uint64_t resident = 0;  ///< bytes
  std::uint64_t open_files = 0;
  std::uint64_t max_files = 0;
  std::uint64_t threads = 0;
};

ProcessUsage read_process_usage();

}  // namespace jobs_bridge::admin
