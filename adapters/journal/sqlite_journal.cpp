#include "adapters/journal/sqlite_journal.h"

#include <exception>
#include <utility>

#include "adapters/journal/journal_file.h"
#include "adapters/journal/keeper.h"
#include "adapters/sqlite/resolved.h"

namespace jobs_bridge::journal {

Result<std::unique_ptr<SqliteJournal>, std::string> SqliteJournal::open(const std::string& path,
                                                                        Log& log,
                                                                        JournalSettings settings) {
  try {
    const auto place = sqlite::resolved(path);
    auto opened = open_whole(place, settings.max_size, log);
    if (!opened) return Failure{path + " " + opened.error().message};
    auto loaded = opened.value().entries;
    auto keeper = std::make_shared<Keeper>(place, std::move(opened).value(), settings, log);
    return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(keeper), std::move(loaded)));
  } catch (const std::exception& error) {  // no memory, no thread
    return Failure{path + " cannot be kept: " + error.what()};
  }
}

SqliteJournal::SqliteJournal(std::shared_ptr<Keeper> keeper, std::vector<JournalEntry> loaded)
    : keeper_(std::move(keeper)), loaded_(std::move(loaded)) {
  thread_ = std::thread([keeper = keeper_] { keeper->run(); });
}

SqliteJournal::~SqliteJournal() {
  if (keeper_->stop()) {
    thread_.join();
  } else {
    keeper_->abandon();
    thread_.detach();
  }
}

std::vector<JournalEntry> SqliteJournal::take_loaded() {
  return std::exchange(loaded_, {});
}

std::optional<std::string> SqliteJournal::record(const JournalEntry& entry) {
  return keeper_->record(entry);
}

void SqliteJournal::settle(const std::vector<std::uint64_t>& numbers) {
  keeper_->settle(numbers);
}

SqliteJournal::State SqliteJournal::state() const {
  return keeper_->state();
}

}  // namespace jobs_bridge::journal
