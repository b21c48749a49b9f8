#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store/disk_threads.h"
#include "adapters/store/journal_file.h"
#include "adapters/store/sqlite_journal.h"

namespace jobs_bridge::store {

/// What the journal's two threads do, and what they share with the journal.
///
/// A write that hangs cannot be interrupted, so the file is touched by threads alone for which
/// nobody waits without a bound: the writer inserts, removes and mends; the syncer waits for the
/// disk and keeps the log of writes small. The mutex is never held while the file is touched.
class SqliteJournal::Work {
 public:
  /// `log` must live until both threads have ended, or abandon().
  Work(std::string path, Opened<JournalFile> opened, JournalSettings settings, Log& log);

  /// Of the journal. They do not throw.
  std::optional<std::string> record(const JournalEntry& entry);
  void settle(const std::vector<std::uint64_t>& numbers);
  [[nodiscard]] State state() const;
  /// Has the threads finish and end; false if they did not in time.
  bool stop();
  /// Lets go of threads that do not end: they use the log no more.
  void abandon();

  /// The threads. They never throw.
  void run_writer();
  void run_syncer();

 private:
  using Lock = std::unique_lock<std::mutex>;

  bool hand_over(Lock& lock);
  void finish_request(Lock& lock);
  [[nodiscard]] bool is_behind() const;
  [[nodiscard]] std::optional<MonotonicTime> stalled_since() const;
  [[nodiscard]] FileFault lateness() const;

  void write(Lock& lock);
  [[nodiscard]] MonotonicTime write_due() const;
  bool write_something(Lock& lock);
  void write_entry(Lock& lock);
  void remove_settled(Lock& lock);
  [[nodiscard]] std::vector<std::uint64_t> first_settled() const;
  void have_removed(std::size_t count);
  void mend(Lock& lock);
  [[nodiscard]] bool log_is_full() const { return log_used_ >= log_max_; }
  [[nodiscard]] std::vector<JournalEntry> forgotten(const std::vector<JournalEntry>& kept) const;
  void rescue(Lock& lock);
  void close(Lock& lock);
  template <typename Touch>
  auto without(Lock& lock, Touch touch);
  void wait_for_syncer(Lock& lock);

  void sync(Lock& lock);
  void sync_file(Lock& lock);
  void cannot_sync(const std::string& cause);
  void keep_small(Lock& lock);
  template <typename Touch>
  bool checkpoint(Lock& lock, Touch touch);
  void begin_log_anew(Lock& lock, bool give_back);
  template <typename Touch>
  auto beside(Lock& lock, Touch touch);
  [[nodiscard]] MonotonicTime sync_due() const;
  void wake_syncer();

  /// The file can be written, or not: says so when it changes.
  void went_well();
  void failed(const FileFault& fault);
  void gave_up(const std::exception& error);
  void stall();
  void recover_from_lateness();

  const std::string path_;
  const JournalSettings settings_;
  const std::size_t log_max_;

  mutable std::mutex mutex_;
  std::condition_variable work_;     ///< for the writer
  std::condition_variable done_;     ///< for whoever waits for the writer
  std::condition_variable to_sync_;  ///< for the syncer
  std::condition_variable ended_;

  bool requested_ = false;            ///< somebody waits for `entry_` to be recorded
  JournalEntry entry_;                ///< the writer's while `begun_`
  std::optional<FileFault> outcome_;  ///< of recording it
  bool begun_ = false;
  bool given_up_ = false;  ///< nobody waits for `entry_` any more: it was refused
  /// The writer has kept somebody waiting for too long, and since when.
  std::optional<MonotonicTime> stalled_;

  /// Null: it cannot be written. Only the writer changes which file it is; the syncer holds it
  /// while `syncing_`, and the writer does not open it again meanwhile.
  std::shared_ptr<JournalFile> file_;
  std::vector<JournalEntry> unsaved_;   ///< to be written to the next file
  std::vector<std::uint64_t> settled_;  ///< to be removed, in this order
  struct Unsynced {
    MonotonicTime since;
    JournalEntry entry;
  };
  /// Recorded and not known to be on the disk, by number. What they hold: a disk that could not
  /// keep them may have forgotten it.
  std::map<std::uint64_t, Unsynced> unsynced_;
  std::optional<MonotonicTime> writing_since_;  ///< the writer touches the file
  MonotonicTime remove_at_ = MonotonicTime::max();
  MonotonicTime mend_at_ = MonotonicTime::max();
  MonotonicTime look_at_;  ///< whether all is in order
  MonotonicTime writer_sleeps_until_;
  MonotonicTime syncer_sleeps_until_;
  bool moved_ = false;              ///< the path no longer leads to the file
  std::size_t log_used_ = 0;        ///< bytes
  std::size_t needed_ = 0;          ///< while the disk is full: bytes of the last update refused
  bool full_ = false;               ///< the journal fails for want of space
  bool log_is_stuck_ = false;       ///< it is as large as it may be and cannot begin anew
  bool unsynced_for_good_ = false;  ///< the disk failed to keep something; see mend()
  bool reopen_ = false;             ///< what is open is not to be trusted
  bool wrote_ = false;              ///< since the last checkpoint
  bool held_ = false;               ///< the writer must not, for a checkpoint
  bool syncing_ = false;            ///< the syncer touches the file
  bool late_ = false;               ///< the journal fails because its disk takes too long
  bool stopping_ = false;
  int running_ = 2;   ///< threads
  pid_t writer_ = 0;  ///< the kernel's name of that thread
  State state_;

  DetachableLog log_;
};

}  // namespace jobs_bridge::store
