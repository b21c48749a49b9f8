#include "adapters/store/record_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace jobs_bridge::store {
namespace {

using Kind = FileFault::Kind;

std::string text_of(int error) {
  return std::generic_category().message(error);
}

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

}  // namespace

std::optional<FileFault> ensure_file(const std::string& path, const Format& format) {
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (made >= 0) {
    ::close(made);
    return std::nullopt;
  }
  if (errno != EEXIST) {
    const std::string directory = errno == ENOENT ? " (its directory does not exist)" : "";
    return FileFault{Kind::unusable, "cannot be made: " + text_of(errno) + directory};
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return FileFault{Kind::unusable, "cannot be opened: " + text_of(errno)};
  }
  if (!S_ISREG(status.st_mode)) return FileFault{Kind::unusable, "is not a regular file"};
  if (access(path.c_str(), R_OK | W_OK) != 0) {
    return FileFault{Kind::unusable, "cannot be written: " + text_of(errno)};
  }
  if (!may_be_database(path, format.application)) {
    return FileFault{Kind::unusable,
                     "is not a database: it is left as it is. Remove it, or name another file"};
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
  if (id != format.application && schema != format.table) {
    return Failure{
        FileFault{Kind::unusable, "is a database of another application, which is left as it is"}};
  }
  if (id != format.application) {
    return Failure{FileFault{Kind::damaged, "has the mark of another application"}};
  }
  int version = 0;
  std::from_chars(number.data(), number.data() + number.size(), version);
  if (version > format.version) {
    return Failure{FileFault{
        Kind::unusable, "was written by a newer version of jobs-bridge (its format is " + number +
                            ", this one knows up to " + std::to_string(format.version) + ")"}};
  }
  if (version != format.version || schema != format.table) {
    return Failure{FileFault{Kind::damaged, "has not the tables of this format"}};
  }
  if (database.is_read_only()) {
    return Failure{FileFault{Kind::damaged, "has a header that forbids to write"}};
  }
  return Identity::ours;
}

std::optional<FileFault> begin(Database& database, const Format& format) {
  std::string sql = "BEGIN IMMEDIATE; ";
  sql.append(format.table).append("; PRAGMA application_id=").append(format.application);
  sql.append("; PRAGMA user_version=").append(std::to_string(format.version)).append("; COMMIT");
  return database.run(sql.c_str());
}

}  // namespace jobs_bridge::store
