#include "adapters/store/sqlite_journal.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/store/disk_threads.h"
#include "adapters/store/journal_file.h"
#include "adapters/store/journal_work.h"

namespace jobs_bridge::store {
namespace {

using namespace std::chrono_literals;

/// The machine that the bridge runs on.
struct Machine {
  using Mutex = std::mutex;
  using Lock = std::unique_lock<std::mutex>;
  using Condition = std::condition_variable;
  using File = JournalFile;
  using ThreadId = pid_t;  ///< the kernel's name of a thread

  static MonotonicTime now() { return std::chrono::steady_clock::now(); }
  static ThreadId this_thread() { return gettid(); }
  /// Whether a thread of ours could go on if it had a processor: then its disk is not what it waits
  /// for. False also where the kernel does not tell.
  static bool waits_for_processor(ThreadId thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    // Its name, which may be anything, is in parentheses.
    const auto name_end = line.rfind(") ");
    return name_end != std::string::npos && line[name_end + 2] == 'R';
  }
};

/// Opening it takes less than this, however much is in it, unless the disk hangs.
constexpr Duration first_report = 3s;
constexpr Duration max_between_reports = 60s;

/// Waits for the disk, and logs if that takes long.
template <typename Opening>
auto wait_for(std::future<Opening> opening, const std::string& path, Log& log) {
  Duration pause = first_report;
  while (opening.wait_for(pause) == std::future_status::timeout) {
    log.write(Severity::warning,
              "the journal is not open yet: its disk is slow or does not respond",
              {{"path", path}, {"hint", hint_of(FileFault::Kind::late)}});
    pause = std::min(pause * 2, max_between_reports);
  }
  return opening.get();
}

}  // namespace

class SqliteJournal::Work final : public JournalWork<Machine> {
 public:
  using JournalWork::JournalWork;
};

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
    return Failure{path + " cannot be stored: " + error.what()};
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
