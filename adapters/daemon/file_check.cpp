#include "adapters/daemon/file_check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "adapters/files/file_descriptor.h"
#include "adapters/files/system_text.h"
#include "adapters/store/journal_file.h"
#include "adapters/store/watch_file.h"

namespace jobs_bridge {
namespace {

/// What the store keeps beside its entries: SQLite's own files.
constexpr std::uint64_t overhead = 4U << 20U;

}  // namespace

std::vector<StoreFile> stores_of(const config::Configuration& configuration) {
  std::vector<StoreFile> files;
  const auto& journal = configuration.journal;
  const auto& notify = configuration.notify;
  if (!journal.path.empty()) {
    files.push_back({.name = "journal",
                     .key = "journal.path",
                     .path = journal.path,
                     .room = journal.max_size,
                     .why_refused = store::JournalFile::why_refused});
  }
  if (notify.enabled && !notify.path.empty()) {
    files.push_back({.name = "notify",
                     .key = "notify.path",
                     .path = notify.path,
                     .room = 0,
                     .why_refused = store::WatchFile::why_refused});
  }
  return files;
}

bool is_in_use(const StoreFile& store) {
  const files::FileDescriptor file(open(store.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file.valid() && flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::string hint_for_refused(const StoreFile& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file.path, ignored)) {
    return file.key + " must name a file, such as " +
           (std::filesystem::path(file.path) / (file.name + ".db")).lexically_normal().string();
  }
  return "remove it, or name another file in " + file.key;
}

Finding check_file(const StoreFile& file, const std::string& check) {
  const auto& [name, key, path, room, why_refused] = file;
  Finding finding{.name = name, .level = Finding::Level::fault, .text = path + ": ", .hint = {}};
  std::error_code fault;
  const auto directory = std::filesystem::absolute(path, fault).parent_path();
  const bool exists = std::filesystem::exists(path, fault);
  if (const auto why = why_refused(path)) {
    finding.text += *why;
    finding.hint = hint_for_refused(file);
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
                    " MiB are free on its disk; it needs " +
                    std::to_string((room + overhead) >> 20U) + " MiB";
    finding.hint = "free space on this disk, " +
                   (room > 0 ? "lower " + name + ".max_size, " : std::string()) + "or set " + key +
                   " to a file on another disk";
    return finding;
  }
  finding.level = Finding::Level::ok;
  finding.text += exists ? "can be written" : "can be created";
  if (geteuid() == 0) {
    finding.text += " by root";
    finding.hint = "to check as the service's user: runuser -u jobs-bridge -- " + check;
  }
  return finding;
}

}  // namespace jobs_bridge
