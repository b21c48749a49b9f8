#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store/database.h"
#include "adapters/store/watch_changes.h"
#include "bridge/ports.h"
#include "bridge/result.h"

namespace jobs_bridge::store {


/// The database file of watched things, see watched_things.md. Used by one thread at a time, and this
/// process's alone while it is open.
class WatchFile {
 public:
  /// The error also for a file that is there but is not one of ours.
  static Result<std::unique_ptr<WatchFile>, FileFault> open(const std::string& path);

  struct Content {
    std::vector<WatchedThing> things;  ///< whose rows are as they were written, each once
    std::optional<std::string> damage;
  };
  /// Reads and checks all of the file.
  Content read();

  /// Writes these changes in one transaction: all of them or, with a fault, none. Rows that are the
  /// same already are not written. Asks `is_late` before each of them.
  std::optional<FileFault> write(const Changes::Map& changes, const std::function<bool()>& is_late);

  /// Whether the path no longer leads to this file: somebody removed or replaced it. What is
  /// written then is lost with the last one that has it open.
  [[nodiscard]] bool has_moved() const { return database_.has_moved(); }

  /// From now on closing does nothing but close.
  void leave_as_it_is() { database_.checkpoint_when_closed(false); }

  /// The same for a file that has moved; its log of writes, which SQLite would take for that of the
  /// file that is there now, is removed.
  void leave_behind();

 private:
  WatchFile(const std::string& path, Database database, Statement put, Statement remove);
  void read_rows(const char* sql, Content& content);
  std::optional<FileFault> write_rows(const Changes::Map& changes,
                                      const std::function<bool()>& is_late);

  std::string log_path_;
  std::optional<std::uint64_t> log_number_;  ///< of the file system, to know our log by
  Database database_;
  Statement put_;
  Statement remove_;
};

/// A file that is ready, and what was in it.
struct OpenedFile {
  std::unique_ptr<WatchFile> file;
  std::vector<WatchedThing> things;
  /// The file is a new one, in place of a damaged one that `things` were saved from.
  bool is_replacement = false;
};

/// Opens the file, or a new one after it has set a damaged one aside, with a warning.
Result<OpenedFile, FileFault> open_whole(const std::string& path, Log& log);

}  // namespace jobs_bridge::store
