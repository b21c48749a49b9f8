#include "adapters/aws/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace jobs_bridge::aws {
namespace {

Failure<FileFault> fault_of(int error) {
  return {{.missing = error == ENOENT || error == ENOTDIR,
           .cause = std::generic_category().message(error)}};
}

Result<std::string, FileFault> read_open(int file, std::size_t limit) {
  struct stat status {};
  if (fstat(file, &status) != 0) return fault_of(errno);
  if (!S_ISREG(status.st_mode)) return Failure{FileFault{.cause = "is not a regular file"}};
  std::string content;
  std::array<char, 4096> block;
  while (true) {
    const auto count = read(file, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fault_of(errno);
    if (count == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(count));
    if (content.size() > limit) {
      return Failure{FileFault{.cause = "is larger than " + std::to_string(limit) + " bytes"}};
    }
  }
}

}  // namespace

Result<std::string, FileFault> read_file(const std::string& path, std::size_t limit) {
  // Opening a pipe would block until it has a writer.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return fault_of(errno);
  auto content = read_open(file, limit);
  close(file);
  return content;
}

}  // namespace jobs_bridge::aws
