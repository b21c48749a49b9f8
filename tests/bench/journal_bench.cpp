#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "adapters/store/sqlite_journal.h"
#include "tests/support/recording_log.h"
#include "tests/support/temporary_directory.h"

/// What journaling costs an update: usage `journal_bench [directory]`, on the disk that counts.
namespace {

using namespace jobs_bridge;
using Clock = std::chrono::steady_clock;

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

JournalEntry entry_of(std::uint64_t number) {
  return {.number = number,
          .received = 1700000000,
          .message = {.topic = "$aws/things/thing-" + std::to_string(number % 1000) +
                               "/jobs/a-job-of-some-length/update",
                      .payload = R"({"status":"IN_PROGRESS","expectedVersion":3,"clientToken":)"
                                 R"("0123456789abcdef","statusDetails":{"progress":"50%"}})"}};
}

void measure(const std::string& path, std::uint64_t open_entries) {
  testing_support::RecordingLog log;
  auto opened = store::SqliteJournal::open(path, log);
  if (!opened) {
    std::cerr << opened.error() << "\n";
    std::exit(1);
  }
  auto& journal = *opened.value();
  constexpr std::uint64_t updates = 50000;
  std::vector<double> waits;
  const auto processor = processor_seconds();
  for (std::uint64_t number = 1; number <= updates; ++number) {
    const auto entry = entry_of(number);
    const auto start = Clock::now();
    if (const auto fault = journal.record(entry)) {
      std::cerr << *fault << "\n";
      std::exit(1);
    }
    waits.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    if (number > open_entries) journal.settle({number - open_entries});
  }
  const auto took = processor_seconds() - processor;
  std::sort(waits.begin(), waits.end());
  std::cout << "with " << open_entries << " entries kept: " << 1e6 * took / updates
            << " us of CPU an update (recorded and settled, with the thread that syncs); record() "
            << "p50 " << waits[waits.size() / 2] << " us, p99 " << waits[waits.size() * 99 / 100]
            << " us, longest " << waits.back() << " us; " << journal.state().syncs << " syncs\n";
}

/// What this process has given the kernel to write to disks, by pages of the page cache: one that
/// is changed again before it was written counts once. 0 where the kernel does not tell.
std::uint64_t bytes_for_the_disk() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return 0;
}

/// At a site's pace: each update is settled after `answered_after`, as by an endpoint's answer.
void measure_wear(const std::string& path, unsigned per_second,
                  std::chrono::milliseconds answered_after) {
  testing_support::RecordingLog log;
  auto opened = store::SqliteJournal::open(path, log);
  if (!opened) {
    std::cerr << opened.error() << "\n";
    std::exit(1);
  }
  const auto before = bytes_for_the_disk();
  const std::uint64_t updates = 20 * per_second;
  const auto pace = std::chrono::microseconds(1'000'000 / per_second);
  const auto behind = static_cast<std::uint64_t>(answered_after / pace);
  auto due = Clock::now();
  for (std::uint64_t number = 1; number <= updates + behind; ++number) {
    if (number <= updates) {
      if (const auto fault = opened.value()->record(entry_of(number))) {
        std::cerr << *fault << "\n";
        std::exit(1);
      }
    }
    if (number > behind) opened.value()->settle({number - behind});
    std::this_thread::sleep_until(due += pace);
  }
  const auto syncs = opened.value()->state().syncs;
  opened.value().reset();
  std::cout << per_second << " updates a second, answered after " << answered_after.count()
            << " ms: " << (bytes_for_the_disk() - before) / updates
            << " bytes an update for the disk; " << syncs << " syncs\n";
}

}  // namespace

int main(int argc, char** argv) {
  const testing_support::TemporaryDirectory directory;
  const std::string folder = argc > 1 ? argv[1] : directory.path().string();
  measure(folder + "/journal-bench-1", 0);
  measure(folder + "/journal-bench-2", 1000);
  measure_wear(folder + "/journal-bench-3", 20, std::chrono::milliseconds(20));
  measure_wear(folder + "/journal-bench-4", 200, std::chrono::milliseconds(20));
  measure_wear(folder + "/journal-bench-5", 200, std::chrono::milliseconds(200));
  for (const auto* name : {"/journal-bench-1", "/journal-bench-2", "/journal-bench-3",
                           "/journal-bench-4", "/journal-bench-5"}) {
    std::filesystem::remove(folder + name);
  }
}
