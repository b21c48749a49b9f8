#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "adapters/store/disk_threads.h"
#include "adapters/store/journal_file.h"
#include "adapters/store/sqlite_journal.h"

namespace jobs_bridge::store {

inline std::string_view hint_of(FileFault::Kind kind) {
  switch (kind) {
    case FileFault::Kind::full:
      return "free space on the disk that journal.path is on; if that disk is too small for "
             "journal.max_size, lower journal.max_size, or set journal.path to a file on another "
             "disk";
    case FileFault::Kind::at_limit:
      return "restore the connection to the endpoint, or raise journal.max_size and restart the "
             "bridge";
    case FileFault::Kind::no_memory:
      return "check the machine's memory";
    case FileFault::Kind::late:
      return "check the disk that journal.path is on, and the kernel's log for I/O errors";
    case FileFault::Kind::damaged:
    case FileFault::Kind::unusable:
      break;
  }
  return "check journal.path, who may write to it, and its disk";
}

/// What the journal's two threads do, and what they share with the journal.
///
/// A write that hangs cannot be interrupted, so the file is accessed only by threads that are
/// waited for with a time limit: the writer inserts, removes and recovers; the syncer waits for the
/// disk and keeps the write-ahead log small. The mutex is never held while the file is accessed.
///
/// `Runtime` is what they run on, which a simulation replaces:
///   Mutex, Lock, Condition   as std::mutex, std::unique_lock<Mutex> and std::condition_variable
///   File                     as JournalFile
///   now()                    the time
///   ThreadId, this_thread(), waits_for_processor(ThreadId)
///                            whether a thread could go on if it had a processor
template <typename Runtime>
class JournalWork {
 public:
  using File = typename Runtime::File;
  using State = SqliteJournal::State;

  /// `log` must live until both threads have ended, or abandon().
  JournalWork(std::string path, Opened<File> opened, JournalSettings settings, Log& log);

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
  using Lock = typename Runtime::Lock;
  using Condition = typename Runtime::Condition;
  using Numbers = std::unordered_set<std::uint64_t>;

  /// So that record() does not wait long while a backlog of entries is removed.
  static constexpr std::size_t max_removed_at_once = 1000;

  /// The log of writes goes into the database when it is so large, or now and then. It may take a
  /// share of what the database may; then no update is written until it begins anew. When it is
  /// quiet, a large one's space is given back.
  static constexpr std::size_t log_to_checkpoint = std::size_t{1} << 20;
  static constexpr std::size_t log_to_truncate = std::size_t{2} << 20;
  static constexpr std::size_t max_log = std::size_t{4} << 20;
  static constexpr std::size_t min_log = std::size_t{256} << 10;
  static constexpr std::size_t share_of_log = 16;
  static constexpr Duration check_every = std::chrono::seconds(1);

  /// A disk that is full again so soon after there was space had too little: see updates_to_fit().
  static constexpr Duration full_again_within = std::chrono::minutes(1);
  static constexpr std::size_t max_to_fit = 64;

  /// A writer that does not get a processor, or is held for a checkpoint, is waited for so many
  /// times longer than one that hangs.
  static constexpr int starved_timeout_factor = 2;

  static MonotonicTime now() { return Runtime::now(); }
  /// Without the mutex, which the other thread would only wait for: that is half of what it costs.
  static void notify(Lock& lock, Condition& condition) {
    lock.unlock();
    condition.notify_one();
    lock.lock();
  }

  static std::string whole_milliseconds(Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
           " ms";
  }

  bool hand_over(Lock& lock);
  void finish_request(Lock& lock);
  [[nodiscard]] bool is_behind() const;
  [[nodiscard]] std::optional<MonotonicTime> stalled_since() const;
  [[nodiscard]] FileFault lateness() const;
  [[nodiscard]] std::size_t updates_to_fit() const;

  void write(Lock& lock);
  [[nodiscard]] MonotonicTime write_due() const;
  bool write_something(Lock& lock);
  void write_entry(Lock& lock);
  void remove_settled(Lock& lock);
  [[nodiscard]] std::vector<std::uint64_t> first_settled() const;
  void have_removed(std::size_t count);
  void reopen(Lock& lock);
  [[nodiscard]] bool log_is_full() const { return log_used_ >= log_max_; }
  void settle_again(const Numbers& there);
  [[nodiscard]] std::vector<JournalEntry> forgotten(const Numbers& there) const;
  void recover_moved_file(Lock& lock);
  void close(Lock& lock);
  template <typename Touch>
  auto without(Lock& lock, Touch touch);
  void wait_for_syncer(Lock& lock);

  void sync(Lock& lock);
  void sync_file(Lock& lock);
  void have_synced_removals(std::size_t count);
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
  void write_succeeded();
  void failed(const FileFault& fault);
  void thread_failed(const std::exception& error);
  void stall();
  void recover_from_lateness();

  const std::string path_;
  const JournalSettings settings_;
  const std::size_t log_max_;

  mutable typename Runtime::Mutex mutex_;
  Condition work_;     ///< for the writer
  Condition done_;     ///< for callers that wait for the writer
  Condition to_sync_;  ///< for the syncer
  Condition ended_;

  bool requested_ = false;            ///< record() waits for `entry_` to be written
  JournalEntry entry_;                ///< the writer's while `begun_`
  std::optional<FileFault> outcome_;  ///< of recording it
  bool begun_ = false;
  bool given_up_ = false;  ///< record() has given up on `entry_`: it was refused
  /// Since when the writer has kept a caller waiting for too long; nothing if it has not.
  std::optional<MonotonicTime> stalled_;

  /// Null: it cannot be written. Only the writer changes which file it is; the syncer holds it
  /// while `syncing_`, and the writer does not open it again meanwhile.
  std::shared_ptr<File> file_;
  std::vector<JournalEntry> unsaved_;   ///< to be written to the next file
  std::vector<std::uint64_t> settled_;  ///< to be removed, in this order
  struct Unsynced {
    MonotonicTime since;
    JournalEntry entry;
  };
  /// Recorded and not known to be on the disk, by number. What they hold: a disk that could not
  /// keep them may have forgotten it.
  std::map<std::uint64_t, Unsynced> unsynced_;
  /// Removed, and their removal is not known to be on the disk, in that order: a disk that could
  /// not keep it may have them again.
  std::vector<std::uint64_t> unsynced_removals_;
  std::optional<MonotonicTime> writing_since_;  ///< the writer touches the file
  MonotonicTime remove_at_ = MonotonicTime::max();
  MonotonicTime reopen_at_ = MonotonicTime::max();
  MonotonicTime check_at_;  ///< whether all is in order
  MonotonicTime writer_sleeps_until_;
  MonotonicTime syncer_sleeps_until_;
  bool moved_ = false;              ///< the path no longer leads to the file
  std::size_t log_used_ = 0;        ///< bytes
  std::size_t needed_ = 0;          ///< while the disk is full: bytes of the last update refused
  std::size_t updates_to_fit_ = 1;  ///< see updates_to_fit()
  MonotonicTime full_since_{};
  MonotonicTime recovered_{};       ///< when it could last be written again
  bool full_ = false;               ///< the journal fails for want of space
  bool log_is_stuck_ = false;       ///< it is as large as it may be and cannot begin anew
  bool unsynced_for_good_ = false;  ///< the disk failed to keep something; see reopen()
  bool reopen_ = false;             ///< what is open is not to be trusted
  bool wrote_ = false;              ///< since the last checkpoint
  bool held_ = false;               ///< the writer must not, for a checkpoint
  bool syncing_ = false;            ///< the syncer touches the file
  bool late_ = false;               ///< the journal fails because its disk takes too long
  bool stopping_ = false;
  int running_ = 2;  ///< threads
  typename Runtime::ThreadId writer_{};
  State state_;

  DetachableLog log_;
};

template <typename Runtime>
JournalWork<Runtime>::JournalWork(std::string path, Opened<File> opened, JournalSettings settings,
                                  Log& log)
    : path_(std::move(path)),
      settings_(settings),
      log_max_(std::clamp(settings.max_size / share_of_log, min_log, max_log)),
      file_(std::move(opened.file)),
      check_at_(now() + check_every),
      writer_sleeps_until_(MonotonicTime::max()),
      syncer_sleeps_until_(MonotonicTime::max()),
      log_(log) {
  if (!opened.saved) unsaved_ = std::move(opened.content.rows);
  if (!file_) failed({.kind = FileFault::Kind::full, .message = "has no space: its disk is full"});
}

template <typename Runtime>
std::optional<std::string> JournalWork<Runtime>::record(const JournalEntry& entry) try {
  Lock lock(mutex_);
  const auto refused = [&](const std::string& cause) {
    ++state_.not_recorded;
    state_.last_not_recorded = State::NotRecorded{.at = now(), .cause = cause};
    return "the journal " + cause;
  };
  recover_from_lateness();
  if (is_behind()) failed(lateness());
  if (!file_ || late_ || stalled_ || unsynced_for_good_ || log_is_stuck_) {
    // It may have opened the file again, and not come back from that yet.
    return refused(state_.failing ? state_.cause : lateness().message);
  }
  entry_ = entry;
  if (hand_over(lock)) {
    const auto outcome = std::exchange(outcome_, std::nullopt);
    return outcome ? std::optional(refused(outcome->message)) : std::nullopt;
  }
  // What is not begun is not written; what is written although it was refused is removed again.
  given_up_ = begun_;
  stall();
  return refused(state_.cause);
} catch (const std::exception& error) {  // no memory
  return std::string("the journal failed: ") + error.what();
}

template <typename Runtime>
void JournalWork<Runtime>::settle(const std::vector<std::uint64_t>& numbers) try {
  const Lock lock(mutex_);
  for (const auto number : numbers) unsynced_.erase(number);
  // Removed in the order in which they were settled: of what comes back after a kill and is carried
  // out again, the last is the last.
  settled_.insert(settled_.end(), numbers.begin(), numbers.end());
  if (remove_at_ == MonotonicTime::max()) remove_at_ = now() + settings_.remove_after;
  // It seldom sleeps for longer: what is recorded is settled soon.
  if (remove_at_ < writer_sleeps_until_) work_.notify_one();
} catch (const std::exception& error) {  // no memory: they are sent once more after a restart
  log_.write(Severity::error, "settled updates could not be removed from the journal",
             {{"path", path_}, {"cause", error.what()}, {"hint", "check the machine's memory"}});
}

/// Has the writer record `entry_` and waits for it, but not for long. False if it has not done so
/// and is not waited for any more.
template <typename Runtime>
bool JournalWork<Runtime>::hand_over(Lock& lock) {
  const auto is_done = [this] { return !requested_; };
  requested_ = true;
  const auto began = now();
  notify(lock, work_);
  auto until = began + settings_.write_timeout;
  while (!done_.wait_until(lock, until, is_done)) {
    const auto writer = writer_;
    lock.unlock();
    const bool is_starved = Runtime::waits_for_processor(writer);
    lock.lock();
    if (is_done()) return true;
    const bool hangs = !is_starved && !held_;
    if (hangs || now() > began + starved_timeout_factor * settings_.write_timeout) {
      requested_ = false;
      return false;
    }
    until = now() + settings_.write_timeout;
  }
  return true;
}

template <typename Runtime>
void JournalWork<Runtime>::finish_request(Lock& lock) {
  requested_ = false;
  notify(lock, done_);
}

template <typename Runtime>
SqliteJournal::State JournalWork<Runtime>::state() const {
  const Lock lock(mutex_);
  State state = state_;
  const auto stalled_since = this->stalled_since();
  if (!state.failing && (stalled_since || is_behind())) {
    state.failing = true;
    state.cause = lateness().message;
    state.hint = hint_of(FileFault::Kind::late);
  }
  if (stalled_since) {
    state.disk_stalled = now() - *stalled_since;
  } else if (is_behind()) {
    state.disk_stalled = now() - unsynced_.begin()->second.since;
  }
  return state;
}

template <typename Runtime>
bool JournalWork<Runtime>::stop() {
  Lock lock(mutex_);
  stopping_ = true;
  work_.notify_one();
  to_sync_.notify_one();
  return ended_.wait_for(lock, settings_.closing, [this] { return running_ == 0; });
}

template <typename Runtime>
void JournalWork<Runtime>::abandon() {
  log_.write(Severity::warning, "the journal did not stop in time: its disk does not respond",
             {{"path", path_}, {"hint", hint_of(FileFault::Kind::late)}});
  log_.detach();
}

/// Whether the disk has what was recorded a good while ago. The oldest number is the oldest entry.
template <typename Runtime>
bool JournalWork<Runtime>::is_behind() const {
  return !unsynced_.empty() && now() - unsynced_.begin()->second.since > settings_.sync_timeout;
}

/// Since when a write has not been completed: one that a caller waited too long for, or one without
/// a waiting caller that certainly hangs.
template <typename Runtime>
std::optional<MonotonicTime> JournalWork<Runtime>::stalled_since() const {
  if (stalled_) return stalled_;
  const bool hangs =
      writing_since_ && now() - *writing_since_ > starved_timeout_factor * settings_.write_timeout;
  return hangs ? writing_since_ : std::nullopt;
}

template <typename Runtime>
FileFault JournalWork<Runtime>::lateness() const {
  return {.kind = FileFault::Kind::late,
          .message = stalled_since()
                         ? "is waiting for its disk, which did not complete a write within " +
                               whole_milliseconds(settings_.write_timeout)
                         : "is waiting for its disk, which did not confirm a write within " +
                               whole_milliseconds(settings_.sync_timeout)};
}

// The writer.

template <typename Runtime>
void JournalWork<Runtime>::run_writer() {
  Lock lock(mutex_);
  writer_ = Runtime::this_thread();
  try {
    write(lock);
  } catch (const std::exception& error) {  // no memory
    if (!lock.owns_lock()) lock.lock();
    writing_since_.reset();
    begun_ = false;
    thread_failed(error);
  }
  auto file = std::exchange(file_, nullptr);
  outcome_ = FileFault{.kind = FileFault::Kind::unusable, .message = "is closed"};
  finish_request(lock);
  lock.unlock();
  file.reset();
  lock.lock();
  --running_;
  ended_.notify_all();
}

template <typename Runtime>
void JournalWork<Runtime>::thread_failed(const std::exception& error) {
  state_.failing = true;
  state_.takes_what_fits = false;
  state_.cause = std::string("failed: ") + error.what();
  state_.hint = "check the machine's memory, and restart the bridge";
  log_.write(Severity::error,
             "a thread of the journal failed: updates are rejected until a restart",
             {{"path", path_}, {"cause", error.what()}, {"hint", state_.hint}});
}

template <typename Runtime>
void JournalWork<Runtime>::write(Lock& lock) {
  MonotonicTime wrote_at{};
  while (true) {
    if (!held_ && log_is_full() && !log_is_stuck_ && file_ && !reopen_ && !moved_) {
      // The other thread has it begin anew.
      check_at_ = MonotonicTime::min();
      held_ = true;
      notify(lock, to_sync_);
    }
    if (!held_) {
      if (write_something(lock)) {
        wrote_at = now();
        continue;
      }
      if (stalled_) {
        stalled_.reset();
        recover_from_lateness();
      }
    }
    if (stopping_) break;
    auto due = write_due();
    // What was just recorded is settled soon: that need not wake the thread then.
    const auto soon = wrote_at + settings_.remove_after;
    if (now() < soon) due = std::min(due, soon);
    writer_sleeps_until_ = due;
    // Further waits than a clock can tell are waits without an end.
    if (due == MonotonicTime::max()) {
      work_.wait(lock);
    } else {
      work_.wait_until(lock, due);
    }
    writer_sleeps_until_ = MonotonicTime::min();
  }
  close(lock);
}

template <typename Runtime>
MonotonicTime JournalWork<Runtime>::write_due() const {
  if (held_) return MonotonicTime::max();
  return std::min(file_ && !log_is_stuck_ ? remove_at_ : MonotonicTime::max(), reopen_at_);
}

/// The one thing that is to be done first; false: there is nothing.
template <typename Runtime>
bool JournalWork<Runtime>::write_something(Lock& lock) {
  if (requested_) {
    write_entry(lock);
  } else if (file_ && !log_is_stuck_ && now() >= remove_at_) {
    remove_settled(lock);
  } else if (std::exchange(moved_, false)) {
    recover_moved_file(lock);
  } else if ((reopen_ || !file_) && now() >= reopen_at_) {
    reopen(lock);
  } else {
    return false;
  }
  return true;
}

/// Touches the file, without the mutex.
template <typename Runtime>
template <typename Touch>
auto JournalWork<Runtime>::without(Lock& lock, Touch touch) {
  writing_since_ = now();
  lock.unlock();
  auto result = touch();
  lock.lock();
  writing_since_.reset();
  if (held_) to_sync_.notify_one();
  return result;
}

template <typename Runtime>
void JournalWork<Runtime>::write_entry(Lock& lock) {
  if (!file_ || log_is_stuck_) {
    outcome_ = FileFault{.kind = FileFault::Kind::unusable, .message = state_.cause};
    return finish_request(lock);
  }
  begun_ = true;
  const auto removed = first_settled();
  auto fault = without(lock, [&] { return file_->write(&entry_, removed); });
  begun_ = false;
  if (fault) {
    needed_ = size_of(entry_);
    failed(*fault);
  } else {
    wrote_ = true;
    log_used_ = file_->log_used();
    have_removed(removed.size());
  }
  if (std::exchange(given_up_, false)) {
    // Its device was told that it is rejected. Nothing is done before it is gone.
    if (!fault) settled_.insert(settled_.begin(), entry_.number);
    if (!settled_.empty()) remove_settled(lock);
    return;
  }
  if (!fault) {
    // On a full disk one that happens to fit does not mean that the next one will.
    if (!full_) write_succeeded();
    const auto number = entry_.number;
    unsynced_.insert_or_assign(number, Unsynced{.since = now(), .entry = std::move(entry_)});
    wake_syncer();
  }
  outcome_ = std::move(fault);
  finish_request(lock);
}

template <typename Runtime>
void JournalWork<Runtime>::remove_settled(Lock& lock) {
  remove_at_ = MonotonicTime::max();
  while (!settled_.empty() && file_) {
    const auto removed = first_settled();
    if (const auto fault = without(lock, [&] { return file_->write(nullptr, removed); })) {
      failed(*fault);
      remove_at_ = now() + settings_.retry_after;
      return;
    }
    wrote_ = true;
    log_used_ = file_->log_used();
    have_removed(removed.size());
    if (requested_ || held_ || log_is_full()) {
      if (!settled_.empty()) remove_at_ = now();
      return;
    }
  }
}

template <typename Runtime>
std::vector<std::uint64_t> JournalWork<Runtime>::first_settled() const {
  const auto count = std::min(settled_.size(), max_removed_at_once);
  return {settled_.begin(), settled_.begin() + static_cast<std::ptrdiff_t>(count)};
}

template <typename Runtime>
void JournalWork<Runtime>::have_removed(std::size_t count) {
  const auto end = settled_.begin() + static_cast<std::ptrdiff_t>(count);
  unsynced_removals_.insert(unsynced_removals_.end(), settled_.begin(), end);
  settled_.erase(settled_.begin(), end);
  if (settled_.empty()) remove_at_ = MonotonicTime::max();
}

/// What was in it is written to a new one: see reopen().
template <typename Runtime>
void JournalWork<Runtime>::recover_moved_file(Lock& lock) {
  if (!file_) return;
  state_.failing = true;
  state_.cause = "was removed or replaced";
  reopen(lock);
}

/// The syncer lets go of a file that is to be opened again.
template <typename Runtime>
void JournalWork<Runtime>::wait_for_syncer(Lock& lock) {
  work_.wait(lock, [this] { return !syncing_; });
}

template <typename Runtime>
void JournalWork<Runtime>::reopen(Lock& lock) {
  reopen_at_ = now() + settings_.retry_after;
  reopen_ = false;
  auto old = std::exchange(file_, nullptr);
  wait_for_syncer(lock);
  std::optional<std::vector<JournalEntry>> moved;
  auto opened = without(lock, [&] {
    if (old && old->has_moved()) {
      // Everything is taken out of a file that goes with the connection to it.
      moved = old->read().rows;
      old->leave_behind();
    } else if (old && unsynced_for_good_) {
      // What the disk may have forgotten is brought nowhere before it has been looked at.
      old->leave_as_it_is();
    }
    old.reset();
    return File::open_or_recover(path_, settings_.max_size, log_);
  });
  if (moved) {
    log_.write(Severity::error,
               "the journal's file was removed or replaced: its updates are written to a new one",
               {{"path", path_}, {"hint", "leave the file alone while the bridge runs"}});
    std::ranges::move(*moved, std::back_inserter(unsaved_));
  }
  if (!opened) return failed(opened.error());
  auto& file = opened->file;
  const bool saved = opened->saved;
  auto& entries = opened->content.rows;
  if (unsynced_for_good_) {
    Numbers there;
    for (const auto& entry : entries) there.insert(entry.number);
    for (const auto& entry : unsaved_) there.insert(entry.number);
    settle_again(there);
    auto more = forgotten(there);
    std::ranges::move(more, std::back_inserter(saved ? unsaved_ : entries));
  }
  if (!saved) std::ranges::move(entries, std::back_inserter(unsaved_));
  if (!file) return;
  const Numbers settled(settled_.begin(), settled_.end());
  std::vector<JournalEntry> written;
  const auto write_again = [&]() -> std::optional<FileFault> {
    while (!unsaved_.empty()) {
      auto& entry = unsaved_.back();
      if (!settled.contains(entry.number)) {
        if (auto failure = file->write(&entry, {})) return failure;
        written.push_back(std::move(entry));
      }
      unsaved_.pop_back();
    }
    // After a failure a sync that succeeds says nothing of what was written before it, unless that
    // is written once more.
    const auto cause = unsynced_for_good_ ? file->rewrite_log() : std::nullopt;
    if (!cause) return std::nullopt;
    return FileFault{FileFault::Kind::unusable, "cannot be synced to disk: " + *cause};
  };
  const auto fault = without(lock, [&] {
    auto failure = write_again();
    if (failure) {
      if (unsynced_for_good_) file->leave_as_it_is();
      file.reset();
    }
    return failure;
  });
  const Numbers settled_meanwhile(settled_.begin(), settled_.end());
  for (auto& entry : written) {
    const auto number = entry.number;
    if (settled_meanwhile.contains(number)) continue;  // or it would be written once more
    unsynced_.insert_or_assign(number, Unsynced{.since = now(), .entry = std::move(entry)});
  }
  if (fault) return failed(*fault);
  if (std::exchange(unsynced_for_good_, false)) {
    unsynced_.clear();
    unsynced_removals_.clear();
  }
  file_ = std::move(file);
  log_used_ = 0;
  log_is_stuck_ = false;
  reopen_at_ = MonotonicTime::max();
  remove_at_ = settled_.empty() ? MonotonicTime::max() : now();
  wake_syncer();
  write_succeeded();
}

/// What was removed and is among what the file holds is to be removed again, before all others.
template <typename Runtime>
void JournalWork<Runtime>::settle_again(const Numbers& there) {
  Numbers to_remove(settled_.begin(), settled_.end());
  std::vector<std::uint64_t> again;
  for (const auto number : unsynced_removals_) {
    // A number that was removed is free: what has it now may have been recorded since.
    if (!there.contains(number) || unsynced_.contains(number)) continue;
    if (to_remove.insert(number).second) again.push_back(number);
  }
  settled_.insert(settled_.begin(), again.begin(), again.end());
}

/// What was recorded and is not among what the file holds.
template <typename Runtime>
std::vector<JournalEntry> JournalWork<Runtime>::forgotten(const Numbers& there) const {
  std::vector<JournalEntry> missing;
  for (const auto& [number, unsynced] : unsynced_) {
    if (!there.contains(number)) missing.push_back(unsynced.entry);
  }
  return missing;
}

template <typename Runtime>
void JournalWork<Runtime>::close(Lock& lock) {
  const auto report = [this](const std::string& cause) {
    log_.write(Severity::error,
               "the journal cannot be synced to disk: a power failure may lose updates",
               {{"path", path_},
                {"cause", cause},
                {"hint", "check the disk before the next power failure"}});
  };
  // What the disk may have forgotten is brought nowhere before it has been looked at; a file that
  // was removed may not have been missed yet; and what is to be written to the next file would be
  // lost.
  wait_for_syncer(lock);
  const bool has_moved = file_ && without(lock, [this] { return file_->has_moved(); });
  if (!file_ || unsynced_for_good_ || has_moved) {
    reopen(lock);
    if (!file_ && !(unsaved_.empty() && unsynced_.empty())) report(state_.cause);
  }
  if (!file_) return;
  remove_settled(lock);
  // Meanwhile it may have begun what it does next.
  wait_for_syncer(lock);
  std::optional<std::string> cause;
  if (unsynced_for_good_) cause = state_.cause;
  if (!cause && !settled_.empty()) {
    // The log may have filled the disk: behind this it begins anew.
    const auto done = without(lock, [&] { return file_->checkpoint(); });
    if (!done && !is_for_want_of_space(done.error().kind)) cause = done.error().message;
    if (!cause) remove_settled(lock);
  }
  auto file = std::exchange(file_, nullptr);
  without(lock, [&] {
    if (!cause) cause = file->sync();
    if (cause) file->leave_as_it_is();
    file.reset();
    if (cause) report(*cause);
    return true;
  });
}

// The syncer.

template <typename Runtime>
void JournalWork<Runtime>::run_syncer() {
  Lock lock(mutex_);
  try {
    sync(lock);
  } catch (const std::exception& error) {  // no memory
    if (!lock.owns_lock()) lock.lock();
    syncing_ = false;
    held_ = false;
    thread_failed(error);
  }
  work_.notify_one();
  --running_;
  ended_.notify_all();
}

template <typename Runtime>
void JournalWork<Runtime>::sync(Lock& lock) {
  // What was written by a process that was killed may not be on the disk.
  if (file_ && !stopping_) {
    const auto fault = beside(lock, [](File& file) { return file.sync(); });
    if (fault) cannot_sync("cannot be synced to disk: " + *fault);
  }
  while (!stopping_) {
    if (now() >= sync_due()) sync_file(lock);
    if (now() >= check_at_) keep_small(lock);
    const auto due = std::min(sync_due(), check_at_);
    if (stopping_ || now() >= due) continue;
    syncer_sleeps_until_ = due;
    to_sync_.wait_until(lock, due);
    syncer_sleeps_until_ = MonotonicTime::min();
  }
}

template <typename Runtime>
MonotonicTime JournalWork<Runtime>::sync_due() const {
  if (!file_ || reopen_ || unsynced_for_good_ || unsynced_.empty()) return MonotonicTime::max();
  return unsynced_.begin()->second.since + settings_.sync_after;
}

/// If it would sleep for too long.
template <typename Runtime>
void JournalWork<Runtime>::wake_syncer() {
  if (sync_due() < syncer_sleeps_until_) to_sync_.notify_one();
}

/// Touches the file beside the writer, without the mutex.
template <typename Runtime>
template <typename Touch>
auto JournalWork<Runtime>::beside(Lock& lock, Touch touch) {
  const auto file = file_;
  syncing_ = true;
  lock.unlock();
  auto result = touch(*file);
  lock.lock();
  syncing_ = false;
  // Then the writer waits for it.
  if (!file_) work_.notify_one();
  return result;
}

template <typename Runtime>
void JournalWork<Runtime>::sync_file(Lock& lock) {
  const auto oldest = unsynced_.begin()->second.since;
  const auto until = unsynced_.rbegin()->first;
  const auto removals = unsynced_removals_.size();
  const auto fault = beside(lock, [](File& file) { return file.sync(); });
  if (fault) return cannot_sync("cannot be synced to disk: " + *fault);
  ++state_.syncs;
  have_synced_removals(removals);
  unsynced_.erase(unsynced_.begin(), unsynced_.upper_bound(until));
  state_.longest_unsynced = std::max<Duration>(state_.longest_unsynced, now() - oldest);
  recover_from_lateness();
}

template <typename Runtime>
void JournalWork<Runtime>::have_synced_removals(std::size_t count) {
  const auto begin = unsynced_removals_.begin();
  unsynced_removals_.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
}

/// The kernel may have dropped what it could not write, and says so only once.
template <typename Runtime>
void JournalWork<Runtime>::cannot_sync(const std::string& cause) {
  unsynced_for_good_ = true;
  failed({.kind = FileFault::Kind::unusable, .message = cause});
}

template <typename Runtime>
void JournalWork<Runtime>::keep_small(Lock& lock) {
  check_at_ = now() + (full_ ? std::min(check_every, settings_.retry_after) : check_every);
  if (!file_ || reopen_) {
    held_ = false;
    return work_.notify_one();
  }
  const auto [has_moved, size] =
      beside(lock, [](const File& file) { return std::pair(file.has_moved(), file.log_size()); });
  if (has_moved) {
    held_ = false;
    moved_ = true;
    return work_.notify_one();
  }
  const bool is_quiet = unsynced_.empty();
  const bool is_urgent = full_ || log_is_full();
  if (is_urgent || (wrote_ && (is_quiet || log_used_ >= log_to_checkpoint))) {
    checkpoint(lock, [](File& file) { return file.checkpoint(); });
    const bool is_large = is_quiet && size >= log_to_truncate;
    // There is little left to do, so that the writer is not held for long.
    if ((is_urgent || is_large) && !reopen_) begin_log_anew(lock, is_large && !full_);
  }
  held_ = false;
  work_.notify_one();
}

template <typename Runtime>
void JournalWork<Runtime>::begin_log_anew(Lock& lock, bool give_back) {
  held_ = true;
  to_sync_.wait(lock, [this] { return !writing_since_; });
  const bool done = checkpoint(
      lock, [=](File& file) { return give_back ? file.truncate_log() : file.checkpoint(); });
  if (done) log_used_ = 0;
  if (!file_ || reopen_) return;
  log_is_stuck_ = log_is_full();
  if (log_is_stuck_ && !state_.failing) {
    failed({.kind = FileFault::Kind::late,
            .message = "has a full write-ahead log: another process is reading the journal"});
    late_ = false;
  }
  if (log_is_stuck_ || !state_.failing || late_ || unsynced_for_good_) return;
  const bool has_room =
      beside(lock, [bytes = needed_, updates = updates_to_fit(), done](File& file) {
        return file.make_room(bytes, updates, done);
      });
  if (has_room) write_succeeded();
}

/// Whether all of the log was brought into the database.
template <typename Runtime>
template <typename Touch>
bool JournalWork<Runtime>::checkpoint(Lock& lock, Touch touch) {
  if (!file_) return false;
  wrote_ = false;
  const auto removals = unsynced_removals_.size();
  const auto done = beside(lock, touch);
  if (done && *done) have_synced_removals(removals);
  if (!done || !*done) wrote_ = true;
  if (!done && is_for_want_of_space(done.error().kind)) failed(done.error());
  if (!done && !is_for_want_of_space(done.error().kind)) cannot_sync(done.error().message);
  return done && *done;
}

// How it goes.

template <typename Runtime>
void JournalWork<Runtime>::write_succeeded() {
  late_ = false;
  full_ = false;
  if (!state_.failing || reopen_ || log_is_stuck_) return;
  recovered_ = now();
  state_.failing = false;
  state_.takes_what_fits = false;
  state_.cause.clear();
  log_.write(Severity::info, "the journal can be written again", {{"path", path_}});
}

template <typename Runtime>
void JournalWork<Runtime>::failed(const FileFault& fault) {
  // Then what is small enough is still recorded.
  const bool lacks_space = is_for_want_of_space(fault.kind) && file_ != nullptr;
  state_.cause = fault.message;
  state_.hint = hint_of(fault.kind);
  state_.takes_what_fits = lacks_space && !unsynced_for_good_ && !log_is_stuck_;
  late_ = fault.kind == FileFault::Kind::late;
  if (!std::exchange(state_.failing, true)) {
    log_.write(Severity::error,
               is_for_want_of_space(fault.kind)
                   ? "the journal has no space left: updates that do not fit are rejected"
                   : "the journal cannot be written: updates are rejected",
               {{"path", path_}, {"cause", fault.message}, {"hint", state_.hint}});
  }
  if (late_) return;
  if (lacks_space) {
    if (!full_) {
      full_since_ = now();
      const bool full_again =
          recovered_ != MonotonicTime{} && now() < recovered_ + full_again_within;
      updates_to_fit_ = full_again ? std::min(updates_to_fit_ * 4, max_to_fit) : 1;
    }
    full_ = true;
    check_at_ = std::min(check_at_, now() + settings_.retry_after);
    to_sync_.notify_one();
    return;
  }
  reopen_ = !is_for_want_of_space(fault.kind);
  reopen_at_ = std::min(reopen_at_, now() + settings_.retry_after);
  work_.notify_one();
}

/// For how many more updates there must be space before the journal counts as writable again: more
/// each time that the space turned out to be for a few only, so that it does not fail and recover
/// every few seconds. What there is is used up in the end: after a minute one must do.
template <typename Runtime>
std::size_t JournalWork<Runtime>::updates_to_fit() const {
  return now() < full_since_ + full_again_within ? updates_to_fit_ : 1;
}

/// The writer has kept a caller waiting for too long. It is not waited for again until it has
/// recovered.
template <typename Runtime>
void JournalWork<Runtime>::stall() {
  stalled_ = now() - settings_.write_timeout;
  failed(lateness());
}

template <typename Runtime>
void JournalWork<Runtime>::recover_from_lateness() {
  if (late_ && !stalled_ && !is_behind()) write_succeeded();
}

}  // namespace jobs_bridge::store
