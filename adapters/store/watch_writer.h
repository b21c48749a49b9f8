#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/store/detachable_log.h"
#include "adapters/store/watch_changes.h"
#include "adapters/store/sqlite_watch_store.h"
#include "adapters/store/watch_file.h"

namespace jobs_bridge::store {

/// What the writing thread does, and what it shares with the store.
class SqliteWatchStore::Writer {
 public:
  /// `log` must live until the thread has ended, or abandon().
  Writer(std::string path, std::unique_ptr<WatchFile> file, Pace pace, Log& log);

  /// Of the store. Does not throw.
  void add(std::vector<WatchedThing> changed, std::vector<std::string> forgotten);
  void add_older(std::vector<WatchedThing> things);
  /// Has the thread write what is left and end; false if it did not in time.
  bool stop();
  /// Lets go of a thread that does not end: it uses the log no more.
  void abandon();

  /// The thread. Never throws.
  void run();

 private:
  using Lock = std::unique_lock<std::mutex>;

  void serve();
  /// Writes everything that waits; the fault with which it did not. What was not written waits
  /// again.
  std::optional<FileFault> write_all();
  std::optional<FileFault> make_ready();
  void rescue();
  void wait_for_more(Lock& lock, std::optional<MonotonicTime> not_before);
  [[nodiscard]] bool is_late();
  void report(Severity severity, std::string_view event, std::string_view cause,
              std::size_t things);

  const std::string path_;
  const Pace pace_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Changes waiting_;
  bool stopping_ = false;
  bool ended_ = false;
  MonotonicTime deadline_;  ///< when stopping

  std::unique_ptr<WatchFile> file_;  ///< of the thread; null: to be opened again

  DetachableLog log_;
};

}  // namespace jobs_bridge::store
