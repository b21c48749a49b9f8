#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <set>

#include "tests/support/wait_until.h"
#include "tests/unit/journal/forgetful_disk.h"
#include "tests/unit/journal/journal_fixture.h"

/// A journal of version 1, in which an update's number was its place, in pages of 1024 bytes.
namespace jobs_bridge::store {
namespace {

using testing::IsSubsetOf;
using testing_support::wait_until;

class PreviousVersionTest : public JournalFixture {
 protected:
  /// What a kill left of 8 updates: some of them are in the log alone.
  static void put_at(const std::string& path) {
    for (const std::string end : {"", "-wal"}) {
      std::filesystem::copy_file(WRITTEN_BEFORE "/journal" + end, path + end);
    }
  }
  static std::string value(const std::string& path, const std::string& question) {
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
};

TEST_F(PreviousVersionTest, ItIsTakenOverWholeAndConverted) {
  put_at(path_);
  {
    const auto journal = open();
    EXPECT_EQ(numbers(journal->take_loaded()), range(1, 8));
    EXPECT_EQ(log_.count("", Severity::info), 0U) << log_.text();
    journal->settle({1});
    record(*journal, 9, 9);
  }
  EXPECT_EQ(stored(), range(2, 9));
  EXPECT_EQ(value(path_, "PRAGMA user_version"), "2");
  EXPECT_EQ(value(path_, "PRAGMA page_size"), "512");
  EXPECT_EQ(value(path_, "SELECT count(*) FROM sqlite_schema"), "1");
}

/// Then the file keeps its page size, since it cannot be rewritten.
TEST_F(PreviousVersionTest, ItIsConvertedBesideSomebodyWhoReadsTheFile) {
  put_at(path_);
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT number FROM updates", nullptr, nullptr, nullptr),
            SQLITE_OK);
  {
    const auto journal = open();
    EXPECT_EQ(numbers(journal->take_loaded()), range(1, 8));
    record(*journal, 9, 500);
    for (std::uint64_t number = 1; number <= 480; ++number) journal->settle({number});
    record(*journal, 501, 501);
  }
  sqlite3_close(reader);
  EXPECT_EQ(value(path_, "PRAGMA page_size"), "1024");
  EXPECT_EQ(stored(), range(481, 501));
}

TEST_F(PreviousVersionTest, ADamagedOneLosesDamagedEntriesAlone) {
  put_at(path_);
  // All of it in the database.
  value(path_, "PRAGMA wal_checkpoint(TRUNCATE)");
  std::ifstream file(path_, std::ios::binary);
  std::string whole{std::istreambuf_iterator<char>(file), {}};
  const auto pages = std::stoul(value(path_, "PRAGMA page_count"));
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same test every time
  // Every page but the first two, which lead to the others.
  for (std::size_t page = 2; page < pages; ++page) {
    auto damaged = whole;
    for (std::size_t i = 0; i < 1024; ++i) damaged[page * 1024 + i] = static_cast<char>(random());
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      std::filesystem::remove(entry.path());
    }
    std::ofstream(path_, std::ios::binary) << damaged;
    const auto opened = SqliteJournal::open(path_, log_, settings);
    ASSERT_TRUE(opened) << opened.error();
    const auto there = numbers(opened.value()->take_loaded());
    EXPECT_THAT(there, IsSubsetOf(range(1, 8))) << "page " << page;
    EXPECT_GE(there.size(), 4U) << "page " << page << "\n" << log_.text();
    EXPECT_FALSE(opened.value()->record(entry_of(9))) << "page " << page;
  }
}

TEST_F(PreviousVersionTest, NoPowerCutDuringTheConversionTakesAnUpdate) {
  const auto home = directory_.file("disk");
  std::filesystem::create_directory(home);
  put_at(home + "/journal");
  std::vector<ForgetfulDisk::Image> cuts;
  {
    std::mutex mutex;
    ForgetfulDisk disk(home);
    disk.set_seen([&](const ForgetfulDisk::Image& image) {
      const std::lock_guard lock(mutex);
      cuts.push_back(image);
    });
    const auto opened = SqliteJournal::open(home + "/journal", log_, settings);
    ASSERT_TRUE(opened) << opened.error();
    disk.set_seen(nullptr);
  }
  ASSERT_GT(cuts.size(), 10U);
  std::set<std::string> versions;
  const auto step = cuts.size() / 40 + 1;
  for (std::size_t i = 0; i < cuts.size(); i += i + step < cuts.size() ? step : 1) {
    const auto& cut = cuts[i];
    const auto place = directory_.file("after");
    std::filesystem::remove_all(place);
    std::filesystem::create_directory(place);
    for (const auto& [name, content] : cut) {
      std::ofstream(place + "/" + name, std::ios::binary) << *content;
    }
    versions.insert(value(place + "/journal", "PRAGMA user_version"));
    testing_support::RecordingLog log;
    const auto opened = SqliteJournal::open(place + "/journal", log, settings);
    ASSERT_TRUE(opened) << opened.error();
    EXPECT_EQ(numbers(opened.value()->take_loaded()), range(1, 8));
    EXPECT_EQ(log.count("set aside"), 0U) << log.text();
  }
  EXPECT_THAT(versions, testing::ElementsAre("1", "2"));
}

/// Only root may mount a disk that the test can fill.
TEST_F(PreviousVersionTest, OnAFullDiskItIsTakenOverAndConvertedOnceThereIsSpace) {
  const auto home = directory_.file("small");
  std::filesystem::create_directory(home);
  if (geteuid() != 0 || mount("none", home.c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "only root may mount a small disk";
  }
  const auto path = home + "/journal";
  put_at(path);
  {
    std::ofstream filler(home + "/filler", std::ios::binary);
    while (filler.put('x').flush()) {
    }
  }
  {
    const auto opened = SqliteJournal::open(path, log_, settings);
    EXPECT_TRUE(opened) << opened.error();
    EXPECT_EQ(numbers(opened.value()->take_loaded()), range(1, 8));
    EXPECT_TRUE(opened.value()->record(entry_of(9)));
    std::filesystem::remove(home + "/filler");
    EXPECT_TRUE(wait_until([&] { return !opened.value()->record(entry_of(9)); }));
  }
  {
    const auto again = SqliteJournal::open(path, log_, settings);
    EXPECT_EQ(numbers(again.value()->take_loaded()), range(1, 9));
  }
  EXPECT_EQ(value(path, "PRAGMA user_version"), "2");
  EXPECT_EQ(umount2(home.c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace jobs_bridge::store
