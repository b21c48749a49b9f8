#include "adapters/journal/sqlite_journal.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <utility>

#include "adapters/journal/journal_file.h"
#include "adapters/journal/keeper.h"
#include "adapters/sqlite/resolved.h"

namespace jobs_bridge::journal {

namespace {

using namespace std::chrono_literals;

/// Opening it takes less than this, however much is in it, unless the disk hangs.
constexpr Duration first_report = 3s;
constexpr Duration longest_between_reports = 60s;

/// Waits for the disk, but not without a word.
template <typename Opening>
auto wait_for(std::future<Opening> opening, const std::string& path, Log& log) {
  Duration pause = first_report;
  while (opening.wait_for(pause) == std::future_status::timeout) {
    log.write(Severity::warning,
              "the journal is not open yet: its disk is slow or does not respond",
              {{"path", path}});
    pause = std::min(pause * 2, longest_between_reports);
  }
  return opening.get();
}

}  // namespace

Result<std::unique_ptr<SqliteJournal>, std::string> SqliteJournal::open(const std::string& path,
                                                                        Log& log,
                                                                        JournalSettings settings) {
  try {
    std::string place;
    auto opened = wait_for(std::async(std::launch::async,
                                      [&] {
                                        place = sqlite::resolved(path);
                                        return open_whole(place, settings.max_size, log);
                                      }),
                           path, log);
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
  writer_ = std::thread([keeper = keeper_] { keeper->run_writer(); });
  try {
    syncer_ = std::thread([keeper = keeper_] { keeper->run_syncer(); });
  } catch (const std::exception&) {
    keeper_->stop();
    keeper_->abandon();
    writer_.detach();
    throw;
  }
}

SqliteJournal::~SqliteJournal() {
  if (keeper_->stop()) {
    writer_.join();
    syncer_.join();
  } else {
    keeper_->abandon();
    writer_.detach();
    syncer_.detach();
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
