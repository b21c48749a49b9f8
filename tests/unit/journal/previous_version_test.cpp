#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <set>

#include "tests/unit/journal/forgetful_disk.h"
#include "tests/unit/journal/journal_fixture.h"

/// A journal of version 1, in which an update's number was its place, in pages of 1024 bytes.
namespace jobs_bridge::store {
namespace {

using testing::IsSubsetOf;
using testing::UnorderedElementsAre;

class PreviousVersionTest : public JournalFixture {};

TEST_F(PreviousVersionTest, ItIsTakenOverWholeAndConverted) {
  put_previous_version(path_);
  {
    const auto journal = open();
    EXPECT_EQ(numbers(journal->take_loaded()), range(1, 8));
    EXPECT_EQ(log_.count("", Severity::info), 0U) << log_.text();
    journal->settle({1});
    record(*journal, 9, 9);
  }
  EXPECT_EQ(stored(), range(2, 9));
  EXPECT_EQ(value_in(path_, "PRAGMA user_version"), "2");
  EXPECT_EQ(value_in(path_, "PRAGMA page_size"), "512");
  EXPECT_EQ(value_in(path_, "SELECT count(*) FROM sqlite_schema"), "1");
}

/// Then the file keeps its page size, since it cannot be rewritten.
TEST_F(PreviousVersionTest, ItIsConvertedBesideSomebodyWhoReadsTheFile) {
  put_previous_version(path_);
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
  EXPECT_EQ(value_in(path_, "PRAGMA page_size"), "1024");
  EXPECT_EQ(stored(), range(481, 501));
}

TEST_F(PreviousVersionTest, ADamagedOneLosesDamagedEntriesAlone) {
  put_previous_version(path_);
  // All of it in the database.
  value_in(path_, "PRAGMA wal_checkpoint(TRUNCATE)");
  std::ifstream file(path_, std::ios::binary);
  std::string whole{std::istreambuf_iterator<char>(file), {}};
  const auto pages = std::stoul(value_in(path_, "PRAGMA page_count"));
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

TEST_F(PreviousVersionTest, AnEntryThatIsNotAsItWasWrittenIsLostAndTheFileKeptUnconverted) {
  put_previous_version(path_);
  value_in(path_, "PRAGMA wal_checkpoint(TRUNCATE)");
  std::ifstream file(path_, std::ios::binary);
  std::string damaged{std::istreambuf_iterator<char>(file), {}};
  damaged.replace(damaged.find(R"("step":"5")"), 10, R"("step":"6")");
  std::filesystem::remove(path_ + "-wal");
  std::filesystem::remove(path_ + "-shm");
  std::ofstream(path_, std::ios::binary) << damaged;
  const auto journal = open();
  EXPECT_THAT(numbers(journal->take_loaded()), UnorderedElementsAre(1, 2, 3, 4, 6, 7, 8));
  EXPECT_EQ(value_in(path_ + ".damaged-1", "PRAGMA user_version"), "1");
  EXPECT_EQ(value_in(path_, "PRAGMA user_version"), "2");
}

TEST_F(PreviousVersionTest, NoPowerCutDuringTheConversionTakesAnUpdate) {
  const auto home = directory_.file("disk");
  std::filesystem::create_directory(home);
  put_previous_version(home + "/journal");
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
    versions.insert(value_in(place + "/journal", "PRAGMA user_version"));
    testing_support::RecordingLog log;
    const auto opened = SqliteJournal::open(place + "/journal", log, settings);
    ASSERT_TRUE(opened) << opened.error();
    EXPECT_EQ(numbers(opened.value()->take_loaded()), range(1, 8));
    EXPECT_EQ(log.count("set aside"), 0U) << log.text();
  }
  EXPECT_THAT(versions, testing::ElementsAre("1", "2"));
}

}  // namespace
}  // namespace jobs_bridge::store
