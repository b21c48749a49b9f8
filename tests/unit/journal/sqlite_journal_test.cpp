#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "tests/support/child.h"
#include "tests/support/wait_until.h"
#include "tests/unit/journal/journal_fixture.h"

namespace jobs_bridge::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::Child;
using testing_support::wait_until;

class SqliteJournalTest : public JournalFixture {};

TEST_F(SqliteJournalTest, WhatWasRecordedIsThereInOrderAfterARestart) {
  {
    const auto journal = open();
    EXPECT_THAT(journal->take_loaded(), IsEmpty());
    record(*journal, 1, 50);
  }
  const auto journal = open();
  EXPECT_EQ(numbers(journal->take_loaded()), range(1, 50));
  EXPECT_THAT(journal->take_loaded(), IsEmpty());
  EXPECT_THAT(log_.text(), IsEmpty());
}

TEST_F(SqliteJournalTest, WhatWasSettledIsGone) {
  {
    const auto journal = open();
    record(*journal, 1, 5);
    journal->settle({2, 4});
    journal->settle({99});
  }
  EXPECT_THAT(stored(), ElementsAre(1, 3, 5));
  {
    const auto journal = open();
    journal->settle({1, 3, 5});
  }
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(SqliteJournalTest, WhatIsNotSettledSoonIsBroughtToTheDiskWithinATenthOfASecond) {
  const auto journal = open();
  record(*journal, 1, 1);
  const auto recorded = std::chrono::steady_clock::now();
  ASSERT_TRUE(wait_until([&] { return journal->state().syncs == 1; }));
  // The limit leaves this machine room; what the journal itself adds is in the state.
  EXPECT_LT(std::chrono::steady_clock::now() - recorded, 2s);
  EXPECT_GE(journal->state().longest_unsynced, 40ms);
}

TEST_F(SqliteJournalTest, WhatIsSettledAtOnceCostsTheDiskNoWait) {
  const auto journal = open();
  for (std::uint64_t number = 1; number <= 100; ++number) {
    record(*journal, number, number);
    journal->settle({number});
  }
  record(*journal, 101, 101);
  ASSERT_TRUE(wait_until([&] { return journal->state().syncs > 0; }));
  EXPECT_EQ(journal->state().syncs, 1U);
}

TEST_F(SqliteJournalTest, FilesMayBeReadByTheirOwnerAlone) {
  const auto old_mask = umask(0);
  const auto journal = open();
  record(*journal, 1, 1);
  umask(old_mask);
  for (const std::string end : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(stat((path_ + end).c_str(), &status), 0) << end;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << end;
  }
}

TEST_F(SqliteJournalTest, ASecondBridgeIsRefusedAndTheFirstGoesOn) {
  const auto begun = directory_.file("begun");
  Child child([&](const Child&) {
    if (!wait_until([&] { return std::filesystem::exists(begun); })) return 2;
    return error_of_open(path_) == path_ + " is in use by another process" ? 0 : 1;
  });
  const auto journal = open();
  record(*journal, 1, 1);
  EXPECT_EQ(error_of_open(path_), path_ + " is in use by another process");
  std::ofstream(begun).put('\n');
  EXPECT_EQ(child.wait(), 0);
  record(*journal, 2, 2);
}

TEST_F(SqliteJournalTest, APathThatCannotBeIsAnErrorThatNamesTheCause) {
  EXPECT_THAT(error_of_open(directory_.file("none/journal")),
              HasSubstr("its directory does not exist"));
  EXPECT_THAT(error_of_open(directory_.path().string()), HasSubstr("is not a regular file"));
}

TEST_F(SqliteJournalTest, AFileOfANewerVersionIsRefusedAndLeftAsItIs) {
  open();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version=3", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  EXPECT_THAT(error_of_open(path_), HasSubstr("newer version of jobs-bridge"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged-1"));
}

TEST_F(SqliteJournalTest, AFileThatIsRemovedMeanwhileIsWrittenAnew) {
  {
    const auto journal = open();
    record(*journal, 1, 20);
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + "-wal");
    ASSERT_TRUE(log_.wait_for("the journal's file was removed or replaced"));
    ASSERT_TRUE(wait_until([&] { return !journal->record(entry_of(21)); }));
    journal->settle({1});
  }
  EXPECT_EQ(stored(), range(2, 21));
}

/// Until it would be removed from that file too, a kill would bring it back.
TEST_F(SqliteJournalTest, WhatWasSettledByThenIsNotWrittenToTheFileThatReplacesARemovedOne) {
  auto with = settings;
  with.remove_after = 1h;
  const auto journal = open(with);
  record(*journal, 1, 20);
  journal->settle(range(1, 19));
  std::filesystem::remove(path_);
  std::filesystem::remove(path_ + "-wal");
  ASSERT_TRUE(log_.wait_for("the journal can be written again")) << log_.text();
  const auto bytes = bytes_of(path_) + bytes_of(path_ + "-wal");
  EXPECT_THAT(bytes, HasSubstr("thing-20/"));
  for (std::uint64_t number = 1; number <= 19; ++number) {
    EXPECT_THAT(bytes, Not(HasSubstr("thing-" + std::to_string(number) + "/")));
  }
}

/// As when an operator puts a copy of another journal there, and does not stop the bridge.
TEST_F(SqliteJournalTest, AFileThatIsReplacedLeavesTheLogOfTheNewOneAlone) {
  const auto other = directory_.file("other");
  Child child([&](const Child& self) {
    const auto opened = SqliteJournal::open(other, log_, settings);
    if (!opened) return 1;
    record(*opened.value(), 101, 120);
    self.say('x');
    pause();
    return 0;
  });
  ASSERT_EQ(child.hear(), 'x');
  child.end();
  {
    const auto journal = open();
    record(*journal, 1, 20);
    std::filesystem::rename(other + "-wal", path_ + "-wal");
    std::filesystem::rename(other, path_);
    ASSERT_TRUE(log_.wait_for("the journal can be written again")) << log_.text();
  }
  auto both = range(1, 20);
  std::ranges::copy(range(101, 120), std::back_inserter(both));
  EXPECT_EQ(stored(), both);
}

TEST_F(SqliteJournalTest, SettlingAnUpdateOnceMoreDoesNotTouchTheOneThatTookItsPlace) {
  {
    const auto journal = open();
    record(*journal, 1, 2);
    journal->settle({1});
    record(*journal, 3, 3);
    journal->settle({1});
    record(*journal, 4, 4);
  }
  EXPECT_THAT(stored(), ElementsAre(2, 3, 4));
}

TEST_F(SqliteJournalTest, UpdatesTakeThePlacesOfThoseThatWereRemovedBefore) {
  {
    const auto journal = open();
    record(*journal, 1, 5);
    journal->settle(range(1, 5));
    ASSERT_TRUE(wait_until([&] { return value_in(path_, "SELECT count(*) FROM updates") == "0"; }));
    record(*journal, 6, 10);
  }
  EXPECT_EQ(value_in(path_, "SELECT max(place) FROM updates"), "5");
  EXPECT_EQ(stored(), range(6, 10));
}

/// Without another update: what was read meanwhile need not stay in the log until there is one.
TEST_F(SqliteJournalTest, TheLogGoesIntoTheDatabaseOnceNobodyReadsAnOlderStateOfIt) {
  auto with = settings;
  with.sync_after = 1h;  // nor does any of it go there before it is settled
  with.remove_after = 1h;
  const auto journal = open(with);
  record(*journal, 1, 30);
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT number FROM updates", nullptr, nullptr, nullptr),
            SQLITE_OK);
  record(*journal, 31, 60);
  journal->settle(range(1, 60));
  const auto has_come = [&](std::uint64_t number) {
    return bytes_of(path_).find("thing-" + std::to_string(number) + "/") != std::string::npos;
  };
  EXPECT_TRUE(wait_until([&] { return has_come(10); }));
  EXPECT_FALSE(has_come(60)) << "the reader does not know it";
  sqlite3_close(reader);
  EXPECT_TRUE(wait_until([&] { return has_come(60); }));
}

/// Before it has been noticed that the file is gone.
TEST_F(SqliteJournalTest, AnOrderlyEndSavesWhatWasInAFileThatHasJustBeenRemoved) {
  {
    const auto journal = open();
    record(*journal, 1, 20);
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + "-wal");
  }
  EXPECT_EQ(stored(), range(1, 20));
}

/// The log is full before it has been noticed that the file is gone.
TEST_F(SqliteJournalTest, AFileThatIsRemovedWhileItsLogIsFullIsWrittenAnew) {
  auto with = settings;
  with.max_size = std::size_t{1} << 20;  // the log: 256 KiB
  constexpr std::uint64_t last = 40;
  {
    const auto journal = open(with);
    record(*journal, 1, 1);
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + "-wal");
    for (std::uint64_t number = 2; number <= last; ++number) {
      auto entry = entry_of(number);
      entry.message.payload.assign(std::size_t{20} << 10, 'x');
      ASSERT_TRUE(wait_until([&] { return !journal->record(entry); })) << number;
    }
    EXPECT_TRUE(log_.wait_for("the journal's file was removed or replaced"));
  }
  EXPECT_EQ(open(with)->take_loaded().size(), last);
}

TEST_F(SqliteJournalTest, TheFilesStaySmallHoweverManyUpdatesGoThrough) {
  const auto journal = open();
  for (std::uint64_t number = 1; number <= 20000; ++number) {
    record(*journal, number, number);
    journal->settle({number});
  }
  ASSERT_TRUE(wait_until([&] {
    record(*journal, 20001, 20001);
    journal->settle({20001});
    return std::filesystem::file_size(path_ + "-wal") < (6U << 20);
  }));
  EXPECT_LT(std::filesystem::file_size(path_), 2U << 20);
}

/// So flash storage wears by little more than an update's own bytes. A larger one has a page to
/// itself, which must not be given up and found again.
TEST_F(SqliteJournalTest, AnUpdateOverwritesOneThatIsSettledAndChangesOnePage) {
  auto with = settings;
  with.sync_after = 1h;
  with.remove_after = 1h;
  for (const std::size_t payload : {110U, 300U}) {
    const auto journal = open(with);
    const auto typical = [payload](std::uint64_t number) {
      auto entry = entry_of(8);
      entry.number = number;
      entry.message.payload.resize(payload, 'x');
      return entry;
    };
    for (std::uint64_t number = 1; number <= 20; ++number) {
      ASSERT_FALSE(journal->record(typical(number)));
    }
    const auto before = std::filesystem::file_size(path_ + "-wal");
    for (std::uint64_t number = 21; number <= 420; ++number) {
      journal->settle({number - 20});
      ASSERT_FALSE(journal->record(typical(number)));
    }
    EXPECT_LE(std::filesystem::file_size(path_ + "-wal") - before, 400 * 600U) << payload;
    journal->settle(range(401, 420));
  }
}

TEST_F(SqliteJournalTest, TheLogOfWritesStaysWithinAShareOfTheSizeAllowed) {
  auto with = settings;
  with.max_size = 8U << 20;
  const auto journal = open(with);
  std::uintmax_t largest = 0;
  for (std::uint64_t number = 1; number <= 4000; ++number) {
    record(*journal, number, number);
    if (number > 500) journal->settle({number - 500});
    if (number % 20 == 0) largest = std::max(largest, std::filesystem::file_size(path_ + "-wal"));
  }
  EXPECT_LE(largest, (8U << 20) / 16 + (64U << 10));
  EXPECT_EQ(log_.count("cannot be written"), 0U) << log_.text();
}

TEST_F(SqliteJournalTest, TwentyFiveThousandEntriesAreReadInTime) {
  for (const bool killed : {false, true}) {
    if (killed) {
      Child child([&](const Child& self) {
        const auto journal = open();
        record(*journal, 1, 25000);
        self.say('x');
        pause();
        return 0;
      });
      ASSERT_EQ(child.hear(), 'x');
      child.end();
    } else {
      record(*open(), 1, 25000);
    }
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(open()->take_loaded().size(), 25000U);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    std::cout << "25,000 entries " << (killed ? "after a kill" : "after an orderly end") << ": "
              << took.count() << " ms\n";
    EXPECT_LT(took, 10s) << "promised are 2 s with all that the bridge does besides";
    std::filesystem::remove(path_);
  }
}

}  // namespace
}  // namespace jobs_bridge::store
