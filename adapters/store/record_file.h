#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/files/file_descriptor.h"
#include "adapters/store/database.h"
#include "bridge/result.h"

namespace jobs_bridge::store {

using files::FileDescriptor;

/// How a file is identified as ours, and its version (journal.md and watched_things.md have the
/// values), and the pragmas with which it is opened.
struct Format {
  std::string_view application;  ///< application_id, in digits
  int version;                   ///< user_version
  std::string_view table;        ///< the only object in the schema, as SQLite stores it
  const char* to_open;           ///< pragmas to run before anything is read
  /// Of the version before; empty: there was none. It is converted by the statements of
  /// `rename_previous`, the creation of `table`, and the statements of `copy_previous`.
  std::string_view previous_table = {};
  std::string_view rename_previous = {};
  std::string_view copy_previous = {};
};

/// Creates an empty file if there is none, with mode 0600, which SQLite would leave to the umask.
/// The fault tells why there is no file that can be read and written, also if it is not a database.
std::optional<FileFault> ensure_file(const std::string& path, const Format& format);

enum class Identity { none, ours, previous };
/// Whether the file is empty, of that format or of its previous version; the fault is `damaged`, or
/// `unusable` if a newer version or another application wrote it.
Result<Identity, FileFault> identify(Database& database, const Format& format);

/// Why a file at the path cannot become or stay one of that format, whoever opens it: it is not a
/// regular file, or not ours; completes the path. Nothing if there is none, if it is damaged, or if
/// this user may not read it. Changes nothing.
std::optional<std::string> why_refused(const std::string& path, const Format& format);

/// The resolved absolute path, valid also after a change of the working directory or of a link.
std::string canonical_path(const std::string& path);

/// Renames a database that is not open, with the files that SQLite keeps beside it, to the first
/// free one of `<path>.damaged-1` to `-9`, or else replaces the last of them, so that a disk that
/// fails repeatedly does not fill up. Returns the new name, or why it failed.
Result<std::string, std::string> quarantine(const std::string& path);

/// Locks out other processes as long as the descriptor is open. SQLite's own locks are not used,
/// since two connections of ours must work side by side.
Result<FileDescriptor, FileFault> lock(const std::string& path);

/// A database file of one format, with its write-ahead log (`-wal`): used by this process only
/// while it is open.
class RecordFile {
 public:
  /// Creates a new one if there is none, and converts one of the previous version; also fails for
  /// an existing file that is in neither. `to_write`: pragmas.
  static Result<RecordFile, FileFault> open(const std::string& path, const Format& format,
                                            const std::string& to_write);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Database& database() { return database_; }
  [[nodiscard]] const Database& database() const { return database_; }
  /// Descriptors.
  [[nodiscard]] int number() const { return lock_.get(); }
  [[nodiscard]] int number_of_log() const { return log_.get(); }

  /// Whether the path no longer refers to this file because it was removed or replaced. Later
  /// writes are lost once the last process closes it.
  [[nodiscard]] bool has_moved() const;
  /// From now on closing writes nothing.
  void leave_as_it_is() { database_.checkpoint_when_closed(false); }
  /// The same for a file that has moved; its write-ahead log is removed, since SQLite would take it
  /// for the log of the new file.
  void leave_behind();

 private:
  RecordFile(std::string path, FileDescriptor lock, FileDescriptor log, Database database)
      : path_(std::move(path)),
        lock_(std::move(lock)),
        log_(std::move(log)),
        database_(std::move(database)) {}

  std::string path_;
  FileDescriptor lock_;  ///< before the database, so that it is released last
  FileDescriptor log_;
  Database database_;
};

/// The contents of a file.
template <typename Row>
struct Content {
  std::vector<Row> rows;  ///< intact rows, ordered by key, without duplicates
  std::size_t damaged_rows = 0;
  std::optional<std::string> damage;  ///< the first damage found

  void note(const std::string& what) {
    if (!damage) damage = what;
  }
};

template <typename Table>
void read_rows(Database& database, const std::string& sql, Content<typename Table::Row>& content) {
  auto prepared = database.prepare(sql.c_str());
  if (!prepared) return content.note(prepared.error().message);
  Statement& rows = prepared.value();
  while (true) {
    const auto there = rows.step();
    if (!there) return content.note(there.error().message);
    if (!*there) return;
    auto row = Table::read(rows);
    if (row) {
      content.rows.push_back(*std::move(row));
    } else {
      ++content.damaged_rows;
      content.note("a row differs from what was written");
    }
  }
}

/// Reads and checks a whole file. `Table` describes it: its `Row`; `rows`, which selects them in
/// the order of their key; read(), which returns none for a row whose checksum does not fit;
/// key_of(); and which of two rows that have the same key, as only a damaged file has,
/// is_younger().
template <typename Table>
Content<typename Table::Row> read_all(Database& database) {
  Content<typename Table::Row> content;
  // It checks the structure of the pages, not their contents.
  const auto check = database.value("PRAGMA quick_check(1)");
  if (!check || *check != "ok") content.note(check ? *check : check.error().message);
  read_rows<Table>(database, Table::rows, content);
  // A duplicated or misplaced page has rows that are intact by themselves.
  if (std::ranges::adjacent_find(content.rows, std::ranges::greater_equal(), Table::key_of) !=
      content.rows.end()) {
    content.note("rows are out of order");
  }
  if (!content.damage) return content;
  // An unreadable page ends a scan: scanning from both ends loses only the rows on the unreadable
  // pages and between them.
  const auto damaged_rows = content.damaged_rows;
  read_rows<Table>(database, std::string(Table::rows) + " DESC", content);
  content.damaged_rows = std::max(damaged_rows, content.damaged_rows - damaged_rows);
  std::map<std::decay_t<decltype(Table::key_of(content.rows.front()))>, typename Table::Row> saved;
  for (auto& row : content.rows) {
    const auto [at, is_new] = saved.try_emplace(Table::key_of(row), row);
    if (!is_new && Table::is_younger(row, at->second)) at->second = std::move(row);
  }
  content.rows.clear();
  for (auto& [key, row] : saved) content.rows.push_back(std::move(row));
  return content;
}

/// An opened file, and its contents.
template <typename File>
struct Opened {
  std::unique_ptr<File> file;  ///< null if the disk has no space to write it
  Content<typename File::Row> content;
  /// Whether the file contains the rows. If not, it is a new file that replaces the damaged one
  /// from which they were read.
  bool saved = true;
};

/// Opens a file and reads all of it. A damaged one is quarantined and a new one created; `report`
/// is called with the new name of the damaged one and its contents. `find` opens the file at the
/// path or creates one; if it returns no file, it has read the content itself.
template <typename File, typename Find, typename Report>
Result<Opened<File>, FileFault> open_or_recover(const std::string& path, Find find, Report report) {
  Content<typename File::Row> content;
  {
    Result<Opened<File>, FileFault> opened = find();
    if (opened) {
      if (opened->file) opened->content = opened->file->read();
      if (!opened->content.damage) return opened;
      if (opened->file) opened->file->leave_as_it_is();
      content = std::move(opened->content);
    } else if (opened.error().kind == FileFault::Kind::damaged) {
      content.damage = opened.error().message;
    } else {
      return opened;
    }
  }
  const auto name = quarantine(path);
  if (!name) {
    return Failure{FileFault{FileFault::Kind::unusable,
                             "is damaged (" + *content.damage + ") and " + name.error()}};
  }
  report(*name, content);
  auto opened = find();
  if (!opened) return opened;
  opened->content = std::move(content);
  opened->saved = false;
  return opened;
}

}  // namespace jobs_bridge::store
