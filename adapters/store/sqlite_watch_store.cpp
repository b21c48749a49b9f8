#include "adapters/store/sqlite_watch_store.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "adapters/store/disk_threads.h"
#include "adapters/store/watch_changes.h"
#include "adapters/store/watch_file.h"

namespace jobs_bridge::store {
namespace {

/// A disk that is too slow for everything within Pace::closing keeps some of it.
constexpr std::size_t max_in_a_transaction = 10'000;

constexpr std::string_view failed =
    "changes to watched things cannot be written: they are kept in memory and tried again";
constexpr std::string_view lost = "changes to watched things are lost";

/// Takes a part out of `changes`.
Changes::Map part_of(Changes::Map& changes) {
  if (changes.size() <= max_in_a_transaction) return std::exchange(changes, Changes::Map());
  Changes::Map part;
  while (part.size() < max_in_a_transaction) part.insert(changes.extract(changes.begin()));
  return part;
}

}  // namespace

/// What the writing thread does, and what it shares with the store.
class SqliteWatchStore::Writer {
 public:
  /// `log` must live until the thread has ended, or abandon().
  Writer(std::string path, std::unique_ptr<WatchFile> file, Pace pace, Log& log)
      : path_(std::move(path)), pace_(pace), file_(std::move(file)), log_(log) {}

  /// Of the store. Does not throw.
  void add(std::vector<WatchedThing> changed, std::vector<std::string> forgotten);
  void add_older(std::vector<WatchedThing> things);
  /// Has the thread write what is left and end; false if it did not in time.
  bool stop();
  /// Lets go of a thread that does not end: it uses the log no more.
  void abandon();

  /// The thread. Never throws.
  void run();

 private:
  using Lock = std::unique_lock<std::mutex>;

  void serve();
  /// Writes everything that waits; the fault with which it did not. What was not written waits
  /// again.
  std::optional<FileFault> write_all();
  std::optional<FileFault> make_ready();
  void recover_moved_file();
  void wait_for_more(Lock& lock, std::optional<MonotonicTime> not_before);
  [[nodiscard]] bool is_late();
  void report(Severity severity, std::string_view event, std::string_view cause,
              std::size_t things);

  const std::string path_;
  const Pace pace_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Changes waiting_;
  bool stopping_ = false;
  bool ended_ = false;
  MonotonicTime deadline_;  ///< when stopping

  std::unique_ptr<WatchFile> file_;  ///< of the thread; null: to be opened again

  DetachableLog log_;
};

void SqliteWatchStore::Writer::add(std::vector<WatchedThing> changed,
                                   std::vector<std::string> forgotten) try {
  const Lock lock(mutex_);
  for (auto& thing : changed) waiting_.change(std::move(thing));
  for (auto& thing : forgotten) waiting_.forget(std::move(thing));
  changed_.notify_all();
} catch (const std::exception& error) {  // no memory
  report(Severity::error, lost, error.what(), changed.size() + forgotten.size());
}

void SqliteWatchStore::Writer::add_older(std::vector<WatchedThing> things) {
  const Lock lock(mutex_);
  waiting_.add_older(std::move(things));
  changed_.notify_all();
}

bool SqliteWatchStore::Writer::stop() {
  Lock lock(mutex_);
  stopping_ = true;
  deadline_ = std::chrono::steady_clock::now() + pace_.closing;
  changed_.notify_all();
  // The thread minds the deadline itself, but where it waits for the disk.
  const auto limit = deadline_ + pace_.closing / 4;
  return changed_.wait_until(lock, limit, [this] { return ended_; });
}

void SqliteWatchStore::Writer::abandon() {
  log_.write(Severity::error,
             "the file of watched things was not closed in time: its disk does not respond",
             {{"path", path_}, {"hint", "check the disk that notify.path is on"}});
  log_.detach();
}

void SqliteWatchStore::Writer::run() {
  try {
    serve();
  } catch (const std::exception& error) {  // no memory
    report(Severity::error,
           "the thread that writes watched things failed: changes are not kept until a restart",
           error.what(), 0);
  }
  try {
    if (file_ && is_late()) file_->leave_as_it_is();
    file_.reset();
  } catch (const std::exception&) {
    // Nothing is left to do with a mutex that cannot be locked.
  }
  const Lock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void SqliteWatchStore::Writer::serve() {
  Duration pause = pace_.first_retry;
  bool is_failing = false;
  std::optional<MonotonicTime> not_before;
  while (true) {
    Lock lock(mutex_);
    wait_for_more(lock, not_before);
    if (waiting_.empty()) return;
    const bool is_last = stopping_;
    lock.unlock();
    const auto fault = write_all();
    const auto now = std::chrono::steady_clock::now();
    lock.lock();
    const auto left = waiting_.size();
    lock.unlock();
    if (!fault) {
      if (is_failing)
        report(Severity::info, "changes to watched things can be written again", {}, left);
      is_failing = false;
      pause = pace_.first_retry;
      not_before = now + pace_.between_rounds;
      continue;
    }
    report(Severity::warning, is_last ? lost : failed, fault->message, left);
    if (is_last) return;
    is_failing = true;
    not_before = now + pause;
    pause = std::min(pause * 2, pace_.max_retry);
  }
}

void SqliteWatchStore::Writer::wait_for_more(Lock& lock, std::optional<MonotonicTime> not_before) {
  if (not_before) changed_.wait_until(lock, *not_before, [this] { return stopping_; });
  changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
}

std::optional<FileFault> SqliteWatchStore::Writer::write_all() {
  if (auto fault = make_ready()) return fault;
  Changes::Map all;
  {
    const Lock lock(mutex_);
    all = waiting_.take();
  }
  const auto started = all.size();
  while (!all.empty()) {
    Changes::Map part = part_of(all);
    auto fault = file_->write(part, [this] { return is_late(); });
    if (!fault) continue;
    {
      const Lock lock(mutex_);
      waiting_.add_older(std::move(part));
      waiting_.add_older(std::move(all));
    }
    // What else may be wrong shows when it is opened again, and is dealt with there.
    const bool is_passing =
        is_for_want_of_space(fault->kind) || fault->kind == FileFault::Kind::late;
    if (!is_passing) {
      if (fault->kind == FileFault::Kind::damaged) file_->leave_as_it_is();
      file_.reset();
    }
    return fault;
  }
  report(Severity::debug, "changes to watched things were written", {}, started);
  return std::nullopt;
}

/// There is a file, and the path leads to it.
std::optional<FileFault> SqliteWatchStore::Writer::make_ready() {
  if (file_ && file_->has_moved()) recover_moved_file();
  if (file_) return std::nullopt;
  auto opened = WatchFile::open_or_recover(path_, log_);
  if (!opened) return opened.error();
  file_ = std::move(opened->file);
  if (!opened->saved) add_older(std::move(opened->content.rows));
  return std::nullopt;
}

/// Takes everything out of a file that goes with the connection to it.
void SqliteWatchStore::Writer::recover_moved_file() {
  auto things = file_->read().rows;
  report(Severity::warning,
         "the file of watched things was removed or replaced: all of them are written to a new one",
         {}, things.size());
  add_older(std::move(things));
  file_->leave_behind();
  file_.reset();
}

bool SqliteWatchStore::Writer::is_late() {
  const Lock lock(mutex_);
  return stopping_ && std::chrono::steady_clock::now() > deadline_;
}

void SqliteWatchStore::Writer::report(Severity severity, std::string_view event,
                                      std::string_view cause, std::size_t things) {
  if (!log_.enabled(severity)) return;
  const std::string count = std::to_string(things);
  if (cause.empty()) {
    log_.write(severity, event, {{"path", path_}, {"things", count}});
  } else {
    log_.write(severity, event, {{"path", path_}, {"cause", cause}, {"things", count}});
  }
}

Result<std::unique_ptr<SqliteWatchStore>, std::string> SqliteWatchStore::open(
    const std::string& path, Log& log, Pace pace) {
  try {
    const std::string place = canonical_path(path);
    auto opened = WatchFile::open_or_recover(place, log);
    if (!opened) return Failure{path + " " + opened.error().message};
    auto& [file, content, saved] = *opened;
    auto writer = std::make_shared<Writer>(place, std::move(file), pace, log);
    if (!saved) writer->add_older(content.rows);
    return std::unique_ptr<SqliteWatchStore>(
        new SqliteWatchStore(std::move(writer), std::move(content.rows)));
  } catch (const std::exception& error) {  // no memory, no thread
    return Failure{path + " cannot be stored: " + error.what()};
  }
}

SqliteWatchStore::SqliteWatchStore(std::shared_ptr<Writer> writer, std::vector<WatchedThing> loaded)
    : loaded_(std::move(loaded)),
      threads_(std::unique_ptr<DiskThreads<Writer>>(
          new DiskThreads<Writer>(std::move(writer), {{"watched-writer", &Writer::run}}))) {}

SqliteWatchStore::~SqliteWatchStore() = default;

std::vector<WatchedThing> SqliteWatchStore::take_loaded() {
  return std::exchange(loaded_, {});
}

void SqliteWatchStore::save(std::vector<WatchedThing> changed, std::vector<std::string> forgotten) {
  (*threads_)->add(std::move(changed), std::move(forgotten));
}

}  // namespace jobs_bridge::store
