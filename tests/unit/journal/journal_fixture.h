#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/store/sqlite_journal.h"
#include "tests/support/recording_log.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::store {

/// An update that belongs to one number, with all that a message can have.
inline JournalEntry entry_of(std::uint64_t number) {
  const auto text = std::to_string(number);
  // From nothing to the longest that MQTT has.
  constexpr std::uint64_t longest = 4'294'967'295'000;
  const auto expiry = number % 8 == 0 ? longest - number : number;
  return {.number = number,
          .received = 1700000000 + static_cast<std::int64_t>(number),
          .message = {.topic = "$aws/things/thing-" + text + "/jobs/job/update",
                      .payload = R"({"status":"IN_PROGRESS","statusDetails":{"step":")" + text +
                                 "\"}}" + std::string(number % 5 * 200, 'x') + '\0' + "\xff",
                      .response_topic = number % 2 == 0 ? "" : "replies/" + text,
                      .correlation_data = std::string("\0", 1) + text,
                      .content_type = number % 3 == 0 ? "application/json" : "",
                      .expires_after = number % 4 == 0 ? std::optional<Duration>(
                                                             std::chrono::milliseconds(expiry))
                                                       : std::nullopt}};
}

inline bool same(const JournalEntry& left, const JournalEntry& right) {
  const auto& a = left.message;
  const auto& b = right.message;
  return left.number == right.number && left.received == right.received && a.topic == b.topic &&
         a.payload == b.payload && a.response_topic == b.response_topic &&
         a.correlation_data == b.correlation_data && a.content_type == b.content_type &&
         a.expires_after == b.expires_after && !b.retained;
}

/// Their numbers; 0 for one that is not as it was recorded.
inline std::vector<std::uint64_t> numbers(const std::vector<JournalEntry>& entries) {
  std::vector<std::uint64_t> all;
  for (const auto& entry : entries) {
    all.push_back(same(entry_of(entry.number), entry) ? entry.number : 0);
  }
  return all;
}

inline std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (auto number = first; number <= last; ++number) all.push_back(number);
  return all;
}

class JournalFixture : public ::testing::Test {
 protected:
  using Opened = std::unique_ptr<SqliteJournal>;
  /// Most tests must not depend on how busy the disk is.
  static constexpr JournalSettings settings = {.write_timeout = std::chrono::seconds(10),
                                               .sync_timeout = std::chrono::seconds(60),
                                               .retry_after = std::chrono::milliseconds(5),
                                               .closing = std::chrono::seconds(10)};

  Opened open(JournalSettings with = settings) {
    auto opened = SqliteJournal::open(path_, log_, with);
    if (opened) return std::move(opened).value();
    ADD_FAILURE() << opened.error();
    return nullptr;
  }
  std::string error_of_open(const std::string& path) {
    const auto opened = SqliteJournal::open(path, log_, settings);
    return opened ? "none" : opened.error();
  }
  /// What a bridge that starts now would get.
  std::vector<std::uint64_t> stored() {
    const Opened journal = open();
    return journal ? numbers(journal->take_loaded()) : std::vector<std::uint64_t>{0};
  }
  static void record(SqliteJournal& journal, std::uint64_t first, std::uint64_t last) {
    for (auto number = first; number <= last; ++number) {
      const auto fault = journal.record(entry_of(number));
      ASSERT_FALSE(fault) << *fault;
    }
  }

  /// A file of version 1: what a kill left of 8 updates, some of them in the log alone.
  static void put_previous_version(const std::string& path) {
    for (const std::string end : {"", "-wal"}) {
      std::filesystem::copy_file(WRITTEN_BEFORE "/journal" + end, path + end);
    }
  }
  static std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// The first value that a question in SQL has for an answer.
  static std::string value_in(const std::string& path, const std::string& question) {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    std::string answer;
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) = values[0];
      return 0;
    };
    sqlite3_exec(database, question.c_str(), take, &answer, nullptr);
    sqlite3_close(database);
    return answer;
  }

  testing_support::TemporaryDirectory directory_;
  const std::string path_ = directory_.file("journal");
  testing_support::RecordingLog log_;
};

}  // namespace jobs_bridge::store
