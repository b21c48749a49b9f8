#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "adapters/store/record_file.h"
#include "adapters/store/watch_changes.h"
#include "bridge/ports.h"
#include "bridge/result.h"

namespace jobs_bridge::store {

/// The database file of watched things, see watched_things.md. Used by one thread at a time, and
/// this process's alone while it is open.
class WatchFile {
 public:
  using Row = WatchedThing;

  /// Opens the file, or a new one after it has set a damaged one aside, with a warning. The error
  /// also for a file that is there but is not one of ours.
  static Result<Opened<WatchFile>, FileFault> open_or_recover(const std::string& path, Log& log);

  /// Reads and checks all of the file.
  Content<WatchedThing> read();
  /// Writes these changes in one transaction: all of them or, with a fault, none. Rows that are the
  /// same already are not written. Asks `is_late` before each of them.
  std::optional<FileFault> write(const Changes::Map& changes, const std::function<bool()>& is_late);

  /// See RecordFile.
  [[nodiscard]] bool has_moved() const { return file_.has_moved(); }
  void leave_as_it_is() { file_.leave_as_it_is(); }
  void leave_behind() { file_.leave_behind(); }

 private:
  WatchFile(RecordFile file, Statement put, Statement remove)
      : file_(std::move(file)), put_(std::move(put)), remove_(std::move(remove)) {}
  static Result<Opened<WatchFile>, FileFault> open(const std::string& path);
  std::optional<FileFault> write_rows(const Changes::Map& changes,
                                      const std::function<bool()>& is_late);

  RecordFile file_;
  Statement put_;
  Statement remove_;
};

}  // namespace jobs_bridge::store
