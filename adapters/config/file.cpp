#include "adapters/config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace jobs_bridge::config {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::string cause_of(int error) {
  if (error == ENOENT) return "does not exist";
  return "cannot be read: " + std::generic_category().message(error);
}

/// What keeps an open file from being read; nothing if it can be.
std::optional<std::string> fault_of(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return cause_of(errno);
  if (S_ISDIR(status.st_mode)) return "is a directory";
  if (!S_ISREG(status.st_mode)) return "is not a regular file";
  return std::nullopt;
}

int open_to_read(const std::string& path) {
  // Opening a pipe would block until it has a writer.
  return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

}  // namespace

Result<std::string, std::string> read_file(const std::string& path, std::size_t limit) {
  const Descriptor file(open_to_read(path));
  if (file.number() < 0) return Failure{cause_of(errno)};
  if (auto fault = fault_of(file.number())) return Failure{*fault};
  std::string content;
  std::string block(4096, '\0');
  while (true) {
    const ssize_t count = read(file.number(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure{cause_of(errno)};
    if (count == 0) return content;
    content.append(block, 0, static_cast<std::size_t>(count));
    if (content.size() > limit) {
      return Failure{"is larger than " + std::to_string(limit) + " bytes"};
    }
  }
}

std::optional<std::string> why_unreadable(const std::string& path) {
  const Descriptor file(open_to_read(path));
  if (file.number() < 0) return cause_of(errno);
  return fault_of(file.number());
}

bool is_readable_by_others(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return false;
  const bool by_group = (status.st_mode & S_IRGRP) != 0 && status.st_uid == geteuid();
  return by_group || (status.st_mode & S_IROTH) != 0;
}

bool has_directory(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  return directory.empty() || std::filesystem::is_directory(directory, ignored);
}

}  // namespace jobs_bridge::config
