#include "adapters/files/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "adapters/files/file_descriptor.h"
#include "adapters/files/system_text.h"

namespace jobs_bridge::files {
namespace {

std::string cause_of(int error) {
  if (error == ENOENT) return "does not exist";
  return "cannot be read: " + system_text(error);
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

Result<std::string, ReadFault> read_file(const std::string& path, std::size_t limit) {
  const FileDescriptor file(open_to_read(path));
  if (!file.valid()) {
    const int error = errno;
    return Failure{ReadFault{error == ENOENT || error == ENOTDIR, cause_of(error)}};
  }
  if (auto fault = fault_of(file.get())) return Failure{ReadFault{.cause = *fault}};
  std::string content;
  std::string block(4096, '\0');
  while (true) {
    const ssize_t count = read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure{ReadFault{.cause = cause_of(errno)}};
    if (count == 0) return content;
    content.append(block, 0, static_cast<std::size_t>(count));
    if (content.size() > limit) {
      return Failure{ReadFault{.cause = "is larger than " + std::to_string(limit) + " bytes"}};
    }
  }
}

std::optional<std::string> why_unreadable(const std::string& path) {
  const FileDescriptor file(open_to_read(path));
  if (!file.valid()) return cause_of(errno);
  return fault_of(file.get());
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

}  // namespace jobs_bridge::files
