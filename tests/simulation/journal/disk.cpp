#include "tests/simulation/journal/disk.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace jobs_bridge::simulation {

using namespace std::chrono_literals;
using store::FileFault;

namespace {

/// A page of the log, with its frame.
constexpr std::size_t page = 536;

void add_to(const Disk::Write& write, Disk::Entries& entries) {
  for (const auto number : write.removed) entries.erase(number);
  if (write.added) entries.insert_or_assign(write.added->number, *write.added);
}

std::vector<JournalEntry> rows(const Disk::Entries& entries) {
  std::vector<JournalEntry> all;
  all.reserve(entries.size());
  for (const auto& [number, entry] : entries) all.push_back(entry);
  return all;
}

}  // namespace

thread_local Disk* Disk::current_ = nullptr;

Disk::Entries Disk::Database::safe() const {
  auto entries = base;
  for (const auto& write : log) {
    // SQLite takes the log to end where one is missing.
    if (!write.on_disk) break;
    add_to(write, entries);
  }
  return entries;
}

void Disk::kill() {
  writing_.reset();
  if (!at_path_) return;
  at_path_->opened_by = nullptr;
  // Who opens it next does not know.
  at_path_->distrusted = false;
  for (auto& write : at_path_->log) write.inherited = true;
}

Duration Disk::distrusted() const {
  const bool is = at_path_ && at_path_->distrusted;
  return distrusted_ + (is ? threads_.now() - at_path_->distrusted_since : Duration());
}

void Disk::cut_power() {
  kill();
  if (!at_path_) return;
  auto& database = *at_path_;
  auto end = std::ranges::find(database.log, false, &Write::on_disk);
  // What the system has brought to the disk by itself.
  while (end != database.log.end() && !end->dropped && dice_.chance(0.5)) ++end;
  database.log.erase(end, database.log.end());
  database.seen = database.base;
  for (auto& write : database.log) {
    write.on_disk = true;
    add_to(write, database.seen);
  }
}

/// While the file is in use. Checks that the threads share it as they may.
class SimulatedFile::Use {
 public:
  Use(const SimulatedFile& file, unsigned groups) : file_(file), groups_(groups) {
    auto& threads = file.disk_.threads_;
    if (threads.holds_mutex()) threads.broken("the file is not touched while the mutex is held");
    if ((file.in_use_ & groups) != 0) {
      threads.broken("operations of one group are not in use at the same time");
    }
    file.in_use_ |= groups;
  }
  ~Use() { file_.in_use_ &= ~groups_; }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  const SimulatedFile& file_;
  const unsigned groups_;
};

void SimulatedFile::take_time(Duration usual, MonotonicTime Disk::Faults::*hangs) {
  auto& disk = Disk::current();
  auto& threads = disk.threads_;
  const auto usually = std::chrono::duration_cast<Duration>(usual * disk.faults.slowness);
  auto until = threads.now() + disk.dice_.between(usually / 2, usually * 2);
  do {
    until = std::max(until, disk.faults.*hangs);
    disk.busy_.add(threads.now(), until);
    threads.sleep_until(until);
  } while (disk.faults.*hangs > threads.now());
}

Result<store::Opened<SimulatedFile>, FileFault> SimulatedFile::open_or_recover(
    const std::string& /*path*/, std::size_t /*max_size*/, Log& /*log*/) {
  auto& disk = Disk::current();
  if (disk.threads_.holds_mutex()) {
    disk.threads_.broken("the file is not touched while the mutex is held");
  }
  const auto began = disk.threads_.now();
  take_time(2ms, &Disk::Faults::writes_hang);
  if (disk.dice_.chance(disk.faults.failing_opens)) {
    ++disk.failures_;
    return Failure{FileFault{FileFault::Kind::unusable, "cannot be opened: I/O error"}};
  }
  if (!disk.at_path_) disk.at_path_ = std::make_shared<Disk::Database>();
  const auto database = disk.at_path_;
  if (database->opened_by != nullptr) {
    disk.threads_.broken("the file is closed before it is opened again");
    return Failure{FileFault{FileFault::Kind::unusable, "is in use by another process"}};
  }
  // What the system has dropped may be read from the disk now.
  const auto dropped = std::ranges::find(database->log, true, &Disk::Write::dropped);
  if (dropped != database->log.end() && disk.dice_.chance(0.5)) {
    database->log.erase(dropped, database->log.end());
    database->seen = database->base;
    for (const auto& write : database->log) add_to(write, database->seen);
    disk.has_forgotten_();
  }
  store::Opened<SimulatedFile> opened;
  opened.content.rows = rows(database->seen);
  if (disk.faults.space && *disk.faults.space < page && disk.dice_.chance(0.3)) {
    ++disk.failures_;
    return opened;
  }
  opened.file = std::make_unique<SimulatedFile>(database);
  opened.file->opened_ = began;
  return opened;
}

SimulatedFile::SimulatedFile(std::shared_ptr<Disk::Database> database)
    : disk_(Disk::current()), database_(std::move(database)), opened_(disk_.threads_.now()) {
  database_->opened_by = this;
}

SimulatedFile::~SimulatedFile() {
  auto& threads = disk_.threads_;
  if (threads.self() == nullptr || threads.ends()) return;
  if (threads.holds_mutex()) threads.broken("the file is not closed while the mutex is held");
  if (in_use_ != 0) threads.broken("the file is not closed while it is in use");
  if (!leaves_ && !has_moved()) {
    if (database_->distrusted) {
      threads.broken("what the disk may have forgotten is not brought into the database");
    }
    const auto end = end_of_log();
    auto until = std::max(threads.now() + disk_.dice_.between(500us, 5ms), disk_.faults.syncs_hang);
    disk_.busy_.add(threads.now(), until);
    threads.sleep_in_destructor(until);
    if (threads.ends()) return;
    // Who closes a file is not told.
    if (!disk_.dice_.chance(disk_.faults.failing_syncs)) {
      bring_into_database(end);
      if (database_->log.empty()) database_->log_used = database_->log_size = 0;
    }
  }
  if (database_->opened_by == this) database_->opened_by = nullptr;
}

store::Content<JournalEntry> SimulatedFile::read() {
  const Use use(*this, writing);
  take_time(1ms, &Disk::Faults::writes_hang);
  store::Content<JournalEntry> content;
  content.rows = rows(database_->seen);
  return content;
}

std::optional<FileFault> SimulatedFile::write(const JournalEntry* added,
                                              std::span<const std::uint64_t> removed) {
  const Use use(*this, writing);
  auto& database = *database_;
  ++disk_.writes_;
  const auto began = disk_.threads_.now();
  Disk::Write what{.added = added != nullptr ? std::optional(*added) : std::nullopt,
                   .removed = {removed.begin(), removed.end()}};
  std::optional<FileFault> fault;
  const auto carry_out = [&] {
    if (disk_.dice_.chance(disk_.faults.failing_writes)) {
      fault = FileFault{FileFault::Kind::unusable, "cannot be written: I/O error"};
      return;
    }
    const auto begins_anew = database.log.empty() && !disk_.faults.has_reader;
    const auto end = (begins_anew ? 0 : database.log_used) + (added ? disk_.log_bytes : 0) +
                     page * (1 + removed.size() / 8);
    if (end > database.log_size) {
      auto& space = disk_.faults.space;
      if (space && end - database.log_size > *space) {
        fault = FileFault{FileFault::Kind::full, "has no space: its disk is full"};
        return;
      }
      if (space) *space -= end - database.log_size;
      database.log_size = end;
    }
    database.log_used = end;
    add_to(what, database.seen);
    database.log.push_back(what);
    if (database_ == disk_.at_path_) disk_.observer_(what, began, opened_);
  };
  if (added != nullptr && database.seen.contains(added->number) &&
      std::ranges::find(removed, added->number) == removed.end()) {
    disk_.threads_.broken("an entry is written once");
  }
  // It may have happened long before the call returns, or at its end.
  const bool early = disk_.dice_.chance(0.5);
  if (early) carry_out();
  disk_.writing_ = disk_.writes_;
  take_time(disk_.write_time, &Disk::Faults::writes_hang);
  disk_.writing_.reset();
  if (!early) carry_out();
  if (fault) ++disk_.failures_;
  return fault;
}

bool SimulatedFile::has_moved() const {
  return database_ != disk_.at_path_;
}

std::size_t SimulatedFile::log_size() const {
  const Use use(*this, syncing);
  disk_.threads_.step();
  return database_->log_size;
}

std::span<Disk::Write> SimulatedFile::log_until(std::uint64_t end) {
  const auto count = end > database_->brought ? end - database_->brought : 0;
  return std::span(database_->log).first(std::min<std::size_t>(count, database_->log.size()));
}

/// The writes until there are brought to the disk, or not: then the system may have dropped any.
bool SimulatedFile::sync_fails(std::uint64_t end) {
  if (disk_.dice_.chance(disk_.faults.failing_syncs)) {
    ++disk_.failures_;
    if (!database_->distrusted) database_->distrusted_since = disk_.threads_.now();
    database_->distrusted = true;
    for (auto& write : log_until(end)) {
      if (!write.on_disk && !write.inherited && disk_.dice_.chance(0.5)) write.dropped = true;
    }
    return true;
  }
  for (auto& write : log_until(end)) {
    if (!write.dropped) write.on_disk = true;
  }
  return false;
}

std::optional<std::string> SimulatedFile::sync() {
  const Use use(*this, syncing);
  ++disk_.syncs_;
  const auto end = end_of_log();
  take_time(3ms, &Disk::Faults::syncs_hang);
  if (sync_fails(end)) return "Input/output error";
  return std::nullopt;
}

std::optional<std::string> SimulatedFile::rewrite_log() {
  for (auto& write : database_->log) write.dropped = false;
  const auto cause = sync();
  if (!cause && std::exchange(database_->distrusted, false)) {
    disk_.distrusted_ += disk_.threads_.now() - database_->distrusted_since;
  }
  return cause;
}

void SimulatedFile::bring_into_database(std::uint64_t end) {
  const auto writes = log_until(end);
  for (const auto& write : writes) add_to(write, database_->base);
  const auto count = writes.size();
  database_->brought += count;
  auto& log = database_->log;
  log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(count));
}

Result<bool, FileFault> SimulatedFile::checkpoint() {
  const Use use(*this, checkpointing);
  ++disk_.checkpoints_;
  if (database_->distrusted) {
    disk_.threads_.broken("what the disk may have forgotten is not brought into the database");
  }
  const auto end = end_of_log();
  take_time(6ms, &Disk::Faults::syncs_hang);
  if (sync_fails(end)) {
    return Failure{FileFault{FileFault::Kind::unusable, "cannot be synced to disk: I/O error"}};
  }
  if (disk_.faults.space && disk_.dice_.chance(0.1)) {
    ++disk_.failures_;
    return Failure{FileFault{FileFault::Kind::full, "has no space: its disk is full"}};
  }
  if (disk_.faults.has_reader) {
    bring_into_database(end - std::min<std::uint64_t>(disk_.dice_.below(8), database_->log.size()));
    return false;
  }
  bring_into_database(end);
  return true;
}

Result<bool, FileFault> SimulatedFile::truncate_log() {
  const Use use(*this, writing);
  const auto done = checkpoint();
  if (done && *done && database_->log.empty()) database_->log_used = database_->log_size = 0;
  return done;
}

bool SimulatedFile::make_room(std::size_t /*bytes*/, std::size_t updates, bool log_begins_anew) {
  const Use use(*this, writing);
  take_time(30us, &Disk::Faults::writes_hang);
  const auto end =
      (log_begins_anew ? 0 : database_->log_used) + updates * (disk_.log_bytes + 10 * page);
  if (end <= database_->log_size) return true;
  auto& space = disk_.faults.space;
  if (space && end - database_->log_size > *space) return false;
  if (space) *space -= end - database_->log_size;
  database_->log_size = end;
  return true;
}

}  // namespace jobs_bridge::simulation
