#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "adapters/store/record_file.h"
#include "adapters/store/write_ahead_log.h"
#include "bridge/ports.h"
#include "bridge/result.h"

namespace jobs_bridge::store {

/// The journal's database file, see journal.md; this process's alone while it is open. Three groups
/// of functions may be used by three threads at the same time, each by one at a time:
/// read() and write(); sync(), has_moved() and log_size(); checkpoint(). The first group waits for
/// no disk that is in order, but any of them may hang with a disk that hangs.
class JournalFile {
 public:
  using Row = JournalEntry;

  /// Opens the file, or a new one with all entries that are whole after it has set a damaged one
  /// aside, which it logs. A full disk is no fault. `max_size`: bytes that the database may take,
  /// its log of writes apart.
  static Result<Opened<JournalFile>, FileFault> open_or_recover(const std::string& path,
                                                                std::size_t max_size, Log& log);
  /// The error also for a file that is there but is not one of ours, or is damaged.
  static Result<std::unique_ptr<JournalFile>, FileFault> open(const std::string& path,
                                                              std::size_t max_size);

  /// Reads and checks all of the file.
  Content<JournalEntry> read();
  /// Removes entries and then adds one, if there is one to add: all of it, or with a fault nothing.
  std::optional<FileFault> write(const JournalEntry* added, std::span<const std::uint64_t> removed);
  [[nodiscard]] bool has_moved() const { return file_.has_moved(); }

  /// Brings to the disk all that has been written. Why not, if it fails: then nothing that was
  /// written since the last time is known to be there, whatever a later one says.
  std::optional<std::string> sync();
  /// Writes the log anew, as it was read, and brings it to the disk.
  std::optional<std::string> rewrite_log();

  /// Brings the log of writes into the database and both to the disk. True if all of it was, so
  /// that the log begins anew.
  Result<bool, FileFault> checkpoint() { return checkpoint("PASSIVE"); }
  /// The same, and gives back the log's space: record() and remove() must not be in use.
  Result<bool, FileFault> truncate_log() { return checkpoint("TRUNCATE"); }
  [[nodiscard]] std::size_t log_size() const;
  /// How much of that is in use, as of the last write().
  [[nodiscard]] std::size_t log_used() const;
  /// Reserves space for an update of that size, if there is some. Not beside write().
  /// `log_begins_anew`: checkpoint() has said so, and nothing was written since.
  bool make_room(std::size_t bytes, bool log_begins_anew);

  /// From now on closing does nothing but close.
  void leave_as_it_is();
  /// The same for a file that has moved; its log of writes goes.
  void leave_behind();

  ~JournalFile();
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

 private:
  struct Statements {
    Statement begin;
    Statement put;
    Statement take;
    Statement commit;
  };
  JournalFile(RecordFile file, Database checkpoints, Statements statements)
      : file_(std::move(file)),
        checkpoints_(std::move(checkpoints)),
        statements_(std::move(statements)) {}

  static Result<Statements, FileFault> prepare(Database& writes);
  void bind(const JournalEntry& entry);
  std::optional<FileFault> reserve(std::size_t bytes);
  Result<bool, FileFault> checkpoint(const std::string& mode);

  RecordFile file_;       ///< commits without waiting for the disk
  Database checkpoints_;  ///< waits for it, and never writes a row
  Statements statements_;
  std::size_t pages_ = 0;                 ///< of the database, at most
  std::atomic<std::size_t> reserved_{0};  ///< bytes of its file, at least
};

/// Bytes of an update, without what the file adds to them.
std::size_t size_of(const JournalEntry& entry);

}  // namespace jobs_bridge::store
