#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/wait_until.h"
#include "tests/unit/journal/forgetful_disk.h"
#include "tests/unit/journal/journal_fixture.h"

/// What a power cut leaves, on a disk that keeps only what it was told to.
namespace jobs_bridge::store {
namespace {

using namespace std::chrono_literals;
using testing::IsSubsetOf;
using testing::IsSupersetOf;
using testing_support::wait_until;

using Numbers = std::vector<std::uint64_t>;

class DurabilityTest : public JournalFixture {
 protected:
  DurabilityTest() { std::filesystem::create_directory(home_); }

  Opened open_there() {
    auto opened = SqliteJournal::open(home_ + "/journal", log_, settings);
    if (opened) return std::move(opened).value();
    ADD_FAILURE() << opened.error();
    return nullptr;
  }
  /// Records entries and waits until the journal has them on the disk, by what it says.
  static void record_and_sync(SqliteJournal& journal, std::uint64_t first, std::uint64_t last) {
    const auto before = journal.state().syncs;
    record(journal, first, last);
    // The first sync may have begun before the last entry.
    ASSERT_TRUE(wait_until([&] { return journal.state().syncs > before; }));
    const auto since = journal.state().syncs;
    record(journal, last + 1000, last + 1000);
    ASSERT_TRUE(wait_until([&] { return journal.state().syncs > since; }));
    journal.settle({last + 1000});
  }
  /// What a bridge that starts after that power cut would get.
  Numbers stored_in(const ForgetfulDisk::Image& image) {
    const auto place = directory_.file("after");
    std::filesystem::remove_all(place);
    std::filesystem::create_directory(place);
    for (const auto& [name, content] : image) {
      std::ofstream(place + "/" + name, std::ios::binary) << *content;
    }
    testing_support::RecordingLog log;
    const auto opened = SqliteJournal::open(place + "/journal", log, settings);
    EXPECT_TRUE(opened) << opened.error();
    EXPECT_EQ(log.count("set aside"), 0U) << log.text();
    return opened ? numbers(opened.value()->take_loaded()) : Numbers{0};
  }

  const std::string home_ = directory_.file("disk");
};

TEST_F(DurabilityTest, NoPowerCutTakesWhatWasOnTheDiskWhereverItComes) {
  struct Cut {
    ForgetfulDisk::Image image;
    Numbers must;
  };
  std::vector<Cut> cuts;
  std::mutex mutex;
  Numbers must;
  std::uint64_t last = 0;
  ForgetfulDisk disk(home_);
  disk.set_seen([&](const ForgetfulDisk::Image& image) {
    const std::lock_guard lock(mutex);
    cuts.push_back({image, must});
  });
  const auto promise = [&](const Numbers& more, const Numbers& less) {
    const auto image = disk.image();
    const std::lock_guard lock(mutex);
    for (const auto number : less) std::erase(must, number);
    must.insert(must.end(), more.begin(), more.end());
    cuts.push_back({image, must});
  };
  for (int start = 0; start < 3; ++start) {
    auto journal = open_there();
    EXPECT_THAT(numbers(journal->take_loaded()), IsSupersetOf(must));
    for (int round = 0; round < 2; ++round) {
      const auto first = last + 1;
      last += 8;
      record_and_sync(*journal, first, last);
      promise(range(first, last), {});
      promise({}, {first});
      journal->settle({first});
      const auto log_of_writes = home_ + "/journal-wal";
      // The log is brought into the database when it is quiet, and begins anew then.
      const auto database = *disk.image().at("journal");
      EXPECT_TRUE(wait_until([&] { return *disk.image().at("journal") != database; }));
    }
    // The end keeps what was recorded last, too.
    record(*journal, last + 1, last + 3);
    journal.reset();
    promise(range(last + 1, last + 3), {});
    last += 3;
  }
  disk.set_seen(nullptr);
  ASSERT_GT(cuts.size(), 100U);
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same test every time
  std::shuffle(cuts.begin() + 1, cuts.end(), random);
  std::size_t tried = 0;
  for (const auto& cut : cuts) {
    if (!cut.image.contains("journal")) {
      ASSERT_TRUE(cut.must.empty()) << "the file is gone";
      continue;
    }
    if (++tried > 150) break;
    ASSERT_THAT(stored_in(cut.image), IsSupersetOf(cut.must)) << tried;
  }
}

/// Then the log is not brought into the database at the end, and stays.
TEST_F(DurabilityTest, AnEndBesideSomebodyWhoReadsTheFileKeepsWhatWasRecordedLast) {
  ForgetfulDisk disk(home_);
  auto journal = open_there();
  record(*journal, 1, 5);
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open((home_ + "/journal").c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT number FROM updates", nullptr, nullptr, nullptr),
            SQLITE_OK);
  record(*journal, 6, 9);
  journal.reset();
  EXPECT_EQ(stored_in(disk.image()), range(1, 9));
  sqlite3_close(reader);
}

/// Whichever file it is of, what a sync that failed was to keep is written anew before the journal
/// says that all is well.
TEST_F(DurabilityTest, ASyncThatFailedOnceIsNotMadeGoodByOneThatDoesNot) {
  for (const std::string file : {"journal-wal", "journal"}) {
    ForgetfulDisk disk(home_);
    auto journal = open_there();
    const auto known = numbers(journal->take_loaded());
    const auto first = known.empty() ? 1 : known.back() + 1;
    record_and_sync(*journal, first, first + 2);
    const auto before = log_.count("the journal can be written again");
    disk.fail_next_sync(file);
    record(*journal, first + 3, first + 9);
    ASSERT_TRUE(wait_until([&] { return disk.has_failed(); })) << file;
    ASSERT_TRUE(wait_until([&] { return log_.count("the journal can be written again") > before; }))
        << log_.text();
    EXPECT_THAT(stored_in(disk.image()), IsSupersetOf(range(first, first + 9))) << file;
    // And it goes on.
    record_and_sync(*journal, first + 10, first + 12);
    EXPECT_THAT(stored_in(disk.image()), IsSupersetOf(range(first, first + 12))) << file;
    journal.reset();
  }
}

/// What the disk did not keep may not go into the database before it is written anew: a power cut
/// would leave some of its pages there without the others.
TEST_F(DurabilityTest, NoPowerCutAfterASyncThatFailedTakesWhatWasOnTheDiskBefore) {
  {
    // This is in the database alone: the end brings it there.
    const auto journal = open_there();
    record(*journal, 1, 50);
  }
  ForgetfulDisk disk(home_);
  auto journal = open_there();
  // It fails once all of this has been written.
  ForgetfulDisk::set_confirms(false);
  disk.fail_next_sync("journal-wal");
  record(*journal, 51, 100);
  std::vector<ForgetfulDisk::Image> cuts;
  disk.set_seen([&](const ForgetfulDisk::Image& image) {
    if (cuts.size() < 300) cuts.push_back(image);
  });
  ForgetfulDisk::set_confirms(true);
  ASSERT_TRUE(log_.wait_for("the journal can be written again")) << log_.text();
  journal.reset();
  disk.set_seen(nullptr);
  ASSERT_TRUE(disk.has_failed());
  for (const auto& cut : cuts) ASSERT_THAT(stored_in(cut), IsSupersetOf(range(1, 50)));
}

TEST_F(DurabilityTest, AnEndAfterASyncThatFailedBringsNothingIntoTheDatabase) {
  {
    const auto journal = open_there();
    record(*journal, 1, 50);
  }
  ForgetfulDisk disk(home_);
  auto with = settings;
  with.retry_after = 1h;
  auto opened = SqliteJournal::open(home_ + "/journal", log_, with);
  ASSERT_TRUE(opened) << opened.error();
  ForgetfulDisk::set_confirms(false);
  disk.fail_next_sync("journal-wal");
  record(*opened.value(), 51, 100);
  std::vector<ForgetfulDisk::Image> cuts;
  disk.set_seen([&](const ForgetfulDisk::Image& image) {
    if (cuts.size() < 300) cuts.push_back(image);
  });
  ForgetfulDisk::set_confirms(true);
  ASSERT_TRUE(log_.wait_for("the journal cannot be written")) << log_.text();
  opened.value().reset();
  disk.set_seen(nullptr);
  for (const auto& cut : cuts) ASSERT_THAT(stored_in(cut), IsSupersetOf(range(1, 50)));
  EXPECT_THAT(stored_in(disk.image()), IsSupersetOf(range(1, 100)));
}

/// Not the disk: the advice is another one.
TEST_F(DurabilityTest, AFileThatIsAsLargeAsItMayBeIsToldFromAFullDisk) {
  auto with = settings;
  with.max_size = 64U << 10U;
  auto opened = SqliteJournal::open(home_ + "/journal", log_, with);
  ASSERT_TRUE(opened) << opened.error();
  std::uint64_t number = 1;
  std::optional<std::string> refusal;
  while (number < 20000 && !refusal) refusal = opened.value()->record(entry_of(number++));
  ASSERT_TRUE(refusal);
  EXPECT_THAT(*refusal, testing::HasSubstr("has reached its maximum size"));
  EXPECT_THAT(log_.text(), testing::HasSubstr("raise journal.max_size"));
  EXPECT_THAT(log_.text(), testing::Not(testing::HasSubstr("free space")));
}

TEST_F(DurabilityTest, UpdatesAreRefusedWhileTheDiskMayHaveForgottenSome) {
  ForgetfulDisk disk(home_);
  auto with = settings;
  with.retry_after = 1h;
  auto opened = SqliteJournal::open(home_ + "/journal", log_, with);
  ASSERT_TRUE(opened) << opened.error();
  disk.fail_next_sync("journal-wal");
  record(*opened.value(), 1, 1);
  ASSERT_TRUE(log_.wait_for("the journal cannot be written"));
  const auto refusal = opened.value()->record(entry_of(2));
  ASSERT_TRUE(refusal);
  EXPECT_THAT(*refusal, testing::HasSubstr("cannot be synced to disk"));
  EXPECT_TRUE(opened.value()->state().failing);
}

}  // namespace
}  // namespace jobs_bridge::store
