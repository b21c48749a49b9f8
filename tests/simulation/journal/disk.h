#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/store/database.h"
#include "adapters/store/record_file.h"
#include "bridge/ports/journal.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"
#include "bridge/time.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/journal/threads.h"

namespace jobs_bridge::simulation {

class SimulatedFile;

/// A disk with one journal on it: what the operating system has been given, what of that is on the
/// disk itself, and what is wrong with it just now.
class Disk {
 public:
  /// One transaction in the log of writes.
  struct Write {
    std::optional<JournalEntry> added;
    std::vector<std::uint64_t> removed;
    bool on_disk = false;
    /// A sync has failed and the system has dropped it: later syncs know nothing of it.
    bool dropped = false;
    /// Written by a process that was killed. It is kind of this disk not to drop these: the next
    /// process could not know what they were.
    bool inherited = false;
  };
  using Entries = std::map<std::uint64_t, JournalEntry>;
  /// A database with its log.
  struct Database {
    Entries seen;               ///< by who reads it
    Entries base;               ///< brought into the database, and on the disk
    std::vector<Write> log{};   ///< not brought there
    std::uint64_t brought = 0;  ///< writes that were in the log, total
    std::size_t log_used = 0;   ///< bytes
    std::size_t log_size = 0;
    const SimulatedFile* opened_by = nullptr;
    bool distrusted = false;  ///< a sync has failed, and the log has not been written again
    MonotonicTime distrusted_since{};

    /// What a power cut now would leave, if it left as little as it can.
    [[nodiscard]] Entries safe() const;
  };

  /// What is wrong.
  struct Faults {
    double slowness = 1;
    MonotonicTime writes_hang{};  ///< until then
    MonotonicTime syncs_hang{};
    std::optional<std::size_t> space;  ///< bytes that are left on a full disk
    double failing_writes = 0;         ///< share
    double failing_syncs = 0;
    double failing_opens = 0;
    bool has_reader = false;  ///< another process, which keeps the log from beginning anew
  };

  /// Told of what is written to the file at the path, after it.
  using Observer =
      std::function<void(const Write& what, MonotonicTime began, MonotonicTime opened)>;

  Disk(Threads& threads, std::uint64_t seed, Observer observer, std::function<void()> has_forgotten)
      : threads_(threads),
        dice_(seed),
        observer_(std::move(observer)),
        has_forgotten_(std::move(has_forgotten)) {}

  static Disk& current() { return *current_; }
  void make_current() { current_ = this; }

  Faults faults;
  std::size_t log_bytes = 1000;  ///< what an update takes there
  Duration write_time = std::chrono::microseconds(60);

  /// At the path; null if there is none.
  [[nodiscard]] const std::shared_ptr<Database>& at_path() const { return at_path_; }
  [[nodiscard]] Entries seen() const { return at_path_ ? at_path_->seen : Entries(); }
  /// The file is removed, or another one is put in its place.
  void remove_file() { at_path_ = nullptr; }
  /// The process has ended: nobody has the file open.
  void kill();
  void cut_power();

  /// For how long the disk has been at work for a thread.
  [[nodiscard]] Duration busy() const { return busy_.until(threads_.now()); }
  [[nodiscard]] MonotonicTime busy_until() const { return busy_.end(); }
  /// And for how long it was not known what it has kept.
  [[nodiscard]] Duration distrusted() const;
  /// Operations that took part in making the log begin anew, or may have.
  [[nodiscard]] std::uint64_t checkpoints() const { return checkpoints_; }
  /// Which write is under way.
  [[nodiscard]] std::optional<std::uint64_t> writing() const { return writing_; }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  friend class SimulatedFile;

  static thread_local Disk* current_;
  Threads& threads_;
  Dice dice_;
  Observer observer_;
  std::function<void()> has_forgotten_;  ///< told when what was written is no longer there
  std::shared_ptr<Database> at_path_;
  TimeSpent busy_;
  Duration distrusted_{};  ///< until the last time that it was trusted again
  std::optional<std::uint64_t> writing_;
  std::uint64_t checkpoints_ = 0;
  std::uint64_t writes_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t failures_ = 0;
};

/// As store::JournalFile, on that disk.
class SimulatedFile {
 public:
  using Row = JournalEntry;
  using Fault = store::FileFault;

  static Result<store::Opened<SimulatedFile>, Fault> open_or_recover(const std::string& path,
                                                                     std::size_t max_size,
                                                                     Log& log);
  store::Content<JournalEntry> read();
  std::optional<Fault> write(const JournalEntry* added, std::span<const std::uint64_t> removed);
  [[nodiscard]] bool has_moved() const;
  std::optional<std::string> sync();
  std::optional<std::string> rewrite_log();
  Result<bool, Fault> checkpoint();
  Result<bool, Fault> truncate_log();
  [[nodiscard]] std::size_t log_size() const;
  [[nodiscard]] std::size_t log_used() const { return database_->log_used; }
  bool make_room(std::size_t bytes, std::size_t updates, bool log_begins_anew);
  void leave_as_it_is() { leaves_ = true; }
  void leave_behind() { leaves_ = true; }

  explicit SimulatedFile(std::shared_ptr<Disk::Database> database);
  ~SimulatedFile();
  SimulatedFile(const SimulatedFile&) = delete;
  SimulatedFile& operator=(const SimulatedFile&) = delete;

 private:
  /// Three groups of operations may be in use at the same time, each by one thread.
  enum Group : unsigned { writing = 1, syncing = 2, checkpointing = 4 };
  class Use;
  static void take_time(Duration usual, MonotonicTime Disk::Faults::*hangs);
  /// How many of the log's writes there are, as a number that stays right.
  [[nodiscard]] std::uint64_t end_of_log() const {
    return database_->brought + database_->log.size();
  }
  bool sync_fails(std::uint64_t end);
  void bring_into_database(std::uint64_t end);
  [[nodiscard]] std::span<Disk::Write> log_until(std::uint64_t end);

  Disk& disk_;
  std::shared_ptr<Disk::Database> database_;
  MonotonicTime opened_;
  mutable unsigned in_use_ = 0;
  bool leaves_ = false;
};

/// What the journal's work runs on.
struct SimulatedMachine {
  using Mutex = SimulatedMutex;
  using Lock = std::unique_lock<SimulatedMutex>;
  using Condition = SimulatedCondition;
  using File = SimulatedFile;
  using ThreadId = Threads::Thread*;

  static MonotonicTime now() { return Threads::current().read_clock(); }
  static ThreadId this_thread() { return Threads::current().self(); }
  static bool waits_for_processor(ThreadId thread) { return Threads::is_runnable(thread); }
};

}  // namespace jobs_bridge::simulation
