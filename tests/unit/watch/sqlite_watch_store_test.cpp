#include "adapters/store/sqlite_watch_store.h"

#include <sys/stat.h>

#include <filesystem>

#include "tests/support/wait_until.h"
#include "tests/unit/watch/store_fixture.h"

/// What is kept, and how the file is written.
namespace jobs_bridge::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SqliteWatchStoreTest : public StoreFixture {};

TEST_F(SqliteWatchStoreTest, NewFileIsEmptyAndItsOwnersAlone) {
  const mode_t before = umask(0);
  EXPECT_THAT(open()->take_loaded(), IsEmpty());
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(log_.count("", Severity::info), 0U) << log_.text();
}

TEST_F(SqliteWatchStoreTest, FilesBesideItAreItsOwnersAloneToo) {
  const mode_t before = umask(0);
  const Store store = open();
  umask(before);
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    struct stat status {};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path();
  }
}

TEST_F(SqliteWatchStoreTest, WhatWasSavedComesBack) {
  store({watched("a", 1), watched("b", 2)});
  EXPECT_THAT(stored(), ElementsAre("a@1", "b@2"));
  EXPECT_THAT(stored(), ElementsAre("a@1", "b@2"));
}

/// What a kill left of 8 things, when journal and watched things had a folder each.
TEST_F(SqliteWatchStoreTest, AFileThatAnEarlierBuildWroteAndWasKilledOverIsTakenOverWhole) {
  for (const std::string end : {"", "-wal"}) {
    std::filesystem::copy_file(WRITTEN_BEFORE "/watched" + end, path_ + end);
  }
  const auto whole = names(many(8, 1700000000));
  EXPECT_EQ(stored(), whole);
  EXPECT_EQ(stored(), whole);
  EXPECT_EQ(log_.count("", Severity::info), 0U) << log_.text();
}

TEST_F(SqliteWatchStoreTest, LoadedThingsAreTakenOnce) {
  store({watched("a", 1)});
  const Store again = open();
  EXPECT_THAT(again->take_loaded(), SizeIs(1));
  EXPECT_THAT(again->take_loaded(), IsEmpty());
}

TEST_F(SqliteWatchStoreTest, LaterChangesReplaceEarlierOnesAndTheForgottenGo) {
  store({watched("a", 1), watched("b", 1), watched("c", 1)});
  {
    const Store again = open();
    again->save({watched("a", 2)}, {"b"});
    again->save({watched("a", 3), watched("d", 3)}, {"never known"});
    again->save({watched("c", 4)}, {"c"});
  }
  EXPECT_THAT(stored(), ElementsAre("a@3", "d@3"));
}

TEST_F(SqliteWatchStoreTest, EveryByteOfWhatWasToldIsKept) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string large;
  for (int i = 0; i < 1000; ++i) large += all;
  const std::vector<std::string> texts = {"", std::string(1, '\0'), all, large};
  {
    const Store first = open();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      first->save({{.thing = std::to_string(i), .asked = -1, .told = texts[i]}}, {});
    }
  }
  const auto things = open()->take_loaded();
  ASSERT_EQ(things.size(), texts.size());
  for (const auto& thing : things) {
    EXPECT_EQ(thing.told, texts[std::stoul(thing.thing)]) << thing.thing;
    EXPECT_EQ(thing.asked, -1);
  }
}

TEST_F(SqliteWatchStoreTest, ChangeIsWrittenWithoutBeingAskedFor) {
  const Store store = open();
  store->save({watched("a", 1)}, {});
  EXPECT_TRUE(log_.wait_for(written));
}

TEST_F(SqliteWatchStoreTest, ChangesThatComeFastAreWrittenTogether) {
  {
    const Store store = open({.between_rounds = 10min, .closing = 10s});
    store->save({watched("first", 1)}, {});
    ASSERT_TRUE(log_.wait_for(written));
    for (int i = 0; i < 1000; ++i) store->save({watched("a", i), watched("b", i)}, {});
  }
  EXPECT_EQ(log_.count(written), 2U) << log_.text();
  EXPECT_EQ(log_.count("things=2"), 1U) << log_.text();
  EXPECT_THAT(stored(), ElementsAre("a@999", "b@999", "first@1"));
}

TEST_F(SqliteWatchStoreTest, RowThatIsTheSameIsNotWrittenAgain) {
  const Store store = open({.between_rounds = 1ms, .closing = 10s});
  const auto size = [&] { return std::filesystem::file_size(path_ + "-wal"); };
  store->save(many(1000, 1), {});
  ASSERT_TRUE(log_.wait_for("things=1000"));
  const auto before = size();
  ASSERT_GT(before, 0U);
  store->save(many(999, 1), {});
  ASSERT_TRUE(log_.wait_for("things=999"));
  EXPECT_EQ(size(), before);
  store->save(many(998, 2), {});
  ASSERT_TRUE(log_.wait_for("things=998"));
  EXPECT_GT(size(), before);
}

TEST_F(SqliteWatchStoreTest, MoreThanATransactionTakesAllOfItIsWritten) {
  store(many(25'000, 7));
  EXPECT_THAT(stored(), SizeIs(25'000));
}

TEST_F(SqliteWatchStoreTest, LogOfWritesDoesNotStayLarge) {
  const Store store = open();
  for (int round = 0; round < 10; ++round) {
    store->save(many(10'000 + round, round), {});
    ASSERT_TRUE(log_.wait_for("things=" + std::to_string(10'000 + round)));
  }
  EXPECT_LE(std::filesystem::file_size(path_ + "-wal"), 9U << 20U);
}

TEST_F(SqliteWatchStoreTest, PathMayBeALinkAndTheWorkingDirectoryMayChange) {
  store({watched("b", 1)});
  const auto before = std::filesystem::current_path();
  std::filesystem::create_symlink("watched", directory_.file("link"));
  std::filesystem::current_path(directory_.path());
  auto opened = SqliteWatchStore::open("link", log_, fast);
  std::filesystem::current_path(before);
  ASSERT_TRUE(opened) << opened.error();
  (*opened)->save({watched("a", 1)}, {});
  opened.value().reset();
  EXPECT_TRUE(std::filesystem::is_symlink(directory_.file("link")));
  EXPECT_THAT(stored(), ElementsAre("a@1", "b@1"));
}

}  // namespace
}  // namespace jobs_bridge::store
