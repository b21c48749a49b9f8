#include "tests/support/process_usage.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

namespace jobs_bridge::testing_support {
namespace {

std::string read_proc(pid_t process, const std::string& name) {
  const auto path = "/proc/" + std::to_string(process) + "/" + name;
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.empty()) throw std::runtime_error("cannot read " + path);
  return text;
}

}  // namespace

std::chrono::milliseconds processor_time(pid_t process) {
  // proc(5): behind the name in parentheses, utime and stime are the 12th and 13th field.
  const auto stat = read_proc(process, "stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  std::chrono::milliseconds::rep user = 0;
  std::chrono::milliseconds::rep kernel = 0;
  if (!(fields >> user >> kernel)) throw std::runtime_error("unexpected /proc/PID/stat: " + stat);
  return std::chrono::milliseconds((user + kernel) * 1000 / sysconf(_SC_CLK_TCK));
}

std::size_t resident_memory(pid_t process) {
  const auto statm = read_proc(process, "statm");
  std::istringstream fields(statm);
  std::size_t total = 0;
  std::size_t resident = 0;
  if (!(fields >> total >> resident)) {
    throw std::runtime_error("unexpected /proc/PID/statm: " + statm);
  }
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace jobs_bridge::testing_support
