#include "adapters/daemon/file_check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace jobs_bridge {
namespace {

/// What the store keeps beside its entries: SQLite's own files.
constexpr std::uint64_t overhead = 4U << 20U;

/// A running bridge locks its store.
bool is_in_use(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return false;
  const bool locked = flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(file);
  return locked;
}

}  // namespace

Finding check_file(const std::string& name, const std::string& key, const std::string& path,
                   std::uint64_t room) {
  Finding finding{.name = name, .good = false, .text = path + ": ", .cure = {}};
  std::error_code fault;
  const auto directory = std::filesystem::absolute(path, fault).parent_path();
  const bool exists = std::filesystem::exists(path, fault);
  if (std::filesystem::exists(path, fault) && !std::filesystem::is_regular_file(path, fault)) {
    finding.text +=
        std::filesystem::is_directory(path, fault) ? "is a directory" : "is not a regular file";
    finding.cure = key + " is a file, such as " +
                   (std::filesystem::path(path) / (name + ".db")).lexically_normal().string();
    return finding;
  }
  if (is_in_use(path)) {
    finding.text += "is in use by another process";
    finding.cure = "another " + key + "; or it is a bridge that already runs: jobs-bridge status";
    return finding;
  }
  // SQLite makes files beside its own, so the directory must be writable too.
  for (const auto& each : {directory, std::filesystem::path(exists ? path : directory.string())}) {
    if (access(each.c_str(), R_OK | W_OK) == 0) continue;
    finding.text += each.string() + " cannot be written: " + std::generic_category().message(errno);
    finding.cure = key +
                   " in a directory of the user that the bridge runs as; or run this check as "
                   "that user";
    return finding;
  }
  const auto space = std::filesystem::space(directory, fault);
  if (!fault && space.available < room + overhead) {
    finding.text += std::to_string(space.available >> 20U) +
                    " MiB are free on its disk, less than " +
                    std::to_string((room + overhead) >> 20U);
    finding.cure = "make room, or a smaller " + name + ".max_size";
    return finding;
  }
  finding.good = true;
  finding.text += exists ? "can be written" : "can be made";
  if (geteuid() == 0) finding.text += " by root; for the service's user try runuser -u jobs-bridge";
  return finding;
}

}  // namespace jobs_bridge
