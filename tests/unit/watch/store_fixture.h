#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/store/sqlite_watch_store.h"
#include "tests/support/recording_log.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::store {

/// What a device could have been told: text that belongs to one thing and one time.
inline std::string told_of(const std::string& thing, std::int64_t asked) {
  std::string told = "{\"" + thing + "\":" + std::to_string(asked) + ",\"jobs\":[";
  for (int job = 0; job < 4; ++job) told += "\"job-" + std::to_string(asked + job) + "\",";
  return told + "]}";
}

inline WatchedThing watched(const std::string& thing, std::int64_t asked) {
  return {.thing = thing, .asked = asked, .told = told_of(thing, asked)};
}

/// `first-0` and so on, all of which asked at the same time.
inline std::vector<WatchedThing> many(int count, std::int64_t asked,
                                      const std::string& first = "thing-") {
  std::vector<WatchedThing> things;
  for (int i = 0; i < count; ++i) things.push_back(watched(first + std::to_string(i), asked));
  return things;
}

/// `thing@asked`, in the order of names; "!" behind one whose text is not the one it should be.
inline std::vector<std::string> names(const std::vector<WatchedThing>& things) {
  std::vector<std::string> result;
  for (const auto& thing : things) {
    result.push_back(thing.thing + "@" + std::to_string(thing.asked) +
                     (thing.told == told_of(thing.thing, thing.asked) ? "" : "!"));
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// What the log says of the first change of a store that is written.
constexpr const char* written = "changes to watched things were written";

class StoreFixture : public ::testing::Test {
 protected:
  using Store = std::unique_ptr<SqliteWatchStore>;
  static constexpr Pace fast = {.between_rounds = std::chrono::milliseconds(1),
                                .first_retry = std::chrono::milliseconds(5),
                                .max_retry = std::chrono::milliseconds(20),
                                .closing = std::chrono::seconds(10)};

  Store open(Pace pace = fast) {
    auto opened = SqliteWatchStore::open(path_, log_, pace);
    if (opened) return std::move(opened).value();
    ADD_FAILURE() << opened.error();
    return nullptr;
  }
  std::string error_of_open(const std::string& path) {
    const auto opened = SqliteWatchStore::open(path, log_, fast);
    return opened ? "none" : opened.error();
  }
  /// What a bridge that starts now would get.
  std::vector<std::string> stored() {
    const Store store = open();
    return store ? names(store->take_loaded()) : std::vector<std::string>{"not opened"};
  }
  void store(std::vector<WatchedThing> things) { open()->save(std::move(things), {}); }

  /// Carries out SQL on the file as another program does.
  void run_sql(const std::string& sql, const std::string& path) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  void run_sql(const std::string& sql) { run_sql(sql, path_); }

  testing_support::TemporaryDirectory directory_;
  const std::string path_ = directory_.file("watched");
  testing_support::RecordingLog log_;
};

}  // namespace jobs_bridge::store
