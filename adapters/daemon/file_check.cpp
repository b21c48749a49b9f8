#include "adapters/daemon/file_check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "adapters/files/file_descriptor.h"
#include "adapters/files/system_text.h"

namespace jobs_bridge {
namespace {

/// What the store keeps beside its entries: SQLite's own files.
constexpr std::uint64_t overhead = 4U << 20U;

/// A running bridge locks its store.
bool is_in_use(const std::string& path) {
  const files::FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file.valid() && flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

Finding check_file(const std::string& name, const std::string& key, const std::string& path,
                   std::uint64_t room) {
  Finding finding{.name = name, .good = false, .text = path + ": ", .hint = {}};
  std::error_code fault;
  const auto directory = std::filesystem::absolute(path, fault).parent_path();
  const bool exists = std::filesystem::exists(path, fault);
  if (std::filesystem::exists(path, fault) && !std::filesystem::is_regular_file(path, fault)) {
    finding.text +=
        std::filesystem::is_directory(path, fault) ? "is a directory" : "is not a regular file";
    finding.hint = key + " must name a file, such as " +
                   (std::filesystem::path(path) / (name + ".db")).lexically_normal().string();
    return finding;
  }
  if (is_in_use(path)) {
    finding.text += "is in use by another process";
    finding.hint = "set another " + key + "; if a bridge already uses it, see jobs-bridge status";
    return finding;
  }
  // SQLite makes files beside its own, so the directory must be writable too.
  for (const auto& each : {directory, std::filesystem::path(exists ? path : directory.string())}) {
    if (access(each.c_str(), R_OK | W_OK) == 0) continue;
    finding.text += each.string() + " cannot be written: " + files::system_text(errno);
    finding.hint = key +
                   " must be in a directory that the bridge's user can write to; or run this check "
                   "as that user";
    return finding;
  }
  const auto space = std::filesystem::space(directory, fault);
  if (!fault && space.available < room + overhead) {
    finding.text += std::to_string(space.available >> 20U) +
                    " MiB are free on its disk, fewer than the required " +
                    std::to_string((room + overhead) >> 20U);
    finding.hint = "free space on the disk, or lower " + name + ".max_size";
    return finding;
  }
  finding.good = true;
  finding.text += exists ? "can be written" : "can be created";
  if (geteuid() == 0) finding.text += " by root; for the service's user try runuser -u jobs-bridge";
  return finding;
}

}  // namespace jobs_bridge
