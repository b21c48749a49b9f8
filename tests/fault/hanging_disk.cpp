#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

/// Preloaded into a process, makes its disk hang: while the file that HANGING_DISK_WHILE names is
/// there, calls that write or sync a write-ahead log (`*-wal`) do not return. A file of that name
/// with `.hangs` appended shows that a call is waiting.
namespace {

bool is_log_of_writes(int file) {
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(file);
  const auto size = readlink(link.c_str(), path.data(), path.size());
  return size > 0 &&
         std::string_view(path.data(), static_cast<std::size_t>(size)).ends_with("-wal");
}

void pass(int file) {
  const char* const sign = std::getenv("HANGING_DISK_WHILE");
  if (sign == nullptr || access(sign, F_OK) != 0 || !is_log_of_writes(file)) return;
  const auto mark = std::string(sign) + ".hangs";
  close(open(mark.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
  while (access(sign, F_OK) == 0) nanosleep(&pause, nullptr);
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t pwrite64(int file, const void* data, size_t size, off64_t at) {
  static auto* const real = next<decltype(pwrite64)>("pwrite64");
  pass(file);
  return real(file, data, size, at);
}

ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  static auto* const real = next<decltype(pwrite)>("pwrite");
  pass(file);
  return real(file, data, size, at);
}

int fdatasync(int file) {
  static auto* const real = next<decltype(fdatasync)>("fdatasync");
  pass(file);
  return real(file);
}

}  // extern "C"
