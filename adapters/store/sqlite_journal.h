#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ports/journal.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::store {

template <typename Work>
class DiskThreads;

struct JournalSettings {
  /// Bytes that the database may take, without its write-ahead log.
  std::size_t max_size = std::size_t{64} << 20;
  /// How long record() waits for a write, and with it everything that waits for the caller. A
  /// healthy file system that is busy with other programs' syncs has been seen to take more than a
  /// quarter of a second: a shorter wait would refuse updates that could have been kept.
  Duration write_timeout = std::chrono::seconds(1);
  /// From record() until an entry that has not been settled by then is synced to the disk. The time
  /// of the sync itself comes on top.
  Duration sync_after = std::chrono::milliseconds(40);
  /// If an entry is neither settled nor known to be on the disk after this time, no further ones
  /// are accepted, since record() could not keep its promise about a power cut.
  Duration sync_timeout = std::chrono::seconds(2);
  /// From settle() until an entry is removed, unless an earlier record() removes it in the same
  /// write, which spares the disk a write of its own.
  Duration remove_after = std::chrono::milliseconds(100);
  /// From a failure to the next try.
  Duration retry_after = std::chrono::seconds(1);
  /// The time that the destructor may take.
  Duration closing = std::chrono::milliseconds(500);
};

/// A journal in a file (journal.md describes its format), which is used by this process only while
/// the journal exists.
///
/// record() has a thread write to the operating system at once, so that a kill loses nothing;
/// settle() does not wait, and its removals are written together with the next entry, or
/// JournalSettings::remove_after later. Another thread syncs everything to the disk and keeps the
/// file small. While the file cannot be written (its disk is full, it was removed), record()
/// returns that as an error and the first thread tries to recover; every change between the two
/// states is logged.
///
/// A disk that hangs affects only updates, and who calls record(). A write that takes longer than
/// JournalSettings::write_timeout is no longer waited for: the update is refused, and so is every
/// further one, immediately, until the hanging writes complete. An update that was refused
/// meanwhile but was written nevertheless is removed before anything else; a kill before that
/// leaves it in the file, and the next start carries out an update whose device was told that it
/// was rejected. Entries settled meanwhile are removed after that, in order.
class SqliteJournal final : public Journal {
 public:
  /// Opens the file at `path` or creates a new one, with mode 0600, and reads all of it. A damaged
  /// one is renamed to `<path>.damaged-<n>`, which is logged, and its intact entries are taken
  /// over. The error tells what is wrong with `path`: in use by another process, of a newer version
  /// or another application, in a directory that does not exist or is not writable. A full disk is
  /// not an error. A disk that hangs is logged. `log` must outlive the journal.
  static Result<std::unique_ptr<SqliteJournal>, std::string> open(const std::string& path, Log& log,
                                                                  JournalSettings settings = {});
  SqliteJournal(const SqliteJournal&) = delete;
  SqliteJournal& operator=(const SqliteJournal&) = delete;
  /// Removes settled entries, syncs the rest to the disk and closes the file; gives up, with a
  /// warning, after JournalSettings::closing.
  ~SqliteJournal() override;

  /// What was in the file when it was opened, by number; the second call returns nothing.
  std::vector<JournalEntry> take_loaded();

  std::optional<std::string> record(const JournalEntry& entry) override;
  void settle(const std::vector<std::uint64_t>& numbers) override;

  struct State {
    bool failing = false;
    std::string cause;  ///< while failing; completes the name of the file
    std::string hint;   ///< of the last failure: what the operator can do about it
    /// Failing for want of space: what is small enough is still recorded.
    bool takes_what_fits = false;
    /// For how long the disk has not completed an operation, if that is the cause.
    std::optional<Duration> disk_stalled;
    std::uint64_t syncs = 0;         ///< syncs to the disk, total
    std::uint64_t not_recorded = 0;  ///< entries that could not be recorded, total
    struct NotRecorded {
      MonotonicTime at{};
      std::string cause;
    };
    std::optional<NotRecorded> last_not_recorded;  ///< of those
    /// The longest time for which an entry was not known to be on the disk.
    Duration longest_unsynced{};
  };
  /// Any thread may call it. Does not wait for the disk.
  [[nodiscard]] State state() const;

 private:
  class Work;
  SqliteJournal(std::shared_ptr<Work> work, std::vector<JournalEntry> loaded);

  std::vector<JournalEntry> loaded_;
  std::unique_ptr<DiskThreads<Work>> threads_;
};

}  // namespace jobs_bridge::store
