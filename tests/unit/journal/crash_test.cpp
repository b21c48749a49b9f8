#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/child.h"
#include "tests/support/wait_until.h"
#include "tests/unit/journal/journal_fixture.h"

/// Kills, power cuts, damage and full disks.
namespace jobs_bridge::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSubsetOf;
using testing::IsSupersetOf;
using testing_support::Child;
using testing_support::wait_until;

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

class CrashTest : public JournalFixture {};

TEST_F(CrashTest, AKillLosesNothingThatWasRecordedAndBringsBackNoneThatWasSettledBeforeARecord) {
  std::uint64_t next = 1;
  std::vector<std::uint64_t> kept;
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same test every time
  for (int round = 0; round < 40; ++round) {
    Child child([&](const Child& self) {
      const auto journal = open();
      for (auto number = next;; ++number) {
        if (journal->record(entry_of(number))) return 1;
        if (number % 3 == 0) journal->settle({number});
        self.say('r');
      }
    });
    const auto recorded = 1 + random() % 200;
    for (std::size_t i = 0; i < recorded; ++i) ASSERT_EQ(child.hear(), 'r');
    child.end();
    std::vector<std::uint64_t> must;
    for (auto number = next; number < next + recorded; ++number) {
      if (number % 3 != 0) must.push_back(number);
    }
    const auto there = stored();
    EXPECT_THAT(there, IsSupersetOf(must));
    EXPECT_TRUE(std::ranges::is_sorted(there));
    for (const auto number : there) {
      EXPECT_NE(number, 0U);
      // The last one that was heard of may have been settled after it, and be there for a moment.
      EXPECT_TRUE(number + 1 >= next + recorded || number % 3 != 0) << number << " was settled";
    }
    next = std::max<std::uint64_t>(next + recorded, there.empty() ? 0 : there.back() + 1);
    open()->settle(there);
  }
}

TEST_F(CrashTest, APowerCutLosesNothingThatWasOnTheDisk) {
  // What the disk has for certain, and what it would have had a moment later: a power cut leaves a
  // mixture of both.
  std::string database;
  std::string log_before;
  std::string log_after;
  {
    const auto journal = open();
    record(*journal, 1, 30);
    journal->settle({7});
    ASSERT_TRUE(wait_until([&] { return journal->state().syncs > 0; }));
    database = bytes_of(path_);
    log_before = bytes_of(path_ + "-wal");
    record(*journal, 31, 60);
    log_after = bytes_of(path_ + "-wal");
    ASSERT_EQ(database, bytes_of(path_)) << "the log alone was written";
  }
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::string log = log_after;
    if (seed % 2 == 0) log.resize(log_before.size() + random() % (log.size() - log_before.size()));
    for (std::size_t at = 0; at < log.size(); at += 512) {
      if (random() % 4 != 0) continue;
      for (std::size_t i = at; i < std::min(at + 512, log.size()); ++i) {
        log[i] = i < log_before.size() ? log_before[i] : '\0';
      }
    }
    std::filesystem::remove(path_ + "-shm");
    write(path_, database);
    write(path_ + "-wal", log);
    const auto there = stored();
    auto must = range(1, 30);
    must.erase(must.begin() + 6);
    EXPECT_THAT(there, IsSupersetOf(must)) << "seed " << seed;
    EXPECT_THAT(there, IsSubsetOf(range(1, 60))) << "seed " << seed;
  }
  EXPECT_EQ(log_.text().find("set aside"), std::string::npos)
      << "that is no damage to the database";
  EXPECT_THAT(log_.text(), HasSubstr("incomplete: updates may be lost")) << "but it is said";
}

TEST_F(CrashTest, DamageLosesDamagedEntriesAloneAndInventsNothing) {
  record(*open(), 1, 60);
  const auto whole = bytes_of(path_);
  std::size_t set_aside = 0;
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    auto damaged = whole;
    const bool cut = seed % 4 == 0;
    if (cut) {
      damaged.resize(random() % whole.size());
    } else {
      damaged[random() % damaged.size()] ^= static_cast<char>(1U << (random() % 8));
    }
    write(path_, damaged);
    std::filesystem::remove(path_ + "-wal");
    std::filesystem::remove(path_ + "-shm");
    auto opened = SqliteJournal::open(path_, log_, settings);
    if (!opened) {
      // The one byte that says which version wrote it.
      EXPECT_THAT(opened.error(), HasSubstr("newer version")) << "seed " << seed;
      EXPECT_TRUE(bytes_of(path_) == damaged) << "seed " << seed;
      continue;
    }
    const auto there = numbers(opened.value()->take_loaded());
    EXPECT_THAT(there, IsSubsetOf(range(1, 60))) << "seed " << seed;
    if (!cut && there.size() < 40) ++set_aside;
    EXPECT_FALSE(opened.value()->record(entry_of(61))) << "seed " << seed;
    opened.value().reset();
    EXPECT_EQ(stored().size(), there.size() + 1) << "seed " << seed;
    for (int i = 1; i <= 9; ++i) {
      std::filesystem::remove(path_ + ".damaged-" + std::to_string(i));
    }
  }
  EXPECT_LE(set_aside, 40U) << "a flipped bit seldom costs many";
  EXPECT_THAT(log_.text(), HasSubstr("a damaged journal was set aside"));
}

/// The log of writes beside a database that was being written to.
class LogDamageTest : public CrashTest {
 protected:
  static constexpr std::uint64_t updates = 60;
  static constexpr std::size_t frame_size = 24 + 512;

  void SetUp() override {
    auto with = settings;
    with.sync_after = 1h;
    const auto journal = open(with);
    record(*journal, 1, updates);
    database_ = bytes_of(path_);
    log_of_writes_ = bytes_of(path_ + "-wal");
    ASSERT_GT(log_of_writes_.size(), updates * frame_size);
  }
  std::vector<std::uint64_t> stored_with(const std::string& log_of_writes) {
    std::filesystem::remove(path_ + "-shm");
    write(path_, database_);
    write(path_ + "-wal", log_of_writes);
    testing_support::RecordingLog log;
    const auto journal = SqliteJournal::open(path_, log, settings);
    said_ = log.text();
    return journal ? numbers(journal.value()->take_loaded()) : std::vector<std::uint64_t>{0};
  }

  [[nodiscard]] std::size_t frames() const { return (log_of_writes_.size() - 32) / frame_size; }
  [[nodiscard]] std::string page_of(std::size_t frame) const {
    return log_of_writes_.substr(32 + frame * frame_size, 4);
  }
  /// As the bridge's log says it.
  std::size_t lost_at_most() {
    const std::string field = "updates_lost_at_most=";
    const auto at = said_.find(field);
    EXPECT_NE(at, std::string::npos) << "nothing is said: " << said_;
    return at == std::string::npos ? 0 : std::stoul(said_.substr(at + field.size()));
  }

  std::string database_;
  std::string log_of_writes_;
  std::string said_;
};

TEST_F(LogDamageTest, OneFlippedBitSeldomCostsAnUpdateAndIsSaidWithTheNumberLost) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same test every time
  int repaired = 0;
  constexpr int rounds = 100;
  for (int round = 0; round < rounds; ++round) {
    auto damaged = log_of_writes_;
    // Half of them where a frame or the log speaks of itself.
    auto at = random() % damaged.size();
    if (round % 4 == 1) at = 32 + random() % updates * frame_size + random() % 24;
    if (round % 4 == 3) at = random() % 32;
    damaged[at] ^= static_cast<char>(1U << (random() % 8));
    const auto there = stored_with(damaged);
    EXPECT_THAT(there, IsSubsetOf(range(1, updates))) << "byte " << at;
    EXPECT_GE(lost_at_most(), updates - there.size()) << "byte " << at << "\n" << said_;
    if (there == range(1, updates)) ++repaired;
  }
  EXPECT_GE(repaired, rounds * 3 / 4);
}

TEST_F(LogDamageTest, WhatIsLostBehindADamagedPartIsCounted) {
  for (const std::size_t frame : {3U, 30U, 59U}) {
    auto damaged = log_of_writes_;
    for (std::size_t i = 0; i < 100; ++i) damaged[32 + frame * frame_size + 300 + i] ^= 'x';
    const auto there = stored_with(damaged);
    EXPECT_THAT(there, IsSubsetOf(range(1, updates)));
    ASSERT_LT(there.size(), updates);
    EXPECT_EQ(lost_at_most(), updates - there.size());
  }
}

TEST_F(LogDamageTest, AWholeLogIsNoneAndNeitherIsWhatAKillLeaves) {
  EXPECT_EQ(stored_with(log_of_writes_), range(1, updates));
  EXPECT_THAT(said_, IsEmpty());
  // Truncated in the middle of a write that was not confirmed.
  EXPECT_EQ(stored_with(log_of_writes_ + log_of_writes_.substr(32, 24) + "x").size(), updates);
  EXPECT_THAT(said_, IsEmpty());
}

/// The frame could then be taken for one of another page, and that for one that comes again.
TEST_F(LogDamageTest, AFlippedBitInTheNumberOfAPageIsSaidWithTheNumberLost) {
  for (std::size_t frame = 0; frame < 30; ++frame) {
    for (const auto bit : {5U, 6U}) {
      auto damaged = log_of_writes_;
      damaged[32 + frame * frame_size + 3] ^= static_cast<char>(1U << bit);
      const auto there = stored_with(damaged);
      EXPECT_THAT(there, IsSubsetOf(range(1, updates))) << frame << " " << bit;
      EXPECT_GE(lost_at_most(), updates - there.size()) << frame << " " << bit << "\n" << said_;
    }
  }
}

/// For the higher bits of a checksum, what is damaged could as well be the page. Which it was does
/// not matter where the page comes again.
TEST_F(LogDamageTest, AFlippedBitInAChecksumCostsNothingIfThePageComesAgain) {
  int tried = 0;
  for (std::size_t frame = 0; frame < frames() && tried < 3; ++frame) {
    bool comes_again = false;
    for (auto later = frame + 1; later < frames(); ++later) {
      comes_again = comes_again || page_of(later) == page_of(frame);
    }
    if (!comes_again) continue;
    ++tried;
    for (const std::size_t byte : {16U, 20U}) {
      for (const auto bit : {3U, 4U, 5U, 6U}) {
        auto damaged = log_of_writes_;
        damaged[32 + frame * frame_size + byte] ^= static_cast<char>(1U << bit);
        EXPECT_EQ(stored_with(damaged), range(1, updates)) << frame << " " << byte << " " << bit;
      }
    }
  }
  EXPECT_EQ(tried, 3);
}

TEST_F(CrashTest, WhatIsNoDatabaseIsRefusedAndLeftAsItIs) {
  const auto other = directory_.file("other");
  for (const auto& content : {std::string("something else"), std::string(5000, '\1')}) {
    write(path_, content);
    EXPECT_THAT(error_of_open(path_), HasSubstr("is not a database"));
    EXPECT_EQ(bytes_of(path_), content);
    write(other, content);
    const auto link = directory_.file("link");
    std::filesystem::remove(link);
    std::filesystem::create_symlink(other, link);
    EXPECT_THAT(error_of_open(link), HasSubstr("is not a database"));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(bytes_of(other), content);
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("journal", "other", "link"));
  }
}

/// A power cut may leave the size of a new file and nothing of what is in it.
TEST_F(CrashTest, AFileOfZerosIsReplacedByANewOne) {
  for (const std::size_t size : {10U, 4096U}) {
    write(path_, std::string(size, '\0'));
    const auto journal = open();
    ASSERT_TRUE(journal) << size;
    EXPECT_THAT(journal->take_loaded(), IsEmpty());
    record(*journal, 1, 1);
  }
}

TEST_F(CrashTest, AnUpdateThatOccursTwiceIsDamageAndIsThereOnce) {
  record(*open(), 1, 5);
  static_cast<void>(value_in(
      path_,
      "INSERT INTO updates SELECT 9, number, received, expires_after, topic, payload, "
      "response_topic, correlation_data, content_type, checksum FROM updates WHERE number=2"));
  EXPECT_EQ(stored(), range(1, 5));
  EXPECT_THAT(log_.text(), HasSubstr("damage=an update occurs twice"));
}

/// A file system that the test can fill; only root may create one.
class FullDiskTest : public JournalFixture {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(home_);
    if (geteuid() != 0 || mount("none", home_.c_str(), "tmpfs", 0, "size=2m") != 0) {
      GTEST_SKIP() << "only root may mount a small disk";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (!mounted_) return;
    EXPECT_EQ(umount2(home_.c_str(), MNT_DETACH), 0);
  }
  void fill() {
    std::ofstream file(home_ + "/filler", std::ios::binary);
    const std::string block(1024, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void make_space() { std::filesystem::remove(home_ + "/filler"); }
  Result<Opened, std::string> open_there() {
    return SqliteJournal::open(home_ + "/journal", log_, settings);
  }

  const std::string home_ = directory_.file("disk");
  bool mounted_ = false;
};

TEST_F(FullDiskTest, UpdatesAreRefusedUntilThereIsSpaceAndNothingIsLost) {
  auto opened = open_there();
  ASSERT_TRUE(opened) << opened.error();
  auto& journal = *opened.value();
  record(journal, 1, 20);
  fill();
  std::uint64_t number = 21;
  std::optional<std::string> fault;
  while (!(fault = journal.record(entry_of(number)))) ++number;
  EXPECT_THAT(*fault, HasSubstr("full"));
  // It looks for space by itself, and there may be some for a few more.
  const std::string event = "the journal has no space left: updates that do not fit are rejected";
  EXPECT_GE(log_.count(event), 1U);
  EXPECT_THAT(log_.text(), HasSubstr("free space on the disk that journal.path is on"));
  make_space();
  ASSERT_TRUE(wait_until([&] { return !journal.record(entry_of(number)); }));
  // It looks whether there is space for more than this one.
  ASSERT_TRUE(wait_until([&] { return !journal.state().failing; })) << journal.state().cause;
  EXPECT_GE(log_.count("the journal can be written again"), 1U);
  opened.value().reset();
  auto again = open_there();
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(numbers(again.value()->take_loaded()), range(1, number));
}

TEST_F(FullDiskTest, AStartOnAFullDiskTakesOverWhatIsThere) {
  {
    auto opened = open_there();
    ASSERT_TRUE(opened) << opened.error();
    record(*opened.value(), 1, 20);
  }
  fill();
  auto opened = open_there();
  ASSERT_TRUE(opened) << opened.error();
  auto& journal = *opened.value();
  EXPECT_EQ(numbers(journal.take_loaded()), range(1, 20));
  std::uint64_t number = 21;
  while (!journal.record(entry_of(number))) ++number;
  journal.settle({1});
  make_space();
  ASSERT_TRUE(wait_until([&] { return !journal.record(entry_of(number)); }));
  opened.value().reset();
  auto again = open_there();
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(numbers(again.value()->take_loaded()), range(2, number));
}

TEST_F(FullDiskTest, AFileOfThePreviousVersionIsTakenOverAndConvertedOnceThereIsSpace) {
  put_previous_version(home_ + "/journal");
  fill();
  {
    const auto opened = open_there();
    ASSERT_TRUE(opened) << opened.error();
    EXPECT_EQ(numbers(opened.value()->take_loaded()), range(1, 8));
    EXPECT_TRUE(opened.value()->record(entry_of(9)));
    make_space();
    EXPECT_TRUE(wait_until([&] { return !opened.value()->record(entry_of(9)); }));
  }
  {
    const auto again = open_there();
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(numbers(again.value()->take_loaded()), range(1, 9));
  }
  EXPECT_EQ(value_in(home_ + "/journal", "PRAGMA user_version"), "2");
}

TEST_F(FullDiskTest, AFirstStartOnAFullDiskIsNoFault) {
  fill();
  auto opened = open_there();
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_TRUE(opened.value()->record(entry_of(1)));
  EXPECT_EQ(log_.count("the journal has no space left"), 1U) << log_.text();
  make_space();
  ASSERT_TRUE(wait_until([&] { return !opened.value()->record(entry_of(1)); }));
}

/// Records until the disk is full. Returns the number that was refused.
std::uint64_t record_until_refused(SqliteJournal& journal, std::uint64_t number) {
  while (!journal.record(entry_of(number))) ++number;
  return number;
}

TEST_F(FullDiskTest, WhatTheJournalItselfFilledIsFreeOnceItIsSettled) {
  for (const bool beside_others : {false, true}) {
    auto opened = open_there();
    ASSERT_TRUE(opened) << opened.error();
    auto& journal = *opened.value();
    if (beside_others) {
      record(journal, 1, 200);
      fill();
    }
    const auto refused = record_until_refused(journal, beside_others ? 201 : 1);
    journal.settle(range(1, refused - 1));
    // No update arrives meanwhile.
    ASSERT_TRUE(wait_until([&] { return !journal.state().failing; })) << journal.state().cause;
    record(journal, refused, refused + 20);
    journal.settle(range(refused, refused + 20));
    opened.value().reset();
    auto again = open_there();
    ASSERT_TRUE(again) << again.error();
    EXPECT_THAT(again.value()->take_loaded(), IsEmpty());
  }
}

TEST_F(FullDiskTest, ARestartAfterAKillOnADiskThatTheJournalFilledRecovers) {
  Child child([&](const Child& self) {
    auto opened = open_there();
    if (!opened) return 1;
    const auto refused = record_until_refused(*opened.value(), 1);
    opened.value()->settle(range(1, refused - 20));
    fill();
    self.say('f');
    pause();
    return 0;
  });
  ASSERT_EQ(child.hear(), 'f');
  child.end();
  auto opened = open_there();
  ASSERT_TRUE(opened) << opened.error();
  auto& journal = *opened.value();
  const auto kept = numbers(journal.take_loaded());
  EXPECT_GE(kept.size(), 20U);
  journal.settle(kept);
  const auto next = kept.back() + 1;
  ASSERT_TRUE(wait_until([&] { return !journal.record(entry_of(next)); })) << journal.state().cause;
  EXPECT_FALSE(journal.state().failing);
  record(journal, next + 1, next + 20);
  opened.value().reset();
  auto again = open_there();
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(numbers(again.value()->take_loaded()), range(next, next + 20));
}

TEST_F(FullDiskTest, SpaceForAFewUpdatesDoesNotMakeItFailAndRecoverAllTheTime) {
  auto opened = open_there();
  ASSERT_TRUE(opened) << opened.error();
  auto& journal = *opened.value();
  record(journal, 1, 200);
  fill();
  auto number = record_until_refused(journal, 201);
  // Now and then something on the disk makes room for an update or two.
  for (int times = 0; times < 8; ++times) {
    std::filesystem::resize_file(home_ + "/filler",
                                 std::filesystem::file_size(home_ + "/filler") - 65536);
    wait_until([&] { return !journal.state().failing; }, std::chrono::milliseconds(200));
    number = record_until_refused(journal, number);
  }
  EXPECT_LE(log_.count("the journal can be written again"), 4U);
  const auto refusal = journal.state().last_not_recorded;
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->cause, HasSubstr("full"));
  make_space();
  ASSERT_TRUE(wait_until([&] { return !journal.state().failing; })) << journal.state().cause;
}

/// The database's file ends a little behind what is in it, and what was reserved beyond that goes
/// each time that the log was brought into it.
TEST_F(FullDiskTest, WhatIsRecordedOnAFullDiskHasItsSpaceInTheDatabase) {
  const auto end_of = [](std::uint64_t number) { return "end-of-" + std::to_string(number) + ";"; };
  const auto large = [&](std::uint64_t number) {
    auto entry = entry_of(number);
    entry.message.payload = std::string(4000, 'x') + end_of(number);
    return entry;
  };
  const auto is_in_database = [&](std::uint64_t number) {
    return bytes_of(home_ + "/journal").find(end_of(number)) != std::string::npos;
  };
  // One of these counts leaves less than the next update needs.
  for (std::uint64_t count = 29; count <= 32; ++count) {
    auto opened = open_there();
    ASSERT_TRUE(opened) << opened.error();
    auto& journal = *opened.value();
    std::uint64_t number = 1;
    for (; number <= count; ++number) ASSERT_FALSE(journal.record(large(number)));
    ASSERT_TRUE(wait_until([&] { return is_in_database(count); }));
    fill();
    while (!journal.record(large(number))) ++number;
    EXPECT_TRUE(wait_until([&] { return is_in_database(number - 1); })) << count;
    make_space();
    opened.value().reset();
    std::filesystem::remove(home_ + "/journal");
  }
}

TEST_F(FullDiskTest, SpaceThatOthersMakeIsNoticedWithoutAnUpdate) {
  auto opened = open_there();
  ASSERT_TRUE(opened) << opened.error();
  auto& journal = *opened.value();
  record(journal, 1, 20);
  fill();
  const auto refused = record_until_refused(journal, 21);
  make_space();
  ASSERT_TRUE(wait_until([&] { return !journal.state().failing; })) << journal.state().cause;
  EXPECT_FALSE(journal.record(entry_of(refused)));
}

TEST_F(CrashTest, EachWriteThatFailsRefusesAnUpdateAndHarmsNothing) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  auto journal = open();
  record(*journal, 1, 10);
  std::uint64_t number = 11;
  const auto size = std::filesystem::file_size(path_ + "-wal");
  for (std::size_t more = 0; more < 20000; more += 700) {
    const rlimit limit{.rlim_cur = size + more, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    while (!journal->record(entry_of(number))) ++number;
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_TRUE(wait_until([&] { return !journal->record(entry_of(number)); }));
  journal.reset();
  EXPECT_EQ(stored(), range(1, number));
}

}  // namespace
}  // namespace jobs_bridge::store
