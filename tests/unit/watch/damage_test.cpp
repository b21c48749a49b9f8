#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/unit/watch/store_fixture.h"

/// Files that are not as they were written.
namespace jobs_bridge::store {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr const char* warning = "a damaged file of watched things was set aside";

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

class DamageTest : public StoreFixture {};

TEST_F(DamageTest, FileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const std::string text(5000, 'x');
  write(path_, text);
  EXPECT_EQ(error_of_open(path_),
            path_ + " is not a database, and was left unchanged: remove it, or name another file");
  EXPECT_EQ(content_of(path_), text);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged-1"));
}

/// What is left of a database whose pages are not to be made sense of.
std::string broken(const std::string& how) {
  return std::string("SQLite format 3\0", 16) + how + std::string(5000, 'x');
}

TEST_F(DamageTest, FileThatIsBrokenIsSetAsideAndNamedInAWarning) {
  const auto text = broken("");
  write(path_, text);
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_EQ(content_of(path_ + ".damaged-1"), text);
  ASSERT_EQ(log_.count(warning, Severity::warning), 1U) << log_.text();
  EXPECT_THAT(log_.text(), HasSubstr("path=" + path_ + " set_aside=" + path_ +
                                     ".damaged-1 damage=file is not a database things_saved=0"));
  store({watched("a", 1)});
  EXPECT_THAT(stored(), ElementsAre("a@1"));
  EXPECT_EQ(log_.count(warning), 1U) << log_.text();
}

TEST_F(DamageTest, FileOfZerosAsAPowerCutMayLeaveItKeepsNobodyFromStarting) {
  write(path_, std::string(8192, '\0'));
  EXPECT_THAT(stored(), IsEmpty());
  store({watched("a", 1)});
  EXPECT_THAT(stored(), ElementsAre("a@1"));
}

TEST_F(DamageTest, EmptyFileIsANewOne) {
  write(path_, "");
  store({watched("a", 1)});
  EXPECT_THAT(stored(), ElementsAre("a@1"));
  EXPECT_EQ(log_.count("", Severity::info), 0U) << log_.text();
}

TEST_F(DamageTest, DatabaseOfAnotherApplicationIsRefusedAndLeftAlone) {
  run_sql("CREATE TABLE precious(x); INSERT INTO precious VALUES(42)");
  const auto before = content_of(path_);
  EXPECT_EQ(error_of_open(path_),
            path_ + " is a database of another application, and was left unchanged");
  EXPECT_EQ(content_of(path_), before);
}

TEST_F(DamageTest, MarkOfAnotherApplicationOnOurTableIsDamage) {
  store({watched("a", 1)});
  run_sql("PRAGMA application_id=7");
  stored();
  EXPECT_THAT(log_.text(), HasSubstr("damage=has the application id of another application"));
}

TEST_F(DamageTest, OtherTablesThanOursAreDamage) {
  store({watched("a", 1)});
  run_sql("CREATE TABLE more(x)");
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_THAT(log_.text(), HasSubstr("damage=lacks this format's tables"));
}

TEST_F(DamageTest, NewerFormatIsRefusedAndLeftAlone) {
  store({watched("a", 1)});
  run_sql("PRAGMA user_version=2");
  const auto before = content_of(path_);
  EXPECT_EQ(error_of_open(path_), path_ +
                                      " was written by a newer version of jobs-bridge (its format "
                                      "is 2; this version reads formats up to 1)");
  EXPECT_EQ(content_of(path_), before);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged-1"));
  run_sql("PRAGMA user_version=1");
  EXPECT_THAT(stored(), ElementsAre("a@1"));
}

TEST_F(DamageTest, FormatWithoutANumberIsDamage) {
  store({watched("a", 1)});
  run_sql("PRAGMA user_version=-5");
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_EQ(log_.count(warning), 1U);
}

TEST_F(DamageTest, RowThatIsNotAsItWasWrittenIsLeftOutAndTheOthersAreSaved) {
  store({watched("a", 1), watched("b", 1), watched("c", 1)});
  run_sql("UPDATE watched SET asked=2 WHERE thing='b'");
  EXPECT_THAT(stored(), ElementsAre("a@1", "c@1"));
  EXPECT_THAT(log_.text(), HasSubstr("damage=a row differs from what was written things_saved=2"));
  EXPECT_THAT(stored(), ElementsAre("a@1", "c@1")) << "they are in the new file";
  EXPECT_EQ(log_.count(warning), 1U) << log_.text();
}

TEST_F(DamageTest, NamesThatAreTakenAreNotUsedAgainUntilAllAre) {
  write(path_ + ".damaged-1", "1");
  write(path_ + ".damaged-2-wal", "2");
  for (int number = 3; number <= 9; ++number) {
    write(path_, broken(std::to_string(number)));
    EXPECT_THAT(stored(), IsEmpty());
    EXPECT_EQ(content_of(path_ + ".damaged-" + std::to_string(number)),
              broken(std::to_string(number)));
  }
  write(path_, broken("again"));
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_EQ(content_of(path_ + ".damaged-9"), broken("again"));
  EXPECT_EQ(content_of(path_ + ".damaged-1"), "1");
  EXPECT_EQ(content_of(path_ + ".damaged-2-wal"), "2");
}

TEST_F(DamageTest, LogOfWritesGoesAsideWithItsFile) {
  write(path_, broken(""));
  write(path_ + "-wal", "log");
  write(path_ + "-shm", "index");
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_EQ(content_of(path_ + ".damaged-1-wal"), "log");
  EXPECT_EQ(content_of(path_ + ".damaged-1-shm"), "index");
}

/// A file of a bridge that was killed: the log of writes is full, and is damaged too.
class RandomDamageTest : public StoreFixture {
 protected:
  void SetUp() override {
    store(many(300, 1));
    {
      const Store killed = open();
      killed->save(many(150, 2), {"thing-299"});
      ASSERT_TRUE(log_.wait_for("things=151"));
      file_ = content_of(path_);
      wal_ = content_of(path_ + "-wal");
    }
    ASSERT_FALSE(wal_.empty());
    for (const auto& name : names(many(300, 1))) written_.push_back(name);
    for (const auto& name : names(many(150, 2))) written_.push_back(name);
  }

  /// Opens a file with this content; what comes back is what was written, or the file is refused.
  void expect_nothing_invented(const std::string& file, const std::string& wal) {
    std::filesystem::remove_all(path_);
    for (int number = 1; number <= 9; ++number) {
      for (const char* end : {"", "-wal", "-shm"}) {
        std::filesystem::remove(path_ + ".damaged-" + std::to_string(number) + end);
      }
    }
    write(path_, file);
    write(path_ + "-wal", wal);
    const auto warnings = log_.count(warning);
    std::vector<std::string> loaded;
    {
      auto opened = SqliteWatchStore::open(path_, log_, fast);
      if (!opened) {
        // Where the first page is another's, the file is not a database any more.
        EXPECT_THAT(opened.error(), AnyOf(HasSubstr("was written by a newer version"),
                                          HasSubstr("is not a database, and was left unchanged")));
        EXPECT_EQ(content_of(path_), file);
        return;
      }
      loaded = names((*opened)->take_loaded());
    }
    EXPECT_THAT(loaded, IsSubsetOf(written_));
    if (log_.count(warning) == warnings) {
      EXPECT_GE(loaded.size(), 299U);
    } else {
      EXPECT_TRUE(std::filesystem::exists(path_ + ".damaged-1"));
    }
    max_saved_ = std::max(max_saved_, loaded.size());
    EXPECT_EQ(stored(), loaded) << "the file is whole now";
  }

  std::string file_;
  std::string wal_;
  std::vector<std::string> written_;
  std::size_t max_saved_ = 0;
  std::mt19937 random_{20240607};

  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }
};

TEST_F(RandomDamageTest, UndamagedFileIsReadWithItsLog) {
  expect_nothing_invented(file_, wal_);
  EXPECT_EQ(log_.count(warning), 0U);
  const auto loaded = stored();
  EXPECT_EQ(loaded.size(), 299U);
  EXPECT_THAT(loaded, ::testing::Contains("thing-0@2"));
}

TEST_F(RandomDamageTest, BitsThatFlipInTheFileInventNothing) {
  for (int round = 0; round < 100 && !HasFailure(); ++round) {
    std::string file = file_;
    for (std::size_t flips = 1 + below(8); flips > 0; --flips) {
      char& byte = file[below(file.size())];
      byte = static_cast<char>(byte ^ static_cast<char>(1U << below(8)));
    }
    SCOPED_TRACE(round);
    expect_nothing_invented(file, below(2) == 0 ? wal_ : "");
  }
  EXPECT_GT(log_.count(warning), 30U);
}

TEST_F(RandomDamageTest, BlocksThatAreOverwrittenInventNothing) {
  for (int round = 0; round < 50 && !HasFailure(); ++round) {
    std::string file = file_;
    const std::size_t at = below(file.size());
    const std::size_t size = std::min(file.size() - at, 1 + below(6000));
    const bool is_noise = below(2) == 0;
    for (std::size_t i = at; i < at + size; ++i) {
      file[i] = is_noise ? static_cast<char>(below(256)) : '\0';
    }
    SCOPED_TRACE(round);
    expect_nothing_invented(file, below(2) == 0 ? wal_ : "");
  }
  EXPECT_GT(max_saved_, 150U) << "what is whole is saved";
}

TEST_F(RandomDamageTest, PagesThatChangePlacesInventNothing) {
  constexpr std::size_t page = 4096;
  const std::size_t pages = file_.size() / page;
  ASSERT_GT(pages, 4U);
  for (int round = 0; round < 50 && !HasFailure(); ++round) {
    std::string file = file_;
    file.replace(below(pages) * page, page, file_.substr(below(pages) * page, page));
    SCOPED_TRACE(round);
    expect_nothing_invented(file, "");
  }
}

TEST_F(RandomDamageTest, LogThatIsDamagedOrCutInventsNothing) {
  for (int round = 0; round < 50 && !HasFailure(); ++round) {
    std::string wal = wal_;
    if (below(2) == 0) {
      wal.resize(below(wal.size()));
    } else {
      char& byte = wal[below(wal.size())];
      byte = static_cast<char>(byte ^ static_cast<char>(1U << below(8)));
    }
    SCOPED_TRACE(round);
    expect_nothing_invented(file_, wal);
  }
}

TEST_F(RandomDamageTest, FileThatIsCutInventsNothing) {
  for (int round = 0; round < 30 && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    expect_nothing_invented(file_.substr(0, below(file_.size())), below(2) == 0 ? wal_ : "");
  }
}

}  // namespace
}  // namespace jobs_bridge::store
