#include "adapters/admin/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace jobs_bridge::admin {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Seconds since 1970 at which the machine started; 0: unknown. Not from /proc/stat, which a
/// hardened service does not see.
double boot_time() {
  timespec real{};
  timespec up{};
  if (clock_gettime(CLOCK_REALTIME, &real) != 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
    return 0;
  const auto in_seconds = [](const timespec& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  return in_seconds(real) - in_seconds(up);
}

/// Of proc(5), /proc/self/stat, fields 20 and 22.
void read_stat(ProcessUsage& usage) {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // The second field is the program's name, which may hold blanks and parentheses.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 20; ++field) fields >> skipped;
  double ticks = 0;
  fields >> usage.threads >> skipped >> ticks;
  const auto boot = boot_time();
  if (!fields || boot <= 0) return;
  usage.start_time = boot + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessUsage read_process_usage() {
  ProcessUsage usage;
  rusage counted{};
  if (getrusage(RUSAGE_SELF, &counted) == 0) {
    usage.cpu_seconds = seconds(counted.ru_utime) + seconds(counted.ru_stime);
  }
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) usage.max_files = files.rlim_cur;
  read_stat(usage);
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (std::ifstream file("/proc/self/statm"); file >> total >> resident) {
    usage.resident = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::error_code fault;
  std::filesystem::directory_iterator entry("/proc/self/fd", fault);
  for (const std::filesystem::directory_iterator end; !fault && entry != end;
       entry.increment(fault)) {
    ++usage.open_files;
  }
  return usage;
}

}  // namespace jobs_bridge::admin
