#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>

#include "tests/support/child.h"
#include "tests/support/disk_gate.h"
#include "tests/support/wait_until.h"
#include "tests/unit/journal/forgetful_disk.h"
#include "tests/unit/journal/journal_fixture.h"

/// A disk that takes a write and does not come back, as one that breaks, or one on the network.
namespace jobs_bridge::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Child;
using testing_support::DiskGate;
using testing_support::wait_until;

class StuckDiskTest : public JournalFixture {
 protected:
  /// A busy disk takes less.
  static constexpr JournalSettings impatient = {
      .write_timeout = 300ms, .sync_timeout = 60s, .retry_after = 5ms, .closing = 10s};
  static constexpr JournalSettings distrustful = {
      .write_timeout = 10s, .sync_timeout = 1s, .retry_after = 5ms, .closing = 10s};

  void SetUp() override { gate_.install(); }
  void TearDown() override {
    set_confirms(true);
    gate_.remove();
  }
  static void set_confirms(bool wanted) { ForgetfulDisk::set_confirms(wanted); }
  /// Has an entry hang, which is refused. The gate is to be opened before the journal ends.
  void hang(SqliteJournal& journal, std::uint64_t number) {
    gate_.shut();
    const auto refusal = journal.record(entry_of(number));
    ASSERT_TRUE(refusal);
    EXPECT_THAT(*refusal, HasSubstr("waiting for its disk"));
    ASSERT_TRUE(gate_.wait_until_somebody_waits());
  }
  /// What the file holds at this moment.
  std::vector<std::uint64_t> stored_now() {
    const auto copy = directory_.file("copy");
    for (const std::string end : {"", "-wal"}) {
      std::filesystem::copy_file(path_ + end, copy + end,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    std::filesystem::remove(copy + "-shm");
    const auto opened = SqliteJournal::open(copy, log_, settings);
    return opened ? numbers(opened.value()->take_loaded()) : std::vector<std::uint64_t>{0};
  }

  DiskGate& gate_ = DiskGate::instance();
};

TEST_F(StuckDiskTest, AWriteThatHangsCostsThatUpdateAndNothingElseWaits) {
  const auto journal = open(impatient);
  record(*journal, 1, 3);
  hang(*journal, 4);
  // All of this returns although the write still hangs.
  for (std::uint64_t number = 5; number < 2000; ++number) {
    EXPECT_TRUE(journal->record(entry_of(number)));
    journal->settle({number});
  }
  const auto state = journal->state();
  EXPECT_TRUE(state.failing);
  EXPECT_THAT(state.cause, HasSubstr("waiting for its disk"));
  EXPECT_TRUE(state.disk_stalled);
  EXPECT_EQ(state.not_recorded, 1996U);
  EXPECT_EQ(log_.count("the journal cannot be written: updates are rejected"), 1U);
  EXPECT_EQ(log_.count("the journal can be written again"), 0U);
  gate_.open();
  EXPECT_TRUE(log_.wait_for("the journal can be written again"));
  EXPECT_FALSE(journal->state().failing);
  EXPECT_FALSE(journal->state().disk_stalled);
}

TEST_F(StuckDiskTest, WhatWasRefusedIsNotInTheFileOnceTheDiskIsBack) {
  const auto journal = open(impatient);
  record(*journal, 1, 3);
  hang(*journal, 4);
  EXPECT_TRUE(journal->record(entry_of(5)));
  gate_.open();
  ASSERT_TRUE(wait_until([&] { return !journal->state().failing; }));
  EXPECT_THAT(stored_now(), ElementsAre(1, 2, 3));
  // The same number, which the engine does not use again, is free.
  ASSERT_TRUE(wait_until([&] { return !journal->record(entry_of(4)); }));
  EXPECT_THAT(stored_now(), ElementsAre(1, 2, 3, 4));
}

TEST_F(StuckDiskTest, WhatIsSettledWhileTheDiskHangsIsGoneOnceItIsBack) {
  const auto journal = open(impatient);
  record(*journal, 1, 6);
  hang(*journal, 7);
  journal->settle({2});
  journal->settle({4, 5});
  gate_.open();
  ASSERT_TRUE(wait_until([&] { return !journal->state().failing; }));
  EXPECT_THAT(stored_now(), ElementsAre(1, 3, 6));
}

TEST_F(StuckDiskTest, ASettlementThatHangsIsCarriedOutLater) {
  const auto journal = open(impatient);
  record(*journal, 1, 3);
  gate_.shut();
  journal->settle({2});  // does not wait
  ASSERT_TRUE(gate_.wait_until_somebody_waits());
  ASSERT_TRUE(wait_until([&] { return journal->state().disk_stalled.has_value(); }));
  EXPECT_TRUE(journal->state().failing);
  EXPECT_TRUE(journal->record(entry_of(4)));
  gate_.open();
  ASSERT_TRUE(wait_until([&] { return !journal->state().failing; }));
  EXPECT_THAT(stored_now(), ElementsAre(1, 3));
}

TEST_F(StuckDiskTest, WhatIsSettledGoesWithTheNextUpdateAndInOneWrite) {
  auto with = settings;
  with.remove_after = 1h;
  const auto journal = open(with);
  record(*journal, 1, 3);
  journal->settle({1});
  journal->settle({3});
  EXPECT_THAT(stored_now(), ElementsAre(1, 2, 3)) << "settle() writes nothing itself";
  record(*journal, 4, 4);
  EXPECT_THAT(stored_now(), ElementsAre(2, 4));
}

TEST_F(StuckDiskTest, AnUpdateDoesNotWaitUntilABacklogOfRemovalsIsThrough) {
  record(*open(), 1, 10000);
  auto with = settings;
  with.sync_after = 1h;
  const auto journal = open(with);
  gate_.shut();
  journal->settle(range(1, 10000));
  ASSERT_TRUE(gate_.wait_until_somebody_waits());
  std::atomic<pid_t> thread{0};
  auto refusal = std::async(std::launch::async, [&] {
    thread = gettid();
    return journal->record(entry_of(10001));
  });
  // Its state comes after its name.
  ASSERT_TRUE(wait_until([&] {
    return thread != 0 &&
           bytes_of("/proc/self/task/" + std::to_string(thread) + "/stat").find(") S ") !=
               std::string::npos;
  }));
  // The removal that is under way, its own write, and some more in case it was late; by far not all
  // removals, which are of 1,000 each.
  gate_.let_pass(6);
  EXPECT_EQ(refusal.get(), std::nullopt);
  gate_.open();
}

TEST_F(StuckDiskTest, AKillWhileTheDiskHangsLosesNothingThatWasAccepted) {
  Child child([&](const Child& self) {
    const auto journal = open(impatient);
    record(*journal, 1, 5);
    journal->settle({1});
    record(*journal, 6, 6);
    gate_.shut();
    if (!journal->record(entry_of(7))) return 1;
    journal->settle({2});
    self.say('h');
    pause();
    return 0;
  });
  ASSERT_EQ(child.hear(), 'h');
  child.end();
  // What was settled meanwhile may come back, and what hangs may have been written: it was here
  // before a byte of it was.
  EXPECT_THAT(stored(), ElementsAre(2, 3, 4, 5, 6));
}

TEST_F(StuckDiskTest, TheEndWaitsForADiskForAWhileOnly) {
  auto with = impatient;
  with.closing = 100ms;
  auto journal = open(with);
  record(*journal, 1, 3);
  hang(*journal, 4);
  journal.reset();  // returns
  EXPECT_EQ(log_.count("the journal did not stop in time"), 1U);
  const auto lines = log_.lines().size();
  gate_.open();
  // The thread still does what is to be done, and keeps the file until then.
  ASSERT_TRUE(wait_until([&] {
    const auto again = SqliteJournal::open(path_, log_, settings);
    return again && numbers(again.value()->take_loaded()) == range(1, 3);
  }));
  EXPECT_EQ(log_.lines().size(), lines) << "the log may be gone by then: " << log_.text();
}

TEST_F(StuckDiskTest, ADiskThatDoesNotConfirmCostsUpdatesOnceWhatWasAcceptedIsAtRisk) {
  const auto journal = open(distrustful);
  set_confirms(false);
  record(*journal, 1, 2);
  ASSERT_TRUE(wait_until([&] { return journal->state().failing; }));
  EXPECT_TRUE(journal->state().disk_stalled);
  const auto refusal = journal->record(entry_of(3));
  ASSERT_TRUE(refusal);
  EXPECT_THAT(*refusal, HasSubstr("did not confirm"));
  journal->settle({1});  // does not wait
  EXPECT_TRUE(journal->state().failing);
  set_confirms(true);
  ASSERT_TRUE(wait_until([&] { return !journal->state().failing; }));
  record(*journal, 3, 3);
  EXPECT_THAT(stored_now(), ElementsAre(2, 3));
}

TEST_F(StuckDiskTest, WhatIsSettledNeedsNoDiskThatConfirms) {
  const auto journal = open(distrustful);
  set_confirms(false);
  record(*journal, 1, 1);
  ASSERT_TRUE(wait_until([&] { return ForgetfulDisk::unconfirmed() > 0; }));
  ASSERT_TRUE(wait_until([&] { return journal->state().failing; }));
  journal->settle({1});
  EXPECT_FALSE(journal->state().failing);
  EXPECT_FALSE(journal->record(entry_of(2)));
  set_confirms(true);
}

TEST_F(StuckDiskTest, AStartThatWaitsForTheDiskIsLogged) {
  gate_.shut();
  auto opening = std::async(std::launch::async, [&] { return open(impatient); });
  EXPECT_TRUE(log_.wait_for("the journal is not open yet"));
  gate_.open();
  EXPECT_TRUE(opening.get());
}

TEST_F(StuckDiskTest, AWriteThatEndsAfterASyncHasFailedDoesNotMakeTheJournalWhole) {
  const auto home = directory_.file("disk");
  std::filesystem::create_directory(home);
  ForgetfulDisk disk(home);
  auto with = settings;
  with.retry_after = 1h;
  auto opened = SqliteJournal::open(home + "/journal", log_, with);
  ASSERT_TRUE(opened) << opened.error();
  auto& journal = *opened.value();
  set_confirms(false);
  disk.fail_next_sync("journal-wal");
  record(journal, 1, 1);
  gate_.shut();
  auto refusal = std::async(std::launch::async, [&] { return journal.record(entry_of(2)); });
  ASSERT_TRUE(gate_.wait_until_somebody_waits());
  set_confirms(true);
  EXPECT_TRUE(log_.wait_for("the journal cannot be written"));
  gate_.open();
  static_cast<void>(refusal.get());
  EXPECT_TRUE(journal.state().failing);
  EXPECT_EQ(log_.count("the journal can be written again"), 0U) << log_.text();
  const auto next = journal.record(entry_of(3));
  ASSERT_TRUE(next);
  EXPECT_THAT(*next, HasSubstr("the journal cannot be")) << "the cause is still known";
}

}  // namespace
}  // namespace jobs_bridge::store
