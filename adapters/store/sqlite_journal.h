#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ports.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::store {

template <typename Work>
class DiskThreads;

struct JournalSettings {
  /// Bytes that the database may take, its log of writes apart.
  std::size_t max_size = std::size_t{64} << 20;
  /// How long record() waits for a write, and with it all that waits for the caller. A file system
  /// in good order, but busy with other programs' syncs, has been seen to take more than a quarter
  /// of a second: a shorter wait refuses updates that would have been kept.
  Duration write_patience = std::chrono::seconds(1);
  /// From record() until the disk is told to keep an entry that has not been settled by then. The
  /// disk's own time comes on top of it.
  Duration sync_after = std::chrono::milliseconds(40);
  /// An entry that is neither settled nor known to be on the disk after so long: no further ones
  /// are taken, since what record() promises of a power cut cannot be kept.
  Duration sync_patience = std::chrono::seconds(2);
  /// From settle() until an entry is removed, unless record() takes that along before.
  Duration remove_after = std::chrono::milliseconds(5);
  /// After a failure, before the next try.
  Duration retry_after = std::chrono::seconds(1);
  /// What the destructor may take.
  Duration closing = std::chrono::milliseconds(500);
};

/// A journal in a file (journal.md says what is in it), which is this process's alone while the
/// journal lives.
///
/// record() has a thread write to the operating system at once, so that a kill loses nothing;
/// settle() waits for nothing, and what it was told is written together with the next entry, or
/// JournalSettings::remove_after later. Another thread has it all brought to the disk and keeps the
/// file small. While the file cannot be written (its disk is full, it was removed), record() says
/// so and the first thread tries to mend it; every change between the two is logged.
///
/// A disk that hangs costs updates alone. A write that takes longer than
/// JournalSettings::write_patience is no longer waited for: the update is refused, and so is every
/// further one, at once, until the writes that hang are through. What was refused meanwhile and is
/// written nevertheless is removed before anything else; a kill before that leaves it in the file,
/// and the next start carries out an update of which its device was told that it was rejected.
/// What was settled meanwhile is removed after that, in order.
class SqliteJournal final : public Journal {
 public:
  /// Opens the file at `path` or begins a new one, with mode 0600, and reads all of it. A damaged
  /// one is set aside as `<path>.damaged-<n>`, which is logged, and what is whole in it taken over.
  /// The error says what is wrong with `path`: in use by another process, of a newer version or
  /// another application, in a directory that does not exist or may not be written. A full disk is
  /// none. That a disk hangs is logged. `log` must outlive the journal.
  static Result<std::unique_ptr<SqliteJournal>, std::string> open(const std::string& path, Log& log,
                                                                  JournalSettings settings = {});
  SqliteJournal(const SqliteJournal&) = delete;
  SqliteJournal& operator=(const SqliteJournal&) = delete;
  /// Removes what is settled, brings the rest to the disk and closes the file; gives up, with a
  /// warning, after JournalSettings::closing.
  ~SqliteJournal() override;

  /// What was in the file when it was opened, by number; the second call returns nothing.
  std::vector<JournalEntry> take_loaded();

  std::optional<std::string> record(const JournalEntry& entry) override;
  void settle(const std::vector<std::uint64_t>& numbers) override;

  struct State {
    bool failing = false;
    std::string cause;  ///< while failing
    /// For how long the disk has not completed what it was told to, if that is why.
    std::optional<Duration> disk_stalled;
    std::uint64_t syncs = 0;    ///< how often the disk was waited for, ever
    std::uint64_t refused = 0;  ///< entries that could not be recorded, ever
    /// The longest that an entry was not known to be on the disk.
    Duration longest_unsynced{};
  };
  /// Any thread may call it. Waits for no disk.
  [[nodiscard]] State state() const;

 private:
  class Work;
  SqliteJournal(std::shared_ptr<Work> work, std::vector<JournalEntry> loaded);

  std::vector<JournalEntry> loaded_;
  std::unique_ptr<DiskThreads<Work>> threads_;
};

}  // namespace jobs_bridge::store
