#include "adapters/store/sqlite_journal.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <utility>

#include "adapters/store/journal_file.h"
#include "adapters/store/journal_threads.h"

namespace jobs_bridge::store {

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
    auto opened =
        wait_for(std::async(std::launch::async,
                            [&] {
                              place = canonical_path(path);
                              return JournalFile::open_or_recover(place, settings.max_size, log);
                            }),
                 path, log);
    if (!opened) return Failure{path + " " + opened.error().message};
    auto loaded = opened->content.rows;
    auto work = std::make_shared<Work>(place, std::move(*opened), settings, log);
    return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(work), std::move(loaded)));
  } catch (const std::exception& error) {  // no memory, no thread
    return Failure{path + " cannot be kept: " + error.what()};
  }
}

SqliteJournal::SqliteJournal(std::shared_ptr<Work> work, std::vector<JournalEntry> loaded)
    : loaded_(std::move(loaded)),
      threads_(new DiskThreads<Work>(std::move(work), {{"journal-writer", &Work::run_writer},
                                                       {"journal-syncer", &Work::run_syncer}})) {}

SqliteJournal::~SqliteJournal() = default;

std::vector<JournalEntry> SqliteJournal::take_loaded() {
  return std::exchange(loaded_, {});
}

std::optional<std::string> SqliteJournal::record(const JournalEntry& entry) {
  return (*threads_)->record(entry);
}

void SqliteJournal::settle(const std::vector<std::uint64_t>& numbers) {
  (*threads_)->settle(numbers);
}

SqliteJournal::State SqliteJournal::state() const {
  return (*threads_)->state();
}

}  // namespace jobs_bridge::store
