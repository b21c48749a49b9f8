#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/support/child.h"
#include "tests/support/wait_until.h"
#include "tests/unit/watch/store_fixture.h"

/// Disks, directories and other processes that do not play along.
namespace jobs_bridge::store {
namespace {

using testing_support::Child;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* failed =
    "changes to watched things cannot be written: they are kept in memory and tried again";
constexpr const char* recovered = "changes to watched things can be written again";

class FailureTest : public StoreFixture {};

TEST_F(FailureTest, PathThatCannotBeIsAnErrorThatNamesTheCause) {
  EXPECT_EQ(error_of_open(directory_.file("none/watched")),
            directory_.file("none/watched") +
                " cannot be created: No such file or directory (its directory does not exist)");
  EXPECT_EQ(error_of_open(directory_.path().string()),
            directory_.path().string() + " is not a regular file");
  const auto pipe = directory_.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(error_of_open(pipe), pipe + " is not a regular file");
  const auto below_a_file = path_ + "/watched";
  store({});
  EXPECT_EQ(error_of_open(below_a_file), below_a_file + " cannot be created: Not a directory");
}

/// Runs as a user without special rights; root may write everything.
int without_rights(const std::function<int()>& function) {
  if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 96;
  return function();
}

TEST_F(FailureTest, DirectoryAndFileThatMayNotBeWrittenAreErrorsThatNameTheCause) {
  store({watched("a", 1)});
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  const auto error_in_child = [&](const std::string& path, const std::string& wanted) {
    return Child([&](const Child&) {
             return without_rights([&] {
               const auto error = error_of_open(path);
               if (error.find(wanted) != std::string::npos) return 0;
               fprintf(stderr, "%s\n", error.c_str());
               return 1;
             });
           })
        .wait();
  };
  const auto fresh = directory_.file("fresh");
  if (geteuid() != 0) {
    ASSERT_EQ(chmod(directory_.path().c_str(), 0555), 0);
  }
  EXPECT_EQ(error_in_child(fresh, fresh + " cannot be created: Permission denied"), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0444), 0);
  EXPECT_EQ(error_in_child(path_, path_ + " cannot be written: Permission denied"), 0);
  // The file may be written, but no file beside it.
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  EXPECT_EQ(error_in_child(path_, path_ + " is in a directory that cannot be written to"), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  EXPECT_THAT(stored(), ElementsAre("a@1"));
}

TEST_F(FailureTest, FileOfAnotherProcessIsAnError) {
  Child child([&](const Child& self) {
    const Store store = open();
    self.say(store ? 'o' : 'x');
    pause();
    return 0;
  });
  ASSERT_EQ(child.hear(), 'o');
  EXPECT_EQ(error_of_open(path_), path_ + " is in use by another process");
  child.end();
  store({watched("a", 1)});
  EXPECT_THAT(stored(), ElementsAre("a@1"));
}

TEST_F(FailureTest, FileThatIsRemovedWhileItIsOpenIsWrittenAnewWithEverythingInIt) {
  store(many(100, 1));
  {
    const Store store = open();
    store->save({watched("thing-0", 2)}, {"thing-1"});
    ASSERT_TRUE(log_.wait_for("things=2"));
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + "-wal");
    store->save({watched("new", 3)}, {"thing-2"});
    ASSERT_TRUE(log_.wait_for("the file of watched things was removed or replaced"));
  }
  const auto things = stored();
  EXPECT_THAT(things, SizeIs(99));
  EXPECT_THAT(things, ::testing::IsSupersetOf({"thing-0@2", "thing-3@1", "new@3"}));
}

TEST_F(FailureTest, FileThatIsReplacedByAnotherIsTakenAndKeepsWhatItHad) {
  store({watched("a", 1), watched("b", 1)});
  std::filesystem::copy_file(path_, directory_.file("backup"));
  {
    const Store store = open();
    store->save({watched("a", 2), watched("c", 2)}, {"b"});
    ASSERT_TRUE(log_.wait_for("things=3"));
    std::filesystem::rename(directory_.file("backup"), path_);
    store->save({watched("d", 3)}, {});
    ASSERT_TRUE(log_.wait_for("the file of watched things was removed or replaced"));
  }
  EXPECT_THAT(stored(), ElementsAre("a@2", "b@1", "c@2", "d@3"));
}

TEST_F(FailureTest, ChangesWaitWhileTheDirectoryIsAwayAndAreWrittenWhenItIsBack) {
  const auto home = directory_.file("home");
  const auto path = home + "/watched";
  std::filesystem::create_directory(home);
  auto opened = SqliteWatchStore::open(path, log_, fast);
  ASSERT_TRUE(opened) << opened.error();
  Store& store = opened.value();
  store->save(many(10, 1), {});
  ASSERT_TRUE(log_.wait_for(written));
  std::filesystem::remove_all(home);
  store->save({watched("thing-1", 2)}, {"thing-2"});
  ASSERT_TRUE(testing_support::wait_until([&] { return log_.count(failed) >= 3; }));
  EXPECT_THAT(log_.text(), HasSubstr("cause=cannot be created: No such file or directory"));
  store->save({watched("thing-1", 3)}, {});
  std::filesystem::create_directory(home);
  ASSERT_TRUE(log_.wait_for(recovered));
  store.reset();
  const auto again = SqliteWatchStore::open(path, log_, fast);
  ASSERT_TRUE(again) << again.error();
  const auto things = names((*again)->take_loaded());
  EXPECT_THAT(things, SizeIs(9));
  EXPECT_THAT(things, ::testing::IsSupersetOf({"thing-0@1", "thing-1@3", "thing-9@1"}));
}

TEST_F(FailureTest, FileThatIsDamagedWhileItIsOpenIsSetAsideAndWhatIsWholeKept) {
  store(many(30'000, 1));  // more than is kept in memory
  {
    const Store store = open();
    // Behind the store's back, all but the first pages.
    const auto size = std::filesystem::file_size(path_);
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8192);
    file << std::string(size - 8192, 'x') << std::flush;
    store->save(many(30'000, 2), {});
    ASSERT_TRUE(log_.wait_for("a damaged file of watched things was set aside"));
    ASSERT_TRUE(log_.wait_for(recovered));
  }
  EXPECT_GE(log_.count(failed, Severity::warning), 1U);
  const auto things = open()->take_loaded();
  EXPECT_THAT(things, SizeIs(30'000));
  for (const auto& thing : things) ASSERT_EQ(thing.asked, 2) << thing.thing;
}

/// In a child, since the limit is the process's.
TEST_F(FailureTest, FileThatMayNotGrowKeepsChangesUntilItMay) {
  Child child([&](const Child& self) {
    signal(SIGXFSZ, SIG_IGN);
    Store store = open();
    store->save(many(10, 1), {});
    if (!log_.wait_for(written)) return 1;
    const rlimit before = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    const rlimit small = {.rlim_cur = 64U << 10U, .rlim_max = RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &small) != 0) return 2;
    store->save(many(5000, 2), {});
    if (!testing_support::wait_until([&] { return log_.count(failed) >= 3; })) return 3;
    if (log_.text().find("cause=cannot be used: disk I/O error") == std::string::npos) {
      fprintf(stderr, "%s", log_.text().c_str());
      return 4;
    }
    store->save(many(10, 3), {});
    if (setrlimit(RLIMIT_FSIZE, &before) != 0) return 5;
    if (!log_.wait_for(recovered)) return 6;
    self.say('r');
    return 0;
  });
  EXPECT_EQ(child.hear(), 'r');
  EXPECT_EQ(child.wait(), 0);
  const auto things = stored();
  EXPECT_THAT(things, SizeIs(5000));
  EXPECT_THAT(things, ::testing::IsSupersetOf({"thing-9@3", "thing-10@2", "thing-4999@2"}));
}

/// A file system of its own that is so small; needs root.
class FullDiskTest : public StoreFixture {
 protected:
  void SetUp() override {
    disk_ = directory_.file("disk");
    std::filesystem::create_directory(disk_);
    if (mount("none", disk_.c_str(), "tmpfs", 0, "size=1m") != 0) {
      disk_.clear();
      GTEST_SKIP() << "no file system of this size can be mounted here";
    }
  }
  void TearDown() override {
    if (!disk_.empty()) {
      EXPECT_EQ(umount(disk_.c_str()), 0);
    }
  }
  std::string disk_;
};

TEST_F(FullDiskTest, ChangesWaitUntilThereIsRoom) {
  const auto filler = disk_ + "/filler";
  std::ofstream(filler) << std::string(800U << 10U, 'x');
  {
    auto opened = SqliteWatchStore::open(disk_ + "/watched", log_, fast);
    ASSERT_TRUE(opened) << opened.error();
    opened.value()->save(many(3000, 1), {});
    ASSERT_TRUE(testing_support::wait_until([&] { return log_.count(failed) >= 3; }));
    EXPECT_THAT(log_.text(), HasSubstr("its disk is full"));
    std::filesystem::remove(filler);
    ASSERT_TRUE(log_.wait_for(recovered)) << log_.text();
  }
  const auto again = SqliteWatchStore::open(disk_ + "/watched", log_, fast);
  ASSERT_TRUE(again) << again.error();
  EXPECT_THAT((*again)->take_loaded(), SizeIs(3000));
}

TEST_F(FullDiskTest, NoRoomForANewFileIsAnError) {
  std::ofstream(disk_ + "/filler") << std::string(2U << 20U, 'x');
  EXPECT_THAT(error_of_open(disk_ + "/watched"), StartsWith(disk_ + "/watched "));
}

TEST_F(FullDiskTest, WhatCannotBeWrittenAtTheEndIsSaid) {
  std::ofstream(disk_ + "/filler") << std::string(800U << 10U, 'x');
  auto opened = SqliteWatchStore::open(
      disk_ + "/watched", log_,
      {.first_retry = std::chrono::minutes(10), .closing = std::chrono::seconds(10)});
  ASSERT_TRUE(opened) << opened.error();
  opened.value()->save(many(10'000, 1), {});
  ASSERT_TRUE(log_.wait_for(failed));
  opened.value().reset();
  EXPECT_EQ(log_.count("changes to watched things are lost", Severity::warning), 1U);
  EXPECT_THAT(log_.text(), HasSubstr("things=10000"));
}

}  // namespace
}  // namespace jobs_bridge::store
