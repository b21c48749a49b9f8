#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bridge/ports/log.h"
#include "bridge/ports/watch_store.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::store {

template <typename Work>
class DiskThreads;

/// How often the file is written.
struct Pace {
  /// Between two rounds of writing; changes in between are written together. A change after a
  /// longer quiet period is written at once.
  Duration between_rounds = std::chrono::milliseconds(500);
  /// After a failure; doubled with each further one up to `max_retry`.
  Duration first_retry = std::chrono::seconds(1);
  Duration max_retry = std::chrono::minutes(1);
  /// The time that the destructor may take to write pending changes.
  Duration closing = std::chrono::seconds(2);
};

/// Keeps watched things in a file (watched_things.md describes its format), which is used by this
/// process only while the store exists.
///
/// A thread of its own writes. A later change of a thing replaces an earlier one that is not
/// written yet, so pending changes are bounded by the number of things. A kill loses at most what
/// was saved since the last round, a power cut what the system had not flushed to the disk; neither
/// damages the file. While the file cannot be written, changes wait and are tried again; every
/// failure is logged.
class SqliteWatchStore final : public WatchStore {
 public:
  /// Opens the file at `path` or creates a new one, with mode 0600, and reads all of it. A damaged
  /// one is renamed, with a warning, to `<path>.damaged-<n>`, and its intact rows are taken over.
  /// The error tells what is wrong with `path`: in use by another process, of a newer version or
  /// another application, in a directory that does not exist or is not writable. `log` must outlive
  /// the store.
  static Result<std::unique_ptr<SqliteWatchStore>, std::string> open(const std::string& path,
                                                                     Log& log, Pace pace = {});
  SqliteWatchStore(const SqliteWatchStore&) = delete;
  SqliteWatchStore& operator=(const SqliteWatchStore&) = delete;
  /// Writes pending changes and closes the file; gives up, with a warning, after Pace::closing.
  ~SqliteWatchStore() override;

  /// What was in the file when it was opened, each thing once; the second call returns nothing.
  std::vector<WatchedThing> take_loaded();

  /// Any thread may call it. A thing in both lists is forgotten.
  void save(std::vector<WatchedThing> changed, std::vector<std::string> forgotten) override;

 private:
  class Writer;
  SqliteWatchStore(std::shared_ptr<Writer> writer, std::vector<WatchedThing> loaded);

  std::vector<WatchedThing> loaded_;
  std::unique_ptr<DiskThreads<Writer>> threads_;
};

}  // namespace jobs_bridge::store
