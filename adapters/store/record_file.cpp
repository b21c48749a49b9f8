#include "adapters/store/record_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "adapters/files/system_text.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::store {
namespace {

using Kind = FileFault::Kind;

/// Whether it begins as a database does. One damaged byte does not make it something else: then the
/// application_id, further on, still tells. Nor do zeros, which a power cut may leave of a new
/// file.
bool may_be_database(const std::string& path, std::string_view application) {
  constexpr std::string_view magic("SQLite format 3\0", 16);
  constexpr std::size_t id_at = 68;
  std::array<char, id_at + 4> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  const std::string_view read(start.data(), static_cast<std::size_t>(file.gcount()));
  if (read.substr(0, magic.size()) == magic.substr(0, read.size())) return true;
  if (read.find_first_not_of('\0') == std::string_view::npos) return true;
  if (read.size() < start.size()) return false;
  std::uint32_t id = 0;
  for (const char byte : read.substr(id_at)) id = id << 8U | static_cast<unsigned char>(byte);
  return std::to_string(id) == application;
}

constexpr int max_quarantined = 9;
/// SQLite finds them by their names: they must keep up with the database's.
constexpr std::array<const char*, 4> companions = {"", "-wal", "-shm", "-journal"};

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::symlink_status(path, ignored).type() !=
         std::filesystem::file_type::not_found;
}

bool is_free(const std::string& name) {
  return std::none_of(companions.begin(), companions.end(),
                      [&](const char* end) { return exists(name + end); });
}

std::string name_for(const std::string& path) {
  std::string name;
  for (int number = 1; number <= max_quarantined; ++number) {
    name = path + ".damaged-" + std::to_string(number);
    if (is_free(name)) break;
  }
  return name;
}

/// The name of a new file outlives a power cut only if its directory does.
void sync_directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  const FileDescriptor opened(
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.valid()) ::fsync(opened.get());
}

/// Makes an empty file one of that format.
std::optional<FileFault> begin(Database& database, const Format& format) {
  std::string sql = "BEGIN IMMEDIATE; ";
  sql.append(format.table).append("; PRAGMA application_id=").append(format.application);
  sql.append("; PRAGMA user_version=").append(std::to_string(format.version)).append("; COMMIT");
  return database.run(sql.c_str());
}

/// Makes a file of the previous version one of that format.
std::optional<FileFault> upgrade(Database& database, const Format& format) {
  std::string sql = "BEGIN IMMEDIATE; ";
  sql.append(format.rename_previous).append("; ").append(format.table).append("; ");
  sql.append(format.copy_previous).append("; PRAGMA user_version=");
  sql.append(std::to_string(format.version)).append("; COMMIT");
  auto fault = database.run(sql.c_str());
  if (fault) {
    database.roll_back();
    return fault;
  }
  // The page size of `to_open` applies only to a file that is rewritten as a whole, which takes
  // another journal mode, space, and no other reader. Without these it remains as it was.
  if (!database.run("PRAGMA journal_mode=DELETE") && !database.run(format.to_open)) {
    static_cast<void>(database.run("VACUUM"));
  }
  return std::nullopt;
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/// Whether the path leads to what the descriptor is of; no value where the system does not tell.
std::optional<bool> leads_to(const std::string& path, int descriptor) {
  struct stat ours {};
  struct stat there {};
  if (::fstat(descriptor, &ours) != 0) return std::nullopt;
  return ::stat(path.c_str(), &there) == 0 && is_same(ours, there);
}

}  // namespace

std::optional<FileFault> ensure_file(const std::string& path, const Format& format) {
  const FileDescriptor made(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (made.valid()) return std::nullopt;
  if (errno != EEXIST) {
    const std::string directory = errno == ENOENT ? " (its directory does not exist)" : "";
    return FileFault{Kind::unusable, "cannot be created: " + files::system_text(errno) + directory};
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return FileFault{Kind::unusable, "cannot be opened: " + files::system_text(errno)};
  }
  if (!S_ISREG(status.st_mode)) return FileFault{Kind::unusable, "is not a regular file"};
  if (access(path.c_str(), R_OK | W_OK) != 0) {
    return FileFault{Kind::unusable, "cannot be written: " + files::system_text(errno)};
  }
  if (!may_be_database(path, format.application)) {
    return FileFault{Kind::unusable,
                     "is not a database, and was left unchanged: remove it, or name another file"};
  }
  return std::nullopt;
}

Result<Identity, FileFault> identify(Database& database, const Format& format) {
  std::string values[3];
  const char* const questions[] = {"PRAGMA application_id", "PRAGMA user_version",
                                   "SELECT group_concat(sql) FROM sqlite_schema"};
  for (std::size_t i = 0; i < std::size(values); ++i) {
    auto value = database.value(questions[i]);
    if (!value) return Failure{value.error()};
    values[i] = std::move(value).value();
  }
  const auto& [id, number, schema] = values;
  if (id == "0" && number == "0" && schema.empty()) return Identity::none;
  const bool is_previous = !format.previous_table.empty() && schema == format.previous_table;
  if (id != format.application && schema != format.table && !is_previous) {
    return Failure{
        FileFault{Kind::unusable, "is a database of another application, and was left unchanged"}};
  }
  if (id != format.application) {
    return Failure{FileFault{Kind::damaged, "has the application id of another application"}};
  }
  const int version = parse_number<int>(number).value_or(0);
  if (version > format.version) {
    return Failure{
        FileFault{Kind::unusable, "was written by a newer version of jobs-bridge (its format is " +
                                      number + "; this version reads formats up to " +
                                      std::to_string(format.version) + ")"}};
  }
  const bool is_current = version == format.version && schema == format.table;
  if (!is_current && !(is_previous && version == format.version - 1)) {
    return Failure{FileFault{Kind::damaged, "lacks this format's tables"}};
  }
  if (database.is_read_only()) {
    return Failure{FileFault{Kind::damaged, "has a header that forbids writing"}};
  }
  return is_current ? Identity::ours : Identity::previous;
}

std::optional<std::string> why_refused(const std::string& path, const Format& format) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  if (S_ISDIR(status.st_mode)) return "is a directory";
  if (!S_ISREG(status.st_mode)) return "is not a regular file";
  if (access(path.c_str(), R_OK) != 0) return std::nullopt;
  if (!may_be_database(path, format.application)) return "is not a database";
  auto database = Database::open_to_look(path);
  if (!database) return std::nullopt;
  const auto identity = identify(*database, format);
  if (identity || identity.error().kind != Kind::unusable) return std::nullopt;
  return identity.error().message;
}

std::string canonical_path(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) return path;
  const auto canonical = std::filesystem::weakly_canonical(absolute, error);
  return error ? path : canonical.string();
}

Result<std::string, std::string> quarantine(const std::string& path) {
  const std::string name = name_for(path);
  for (const char* end : companions) {
    std::error_code error;
    std::filesystem::remove(name + end, error);
    if (!exists(path + end)) continue;
    std::filesystem::rename(path + end, name + end, error);
    if (error) {
      return Failure{"cannot be renamed to " + name + end + ": " + error.message()};
    }
  }
  return name;
}

Result<FileDescriptor, FileFault> lock(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) {
    return Failure{FileFault{Kind::unusable, "cannot be opened: " + files::system_text(errno)}};
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return Failure{FileFault{
        Kind::unusable, errno == EWOULDBLOCK ? "is in use by another process"
                                             : "cannot be locked: " + files::system_text(errno)}};
  }
  return file;
}

Result<RecordFile, FileFault> RecordFile::open(const std::string& path, const Format& format,
                                               const std::string& to_write) {
  if (auto fault = ensure_file(path, format)) return Failure{*std::move(fault)};
  auto locked = lock(path);
  if (!locked) return Failure{locked.error()};
  auto opened = Database::open(path);
  if (!opened) return Failure{opened.error()};
  Database database = std::move(opened).value();
  // Nothing is changed in a file that may not be ours.
  database.checkpoint_when_closed(false);
  if (auto fault = database.run(format.to_open)) return Failure{*std::move(fault)};
  const auto identity = identify(database, format);
  if (!identity) return Failure{identity.error()};
  if (*identity == Identity::previous) {
    if (auto fault = upgrade(database, format)) return Failure{*std::move(fault)};
  }
  // In this journal mode a commit waits for no disk.
  const auto mode = database.value("PRAGMA journal_mode=WAL");
  if (!mode) return Failure{mode.error()};
  if (*mode != "wal") {
    return Failure{
        FileFault{Kind::unusable, "is on a file system that does not support a write-ahead log"}};
  }
  // A power cut during upgrade() may have left the file in another journal mode; then the log is
  // created by the first read.
  auto fault = database.run(
      "PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL; SELECT count(*) FROM sqlite_schema");
  if (!fault && *identity == Identity::none) fault = begin(database, format);
  if (!fault) fault = database.run(to_write.c_str());
  if (fault) return Failure{*std::move(fault)};
  // Its locks are on the other files, so it may be opened once more beside SQLite.
  FileDescriptor log(::open((path + "-wal").c_str(), O_RDWR | O_CLOEXEC));
  if (!log.valid()) {
    return Failure{
        FileFault{Kind::unusable, "has no write-ahead log: " + files::system_text(errno)}};
  }
  sync_directory_of(path);
  database.checkpoint_when_closed(true);
  return RecordFile(path, std::move(locked).value(), std::move(log), std::move(database));
}

bool RecordFile::has_moved() const {
  return leads_to(path_, number()) == false;
}

void RecordFile::leave_behind() {
  leave_as_it_is();
  if (leads_to(path_ + "-wal", number_of_log()) != true) return;
  ::unlink((path_ + "-wal").c_str());
  ::unlink((path_ + "-shm").c_str());
}

}  // namespace jobs_bridge::store
