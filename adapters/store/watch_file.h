#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "adapters/store/record_file.h"
#include "adapters/store/watch_changes.h"
#include "bridge/ports/log.h"
#include "bridge/ports/watch_store.h"
#include "bridge/result.h"

namespace jobs_bridge::store {

/// The database file of watched things, see watched_things.md. Used by one thread at a time, and by
/// this process only while it is open.
class WatchFile {
 public:
  using Row = WatchedThing;

  /// See store::why_refused().
  static std::optional<std::string> why_refused(const std::string& path);

  /// Opens the file. A damaged one is quarantined, with a warning, and replaced by a new one. Also
  /// fails for an existing file that is not in our format.
  static Result<Opened<WatchFile>, FileFault> open_or_recover(const std::string& path, Log& log);

  /// Reads and checks the whole file.
  Content<WatchedThing> read();
  /// Writes these changes in one transaction: all of them or, on a fault, none. Rows that are
  /// already equal are not written. Calls `is_late` before each change.
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
