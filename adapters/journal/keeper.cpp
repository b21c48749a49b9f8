#include "adapters/journal/keeper.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <fstream>
#include <iterator>
#include <span>
#include <unordered_set>
#include <utility>

namespace jobs_bridge::journal {
namespace {

using namespace std::chrono_literals;

/// So that whoever waits to record never waits for long while entries are removed that could not be
/// at once.
constexpr std::size_t most_removed_at_once = 1000;

/// The log of writes goes into the database when it is so large, or now and then. Past the second
/// size no update is written meanwhile, so that the log begins anew. Past the third its space is
/// given back in a quiet moment.
constexpr std::size_t log_to_checkpoint = std::size_t{1} << 20;
constexpr std::size_t largest_log = std::size_t{16} << 20;
constexpr std::size_t log_to_truncate = std::size_t{4} << 20;
constexpr Duration look_every = 1s;

/// A writer that does not get a processor, or is held for a checkpoint, is waited for so many times
/// longer than one that hangs.
constexpr int more_patience = 4;

MonotonicTime now() {
  return std::chrono::steady_clock::now();
}

/// Whether a thread of ours could go on if it had a processor: then its disk is not what it waits
/// for. False also where the kernel does not tell.
bool waits_for_processor(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(file, line);
  // Its name, which may be anything, is in parentheses.
  const auto name_end = line.rfind(") ");
  return name_end != std::string::npos && line[name_end + 2] == 'R';
}

/// Without the mutex, which the other thread would only wait for: that is half of what it costs.
void notify(std::unique_lock<std::mutex>& lock, std::condition_variable& condition) {
  lock.unlock();
  condition.notify_one();
  lock.lock();
}

std::string whole_milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

}  // namespace

SqliteJournal::Keeper::Keeper(std::string path, OpenedJournal opened, JournalSettings settings,
                              Log& log)
    : path_(std::move(path)),
      settings_(settings),
      file_(std::move(opened.file)),
      look_at_(now() + look_every),
      writer_sleeps_until_(MonotonicTime::max()),
      syncer_sleeps_until_(MonotonicTime::max()),
      log_(log) {
  if (!opened.saved) unsaved_ = std::move(opened.entries);
  if (!file_) failed({.kind = FileFault::Kind::full, .message = "cannot be written: disk full"});
}

std::optional<std::string> SqliteJournal::Keeper::record(const JournalEntry& entry) try {
  Lock lock(mutex_);
  const auto refused = [&](const std::string& cause) {
    ++state_.refused;
    return "the journal " + cause;
  };
  recover_from_lateness();
  if (is_behind()) failed(lateness());
  if (!file_ || late_ || stalled_) return refused(state_.cause);
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

void SqliteJournal::Keeper::settle(const std::vector<std::uint64_t>& numbers) try {
  const Lock lock(mutex_);
  for (const auto number : numbers) unsynced_.erase(number);
  // Removed in the order in which they were settled: of what comes back after a kill and is carried
  // out again, the last is the last.
  settled_.insert(settled_.end(), numbers.begin(), numbers.end());
  if (remove_at_ == MonotonicTime::max()) remove_at_ = now() + settings_.remove_after;
  // It seldom sleeps for longer: what is recorded is settled soon.
  if (remove_at_ < writer_sleeps_until_) work_.notify_one();
} catch (const std::exception& error) {  // no memory: they are sent once more after a restart
  log_.write(Severity::error, "updates stay in the journal although they are settled",
             {{"path", path_}, {"cause", error.what()}});
}

/// Has the writer record `entry_` and waits for it, but not for long. False: it has not, and nobody
/// waits for it any more.
bool SqliteJournal::Keeper::hand_over(Lock& lock) {
  const auto is_done = [this] { return !requested_; };
  requested_ = true;
  const auto began = now();
  notify(lock, work_);
  auto until = began + settings_.write_patience;
  while (!done_.wait_until(lock, until, is_done)) {
    const auto writer = writer_;
    lock.unlock();
    const bool is_starved = waits_for_processor(writer);
    lock.lock();
    if (is_done()) return true;
    const bool hangs = !is_starved && !held_;
    if (hangs || now() > began + more_patience * settings_.write_patience) {
      requested_ = false;
      return false;
    }
    until = now() + settings_.write_patience;
  }
  return true;
}

void SqliteJournal::Keeper::finish_request(Lock& lock) {
  requested_ = false;
  notify(lock, done_);
}

SqliteJournal::State SqliteJournal::Keeper::state() const {
  const Lock lock(mutex_);
  State state = state_;
  const auto stalled_since = this->stalled_since();
  if (!state.failing && (stalled_since || is_behind())) {
    state.failing = true;
    state.cause = lateness().message;
  }
  if (stalled_since) {
    state.disk_stalled = now() - *stalled_since;
  } else if (is_behind()) {
    state.disk_stalled = now() - unsynced_.begin()->second;
  }
  return state;
}

bool SqliteJournal::Keeper::stop() {
  Lock lock(mutex_);
  stopping_ = true;
  work_.notify_one();
  to_sync_.notify_one();
  return ended_.wait_for(lock, settings_.closing, [this] { return running_ == 0; });
}

void SqliteJournal::Keeper::abandon() {
  log_.write(Severity::warning, "the journal did not stop in time: its disk does not respond",
             {{"path", path_}});
  log_.detach();
}

/// Whether the disk has what was recorded a good while ago. The oldest number is the oldest entry.
bool SqliteJournal::Keeper::is_behind() const {
  return !unsynced_.empty() && now() - unsynced_.begin()->second > settings_.sync_patience;
}

/// Since when a write has not been completed: one that somebody waited for too long for, or one
/// that nobody waits for and that hangs beyond doubt.
std::optional<MonotonicTime> SqliteJournal::Keeper::stalled_since() const {
  if (stalled_) return stalled_;
  const bool hangs =
      writing_since_ && now() - *writing_since_ > more_patience * settings_.write_patience;
  return hangs ? writing_since_ : std::nullopt;
}

FileFault SqliteJournal::Keeper::lateness() const {
  return {.kind = FileFault::Kind::late,
          .message = stalled_since()
                         ? "is waiting for its disk, which did not complete a write within " +
                               whole_milliseconds(settings_.write_patience)
                         : "is waiting for its disk, which did not confirm a write within " +
                               whole_milliseconds(settings_.sync_patience)};
}

// The writer.

void SqliteJournal::Keeper::run_writer() {
  Lock lock(mutex_);
  writer_ = gettid();
  try {
    write(lock);
  } catch (const std::exception& error) {  // no memory
    if (!lock.owns_lock()) lock.lock();
    writing_since_.reset();
    begun_ = false;
    gave_up(error);
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

void SqliteJournal::Keeper::gave_up(const std::exception& error) {
  log_.write(Severity::error, "the keeper of the journal gave up",
             {{"path", path_}, {"cause", error.what()}});
  state_.failing = true;
  state_.cause = std::string("failed: ") + error.what();
}

void SqliteJournal::Keeper::write(Lock& lock) {
  MonotonicTime wrote_at{};
  while (true) {
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

MonotonicTime SqliteJournal::Keeper::write_due() const {
  if (held_) return MonotonicTime::max();
  return std::min(file_ ? remove_at_ : MonotonicTime::max(), mend_at_);
}

/// The one thing that is to be done first; false: there is nothing.
bool SqliteJournal::Keeper::write_something(Lock& lock) {
  if (requested_) {
    write_entry(lock);
  } else if (file_ && now() >= remove_at_) {
    remove_settled(lock);
  } else if (std::exchange(moved_, false)) {
    rescue(lock);
  } else if ((reopen_ || !file_) && now() >= mend_at_) {
    mend(lock);
  } else {
    return false;
  }
  return true;
}

/// Touches the file, without the mutex.
template <typename Work>
auto SqliteJournal::Keeper::without(Lock& lock, Work work) {
  writing_since_ = now();
  lock.unlock();
  auto result = work();
  lock.lock();
  writing_since_.reset();
  if (held_) to_sync_.notify_one();
  return result;
}

void SqliteJournal::Keeper::write_entry(Lock& lock) {
  if (!file_) {
    outcome_ = FileFault{.kind = FileFault::Kind::unusable, .message = state_.cause};
    return finish_request(lock);
  }
  begun_ = true;
  const auto removed = first_settled();
  auto fault = without(lock, [&] { return file_->write(&entry_, removed); });
  begun_ = false;
  if (fault) {
    failed(*fault);
  } else {
    wrote_ = true;
    have_removed(removed.size());
  }
  if (std::exchange(given_up_, false)) {
    // Its device was told that it is rejected. Nothing is done before it is gone.
    if (!fault) settled_.insert(settled_.begin(), entry_.number);
    if (!settled_.empty()) remove_settled(lock);
    return;
  }
  if (!fault) {
    went_well();
    unsynced_.emplace(entry_.number, now());
    wake_syncer();
  }
  outcome_ = std::move(fault);
  finish_request(lock);
}

void SqliteJournal::Keeper::remove_settled(Lock& lock) {
  remove_at_ = MonotonicTime::max();
  while (!settled_.empty() && file_) {
    const auto removed = first_settled();
    if (const auto fault = without(lock, [&] { return file_->write(nullptr, removed); })) {
      failed(*fault);
      remove_at_ = now() + settings_.retry_after;
      return;
    }
    wrote_ = true;
    have_removed(removed.size());
    if (requested_ || held_) {
      if (!settled_.empty()) remove_at_ = now();
      return;
    }
  }
}

std::vector<std::uint64_t> SqliteJournal::Keeper::first_settled() const {
  const auto count = std::min(settled_.size(), most_removed_at_once);
  return {settled_.begin(), settled_.begin() + static_cast<std::ptrdiff_t>(count)};
}

void SqliteJournal::Keeper::have_removed(std::size_t count) {
  settled_.erase(settled_.begin(), settled_.begin() + static_cast<std::ptrdiff_t>(count));
  if (settled_.empty()) remove_at_ = MonotonicTime::max();
}

/// Takes everything out of a file that goes with the connection to it.
void SqliteJournal::Keeper::rescue(Lock& lock) {
  if (!file_) return;
  log_.write(Severity::error, "the journal was removed or replaced: its updates are written anew",
             {{"path", path_}});
  state_.failing = true;
  state_.cause = "was removed or replaced";
  auto old = std::exchange(file_, nullptr);
  wait_for_syncer(lock);
  auto content = without(lock, [&] {
    auto all = old->read();
    old->leave_behind();
    old.reset();
    return all;
  });
  unsaved_.insert(unsaved_.end(), std::make_move_iterator(content.entries.begin()),
                  std::make_move_iterator(content.entries.end()));
  mend(lock);
}

/// The syncer lets go of a file that is to be opened again.
void SqliteJournal::Keeper::wait_for_syncer(Lock& lock) {
  work_.wait(lock, [this] { return !syncing_; });
}

void SqliteJournal::Keeper::mend(Lock& lock) {
  mend_at_ = now() + settings_.retry_after;
  reopen_ = false;
  auto old = std::exchange(file_, nullptr);
  wait_for_syncer(lock);
  auto opened = without(lock, [&] {
    old.reset();
    return open_whole(path_, settings_.max_size, log_);
  });
  if (!opened) return failed(opened.error());
  auto& [file, entries, saved] = opened.value();
  if (!saved) {
    unsaved_.insert(unsaved_.end(), std::make_move_iterator(entries.begin()),
                    std::make_move_iterator(entries.end()));
  }
  if (!file) return;
  const std::unordered_set<std::uint64_t> settled(settled_.begin(), settled_.end());
  std::vector<std::uint64_t> written;
  const auto fault = without(lock, [&]() -> std::optional<FileFault> {
    while (!unsaved_.empty()) {
      const auto& entry = unsaved_.back();
      if (!settled.contains(entry.number)) {
        if (auto failure = file->write(&entry, {})) return failure;
        written.push_back(entry.number);
      }
      unsaved_.pop_back();
    }
    return std::nullopt;
  });
  for (const auto number : written) unsynced_.emplace(number, now());
  if (fault) return failed(*fault);
  file_ = std::move(file);
  mend_at_ = MonotonicTime::max();
  remove_at_ = settled_.empty() ? MonotonicTime::max() : now();
  wake_syncer();
  went_well();
}

void SqliteJournal::Keeper::close(Lock& lock) {
  if (!file_) return;
  remove_settled(lock);
  auto file = std::exchange(file_, nullptr);
  wait_for_syncer(lock);
  without(lock, [&] {
    file->sync();
    file.reset();
    return true;
  });
}

// The syncer.

void SqliteJournal::Keeper::run_syncer() {
  Lock lock(mutex_);
  try {
    sync(lock);
  } catch (const std::exception& error) {  // no memory
    if (!lock.owns_lock()) lock.lock();
    syncing_ = false;
    held_ = false;
    gave_up(error);
  }
  work_.notify_one();
  --running_;
  ended_.notify_all();
}

void SqliteJournal::Keeper::sync(Lock& lock) {
  while (!stopping_) {
    if (now() >= sync_due()) sync_file(lock);
    if (now() >= look_at_) keep_small(lock);
    const auto due = std::min(sync_due(), look_at_);
    if (stopping_ || now() >= due) continue;
    syncer_sleeps_until_ = due;
    to_sync_.wait_until(lock, due);
    syncer_sleeps_until_ = MonotonicTime::min();
  }
}

MonotonicTime SqliteJournal::Keeper::sync_due() const {
  if (!file_ || reopen_ || unsynced_.empty()) return MonotonicTime::max();
  return unsynced_.begin()->second + settings_.sync_after;
}

/// If it would sleep for too long.
void SqliteJournal::Keeper::wake_syncer() {
  if (sync_due() < syncer_sleeps_until_) to_sync_.notify_one();
}

/// Touches the file beside the writer, without the mutex.
template <typename Work>
auto SqliteJournal::Keeper::beside(Lock& lock, Work work) {
  const auto file = file_;
  syncing_ = true;
  lock.unlock();
  auto result = work(*file);
  lock.lock();
  syncing_ = false;
  // Then the writer waits for it.
  if (!file_) work_.notify_one();
  return result;
}

void SqliteJournal::Keeper::sync_file(Lock& lock) {
  const auto oldest = unsynced_.begin()->second;
  const auto until = unsynced_.rbegin()->first;
  const auto fault = beside(lock, [](JournalFile& file) { return file.sync(); });
  if (fault) {
    return failed(
        {.kind = FileFault::Kind::unusable, .message = "cannot be brought to the disk: " + *fault});
  }
  ++state_.syncs;
  unsynced_.erase(unsynced_.begin(), unsynced_.upper_bound(until));
  state_.longest_unsynced = std::max<Duration>(state_.longest_unsynced, now() - oldest);
  recover_from_lateness();
}

void SqliteJournal::Keeper::keep_small(Lock& lock) {
  look_at_ = now() + look_every;
  if (!file_) return;
  const auto [has_moved, size] = beside(
      lock, [](const JournalFile& file) { return std::pair(file.has_moved(), file.log_size()); });
  if (has_moved) {
    moved_ = true;
    return work_.notify_one();
  }
  const bool is_quiet = unsynced_.empty();
  if (!wrote_ || !file_ || (size < log_to_checkpoint && !is_quiet)) return;
  checkpoint(lock, [](JournalFile& file) { return file.checkpoint(); });
  if (size < largest_log && !(is_quiet && size >= log_to_truncate)) return;
  // There is little left to do, so that the writer is not held for long.
  held_ = true;
  to_sync_.wait(lock, [this] { return !writing_since_; });
  checkpoint(lock,
             [=](JournalFile& file) { return is_quiet ? file.truncate_log() : file.checkpoint(); });
  held_ = false;
  work_.notify_one();
}

template <typename Work>
void SqliteJournal::Keeper::checkpoint(Lock& lock, Work work) {
  if (!file_) return;
  wrote_ = false;
  const auto done = beside(lock, work);
  if (!done || !*done) wrote_ = true;
  if (!done) failed(done.error());
}

// How it goes.

void SqliteJournal::Keeper::went_well() {
  late_ = false;
  if (!state_.failing) return;
  state_.failing = false;
  state_.cause.clear();
  log_.write(Severity::info, "the journal can be written again", {{"path", path_}});
}

void SqliteJournal::Keeper::failed(const FileFault& fault) {
  state_.cause = fault.message;
  late_ = fault.kind == FileFault::Kind::late;
  if (!std::exchange(state_.failing, true)) {
    log_.write(Severity::error, "the journal cannot be written: updates are refused",
               {{"path", path_}, {"cause", fault.message}});
  }
  if (late_) return;
  if (fault.kind != FileFault::Kind::full || !file_) {
    reopen_ = fault.kind != FileFault::Kind::full;
    mend_at_ = std::min(mend_at_, now() + settings_.retry_after);
    work_.notify_one();
  }
}

/// The writer has kept a caller waiting for too long. Nobody waits for it any more until it is
/// back.
void SqliteJournal::Keeper::stall() {
  stalled_ = now() - settings_.write_patience;
  failed(lateness());
}

void SqliteJournal::Keeper::recover_from_lateness() {
  if (late_ && !stalled_ && !is_behind()) went_well();
}

}  // namespace jobs_bridge::journal
