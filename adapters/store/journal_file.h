#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adapters/store/database.h"
#include "adapters/store/write_ahead_log.h"
#include "bridge/ports.h"
#include "bridge/result.h"

namespace jobs_bridge::store {


/// A descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

/// What a file holds.
struct JournalContent {
  std::vector<JournalEntry> entries;  ///< whose rows are as they were written, by number
  std::size_t damaged_rows = 0;
  std::optional<std::string> damage;
};

/// The journal's database file, see journal.md; this process's alone while it is open. Three groups
/// of functions may be used by three threads at the same time, each by one at a time:
/// read() and write(); sync(), has_moved() and log_size(); checkpoint(). The first group waits for
/// no disk that is in order, but any of them may hang with a disk that hangs.
class JournalFile {
 public:
  /// `max_size`: bytes that the database may take, its log of writes apart. The error also for a
  /// file that is there but is not one of ours.
  static Result<std::unique_ptr<JournalFile>, FileFault> open(const std::string& path,
                                                              std::size_t max_size);
  /// What is in a file that cannot be opened for writing, for want of space on its disk.
  static Result<JournalContent, FileFault> read_unwritable(const std::string& path);
  /// Mends a damaged log of writes as far as it can be; nothing if it is in order.
  static Result<std::optional<LogDamage>, FileFault> mend_log(const std::string& path);
  /// Brings the log of writes into the database and gives back its space, for which no space is
  /// needed: for a file that cannot be opened because its disk is full.
  static std::optional<FileFault> empty_log(const std::string& path);

  /// Reads and checks all of the file.
  JournalContent read();
  /// Removes entries and then adds one, if there is one to add: all of it, or with a fault nothing.
  std::optional<FileFault> write(const JournalEntry* added, std::span<const std::uint64_t> removed);
  /// Whether the path no longer leads to this file: somebody removed or replaced it.
  [[nodiscard]] bool has_moved() const;

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
  /// The same for a file that has moved; its log of writes, which SQLite would take for that of the
  /// file that is there now, is removed.
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
  JournalFile(std::string path, Descriptor lock, Descriptor log, Database writes,
              Database checkpoints, Statements statements);

  static Result<Statements, FileFault> prepare(Database& writes);
  std::optional<FileFault> carry_out(Statement& statement);
  void bind(const JournalEntry& entry);
  std::optional<FileFault> reserve(std::size_t bytes);

  Result<bool, FileFault> checkpoint(const std::string& mode);

  std::string path_;
  Descriptor lock_;  ///< first, so that it is let go last
  Descriptor log_;
  Database writes_;       ///< commits without waiting for the disk
  Database checkpoints_;  ///< waits for it, and never writes a row
  Statements statements_;
  std::size_t pages_ = 0;                 ///< of the database, at most
  std::atomic<std::size_t> reserved_{0};  ///< bytes of its file, at least
};

/// A file that is ready, and what was in it.
struct OpenedJournal {
  std::unique_ptr<JournalFile> file;  ///< null: its disk has no space to write it
  std::vector<JournalEntry> entries;
  bool saved = true;  ///< whether the file holds them; they come from a damaged one if not
};

/// Opens the file, or a new one with all entries that are whole after it has set a damaged one
/// aside, which it logs. A full disk is no fault.
Result<OpenedJournal, FileFault> open_whole(const std::string& path, std::size_t max_size,
                                            Log& log);

}  // namespace jobs_bridge::store
