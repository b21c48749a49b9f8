#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/journal/journal_file.h"
#include "adapters/journal/sqlite_journal.h"
#include "adapters/sqlite/detachable_log.h"

namespace jobs_bridge::journal {

/// What the journal's thread does, and what it shares with the journal.
class SqliteJournal::Keeper {
 public:
  /// `log` must live until the thread has ended, or abandon().
  Keeper(std::string path, OpenedJournal opened, JournalSettings settings, Log& log);

  /// Of the journal. They do not throw.
  std::optional<std::string> record(const JournalEntry& entry);
  void settle(const std::vector<std::uint64_t>& numbers);
  [[nodiscard]] State state() const;
  /// Has the thread finish and end; false if it did not in time.
  bool stop();
  /// Lets go of a thread that does not end: it uses the log no more.
  void abandon();

  /// The thread. Never throws.
  void run();

 private:
  using Lock = std::unique_lock<std::mutex>;

  void serve();
  [[nodiscard]] MonotonicTime next_due() const;
  void remove_settled(Lock& lock);
  void sync(Lock& lock);
  void keep_small(Lock& lock);
  void mend(Lock& lock);
  void rescue(Lock& lock);
  void close(Lock& lock);
  /// The file can be written, or not: says so when it changes.
  void went_well();
  void failed(const FileFault& fault);

  const std::string path_;
  const JournalSettings settings_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  /// Null: it cannot be written. Only the thread changes which file it is, with the mutex held; it
  /// may therefore sync and checkpoint without.
  std::shared_ptr<JournalFile> file_;
  std::vector<JournalEntry> unsaved_;                ///< to be written to the next file
  std::vector<std::uint64_t> settled_;               ///< to be removed
  std::map<std::uint64_t, MonotonicTime> unsynced_;  ///< recorded, by number, and when
  MonotonicTime remove_at_ = MonotonicTime::max();
  MonotonicTime mend_at_ = MonotonicTime::max();
  MonotonicTime look_at_;  ///< whether all is in order
  bool reopen_ = false;    ///< what is open is not to be trusted
  bool wrote_ = false;     ///< since the last checkpoint
  bool stopping_ = false;
  bool ended_ = false;
  State state_;

  sqlite::DetachableLog log_;
};

}  // namespace jobs_bridge::journal
