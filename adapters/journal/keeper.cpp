#include "adapters/journal/keeper.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <span>
#include <utility>

namespace jobs_bridge::journal {
namespace {

using namespace std::chrono_literals;

/// So that record() never waits for long while entries are removed that could not be at once.
constexpr std::size_t most_removed_at_once = 200;

/// The log of writes goes into the database when it is so large, or now and then. Past the second
/// size that is done even if record() must wait for it.
constexpr std::size_t log_to_checkpoint = std::size_t{1} << 20;
constexpr std::size_t largest_log = std::size_t{16} << 20;
constexpr Duration look_every = 1s;

MonotonicTime now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

SqliteJournal::Keeper::Keeper(std::string path, OpenedJournal opened, JournalSettings settings,
                              Log& log)
    : path_(std::move(path)),
      settings_(settings),
      file_(std::move(opened.file)),
      look_at_(now() + look_every),
      log_(log) {
  if (!opened.saved) unsaved_ = std::move(opened.entries);
  if (!file_) failed({.kind = FileFault::Kind::full, .message = "cannot be written: disk full"});
}

std::optional<std::string> SqliteJournal::Keeper::record(const JournalEntry& entry) try {
  const Lock lock(mutex_);
  if (!file_) {
    ++state_.refused;
    return "the journal " + state_.cause;
  }
  if (const auto fault = file_->record(entry)) {
    ++state_.refused;
    failed(*fault);
    return "the journal " + fault->message;
  }
  went_well();
  wrote_ = true;
  const bool first = unsynced_.empty();
  unsynced_.emplace(entry.number, now());
  if (first) changed_.notify_one();
  return std::nullopt;
} catch (const std::exception& error) {  // no memory
  return std::string("the journal failed: ") + error.what();
}

void SqliteJournal::Keeper::settle(const std::vector<std::uint64_t>& numbers) try {
  const Lock lock(mutex_);
  for (const auto number : numbers) unsynced_.erase(number);
  // At once, so that the thing's next call begins when a kill cannot bring them back any more: its
  // effect would be overwritten.
  if (file_ && settled_.empty()) {
    const auto fault = file_->remove(numbers);
    if (!fault) {
      wrote_ = true;
      return;
    }
    failed(*fault);
  }
  settled_.insert(settled_.end(), numbers.begin(), numbers.end());
  if (remove_at_ == MonotonicTime::max()) {
    remove_at_ = now() + settings_.retry_after;
    changed_.notify_one();
  }
} catch (const std::exception& error) {  // no memory: they are sent once more after a restart
  log_.write(Severity::error, "updates stay in the journal although they are settled",
             {{"path", path_}, {"cause", error.what()}});
}

SqliteJournal::State SqliteJournal::Keeper::state() const {
  const Lock lock(mutex_);
  return state_;
}

bool SqliteJournal::Keeper::stop() {
  Lock lock(mutex_);
  stopping_ = true;
  changed_.notify_one();
  return changed_.wait_for(lock, settings_.closing, [this] { return ended_; });
}

void SqliteJournal::Keeper::abandon() {
  log_.write(Severity::warning, "the disk does not let the journal go", {{"path", path_}});
  log_.detach();
}

void SqliteJournal::Keeper::run() {
  try {
    serve();
  } catch (const std::exception& error) {  // no memory
    log_.write(Severity::error, "the keeper of the journal gave up",
               {{"path", path_}, {"cause", error.what()}});
  }
  const Lock lock(mutex_);
  file_.reset();
  ended_ = true;
  changed_.notify_all();
}

MonotonicTime SqliteJournal::Keeper::next_due() const {
  auto due = std::min({remove_at_, mend_at_, look_at_});
  if (file_ && !unsynced_.empty()) {
    // The oldest number is the oldest entry.
    due = std::min(due, unsynced_.begin()->second + settings_.sync_after);
  }
  return due;
}

void SqliteJournal::Keeper::serve() {
  Lock lock(mutex_);
  while (!stopping_) {
    const auto due = next_due();
    if (now() < due) {
      changed_.wait_until(lock, due);
      continue;
    }
    if ((reopen_ || !file_) && now() >= mend_at_) mend(lock);
    if (file_ && now() >= remove_at_) remove_settled(lock);
    if (!file_) remove_at_ = MonotonicTime::max();
    if (file_ && !unsynced_.empty() && now() >= unsynced_.begin()->second + settings_.sync_after) {
      sync(lock);
    }
    if (now() >= look_at_) keep_small(lock);
  }
  close(lock);
}

void SqliteJournal::Keeper::remove_settled(Lock& lock) {
  remove_at_ = MonotonicTime::max();
  while (!settled_.empty() && file_) {
    const auto count = std::min(settled_.size(), most_removed_at_once);
    if (const auto fault = file_->remove(std::span(settled_).first(count))) {
      failed(*fault);
      remove_at_ = now() + settings_.retry_after;
      return;
    }
    settled_.erase(settled_.begin(), settled_.begin() + static_cast<std::ptrdiff_t>(count));
    wrote_ = true;
    // Whoever waits to record goes first.
    lock.unlock();
    lock.lock();
  }
}

void SqliteJournal::Keeper::sync(Lock& lock) {
  const auto oldest = unsynced_.begin()->second;
  const auto until = unsynced_.rbegin()->first;
  const auto file = file_;
  lock.unlock();
  const auto fault = file->sync();
  lock.lock();
  if (fault) {
    failed(
        {.kind = FileFault::Kind::unusable, .message = "cannot be brought to the disk: " + *fault});
    return;
  }
  ++state_.syncs;
  unsynced_.erase(unsynced_.begin(), unsynced_.upper_bound(until));
  state_.longest_unsynced = std::max<Duration>(state_.longest_unsynced, now() - oldest);
}

void SqliteJournal::Keeper::keep_small(Lock& lock) {
  look_at_ = now() + look_every;
  if (!file_) return;
  if (file_->has_moved()) return rescue(lock);
  const auto file = file_;
  const auto size = file->log_size();
  // A quiet moment, or a large log.
  if (!wrote_ || (size < log_to_checkpoint && !(unsynced_.empty() && settled_.empty()))) return;
  const bool wait = size >= largest_log;
  if (!wait) lock.unlock();
  const auto done = file->checkpoint();
  if (!wait) lock.lock();
  if (!done) return failed(done.error());
  if (*done) wrote_ = !unsynced_.empty();
}

/// Takes everything out of a file that goes with the connection to it.
void SqliteJournal::Keeper::rescue(Lock& lock) {
  log_.write(Severity::error, "the journal was removed or replaced: its updates are written anew",
             {{"path", path_}});
  auto content = file_->read();
  unsaved_.insert(unsaved_.end(), std::make_move_iterator(content.entries.begin()),
                  std::make_move_iterator(content.entries.end()));
  file_->leave_behind();
  file_.reset();
  mend(lock);
}

void SqliteJournal::Keeper::mend(Lock& lock) {
  mend_at_ = now() + settings_.retry_after;
  reopen_ = false;
  auto old = std::exchange(file_, nullptr);
  lock.unlock();
  old.reset();
  auto opened = open_whole(path_, settings_.max_size, log_);
  lock.lock();
  if (!opened) return failed(opened.error());
  auto& [file, entries, saved] = opened.value();
  if (!saved) {
    unsaved_.insert(unsaved_.end(), std::make_move_iterator(entries.begin()),
                    std::make_move_iterator(entries.end()));
  }
  if (!file) return;
  while (!unsaved_.empty()) {
    const auto& entry = unsaved_.back();
    const bool settled = std::ranges::find(settled_, entry.number) != settled_.end();
    if (!settled) {
      if (const auto fault = file->record(entry)) return failed(*fault);
      unsynced_.emplace(entry.number, now());
    }
    unsaved_.pop_back();
  }
  file_ = std::move(file);
  mend_at_ = MonotonicTime::max();
  if (!settled_.empty()) remove_at_ = now();
  went_well();
}

void SqliteJournal::Keeper::close(Lock& lock) {
  if (!file_) return;
  remove_settled(lock);
  auto file = std::exchange(file_, nullptr);
  lock.unlock();
  if (file) file->sync();
  file.reset();
  lock.lock();
}

void SqliteJournal::Keeper::went_well() {
  if (!state_.failing) return;
  state_.failing = false;
  state_.cause.clear();
  log_.write(Severity::info, "the journal can be written again", {{"path", path_}});
}

void SqliteJournal::Keeper::failed(const FileFault& fault) {
  state_.cause = fault.message;
  if (!std::exchange(state_.failing, true)) {
    log_.write(Severity::error, "the journal cannot be written: updates are refused",
               {{"path", path_}, {"cause", fault.message}});
  }
  if (fault.kind != FileFault::Kind::full || !file_) {
    reopen_ = fault.kind != FileFault::Kind::full;
    mend_at_ = std::min(mend_at_, now() + settings_.retry_after);
    changed_.notify_one();
  }
}

}  // namespace jobs_bridge::journal
