#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "adapters/store/record_file.h"
#include "adapters/store/row_places.h"
#include "adapters/store/write_ahead_log.h"
#include "bridge/ports/journal.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"

namespace jobs_bridge::store {

/// The journal's database file, see journal.md; used by this process only while it is open. Three
/// groups of functions may be used by three threads at the same time, each by one at a time: read()
/// and write(); sync(), has_moved() and log_size(); checkpoint(). The first group does not wait for
/// a healthy disk, but any of them may hang with a disk that hangs.
class JournalFile {
 public:
  using Row = JournalEntry;

  /// See store::why_refused().
  static std::optional<std::string> why_refused(const std::string& path);

  /// Opens the file. A damaged one is quarantined, which is logged, and replaced by a new one with
  /// all intact entries. A full disk is not a fault. `max_size`: bytes that the database may take,
  /// without its write-ahead log.
  static Result<Opened<JournalFile>, FileFault> open_or_recover(const std::string& path,
                                                                std::size_t max_size, Log& log);
  /// Also fails for an existing file that is not in our format, or is damaged.
  static Result<std::unique_ptr<JournalFile>, FileFault> open(const std::string& path,
                                                              std::size_t max_size);

  /// Reads and checks the whole file: entries in the order of their arrival. Must come before the
  /// first write() to a file that is not new.
  Content<JournalEntry> read();
  /// Removes entries and then adds one, if `added` is not null, in one transaction: on a fault
  /// nothing is changed.
  std::optional<FileFault> write(const JournalEntry* added, std::span<const std::uint64_t> removed);
  [[nodiscard]] bool has_moved() const { return file_.has_moved(); }

  /// Flushes everything written to the disk. Returns the cause if that fails: then none of the
  /// writes since the last success can be assumed to be on the disk, even if a later sync succeeds.
  std::optional<std::string> sync();
  /// Rewrites the write-ahead log as it was read, and flushes it to the disk.
  std::optional<std::string> rewrite_log();

  /// Writes the write-ahead log into the database and flushes both to the disk. True if that was
  /// complete, so that the log restarts.
  Result<bool, FileFault> checkpoint() { return checkpoint("PASSIVE"); }
  /// The same, and frees the log's space: write() must not be in use.
  Result<bool, FileFault> truncate_log() { return checkpoint("TRUNCATE"); }
  [[nodiscard]] std::size_t log_size() const;
  /// How much of log_size() is in use, as of the last write().
  [[nodiscard]] std::size_t log_used() const;
  /// Reserves space for so many updates of that size each, if possible. Must not run concurrently
  /// with write(). `log_begins_anew`: checkpoint() has returned true, and nothing was written
  /// since.
  bool make_room(std::size_t bytes, std::size_t updates, bool log_begins_anew);

  /// From now on closing writes nothing.
  void leave_as_it_is();
  /// The same for a file that has moved; its write-ahead log is removed.
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
  JournalFile(RecordFile file, std::size_t page_size, Database checkpoints, Statements statements)
      : file_(std::move(file)),
        page_size_(page_size),
        checkpoints_(std::move(checkpoints)),
        statements_(std::move(statements)) {}

  static Result<Statements, FileFault> prepare(Database& writes);
  void bind(const JournalEntry& entry, std::int64_t place);
  std::optional<FileFault> reserve(std::size_t bytes);
  Result<bool, FileFault> checkpoint(const std::string& mode);

  RecordFile file_;  ///< commits without waiting for the disk
  std::size_t page_size_;
  Database checkpoints_;  ///< waits for the disk, and never writes a row
  Statements statements_;
  RowPlaces places_;
  std::size_t pages_ = 0;                 ///< of the database, at most
  std::atomic<std::size_t> reserved_{0};  ///< bytes of its file that are allocated, at least
};

/// Bytes of an update, without the overhead of the file.
inline std::size_t size_of(const JournalEntry& entry) {
  const auto& message = entry.message;
  return message.topic.size() + message.payload.size() + message.response_topic.size() +
         message.correlation_data.size() + message.content_type.size();
}

}  // namespace jobs_bridge::store
