#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <random>

#include "tests/support/child.h"
#include "tests/unit/watch/store_fixture.h"

/// kill -9 at any moment.
namespace jobs_bridge::store {
namespace {

using testing_support::Child;

class KillTest : public StoreFixture {};

/// Tells the test of every round of writing.
class SayingLog final : public Log {
 public:
  explicit SayingLog(std::function<void()> say) : say_(std::move(say)) {}
  bool enabled(Severity) const override { return true; }
  using Log::write;
  void write(Severity, std::string_view event, std::initializer_list<Field>) override {
    if (event == "changes to watched things were written") say_();
  }

 private:
  std::function<void()> say_;
};

constexpr int things = 2000;

/// Saves all things again and again, the time one later in each round; a round begins when the one
/// before is written.
int write_for_ever(const std::string& path, const Child& child) {
  std::mutex mutex;
  std::condition_variable changed;
  int written = 0;
  SayingLog log([&] {
    child.say('w');
    const std::lock_guard lock(mutex);
    ++written;
    changed.notify_all();
  });
  auto store = SqliteWatchStore::open(
      path, log, {.between_rounds = Duration::zero(), .closing = std::chrono::seconds(10)});
  if (!store) return 1;
  for (int round = 1;; ++round) {
    (*store)->save(many(things, round), {});
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return written >= round; });
  }
}

TEST_F(KillTest, EveryRoundIsKeptAsAWholeAndNoneThatWasWrittenIsLost) {
  std::minstd_rand random(7);
  for (int attempt = 0; attempt < 10; ++attempt) {
    std::filesystem::remove(path_);
    int heard = 0;
    {
      Child child([&](const Child& self) { return write_for_ever(path_, self); });
      const int rounds = 1 + static_cast<int>(random() % 8);
      while (heard < rounds && child.hear() == 'w') ++heard;
      ASSERT_EQ(heard, rounds);
      usleep(static_cast<useconds_t>(random() % 30'000));  // somewhere within the next rounds
      child.end();
      while (child.hear() == 'w') ++heard;
    }
    const auto loaded = open()->take_loaded();
    ASSERT_EQ(loaded.size(), static_cast<std::size_t>(things));
    const auto round = loaded.front().asked;
    EXPECT_GE(round, heard);
    EXPECT_LE(round, heard + 1);
    for (const auto& thing : loaded) {
      ASSERT_EQ(thing.asked, round) << thing.thing;
      ASSERT_EQ(thing.told, told_of(thing.thing, round)) << thing.thing;
    }
  }
  EXPECT_EQ(log_.count("", Severity::info), 0U) << log_.text();
}

TEST_F(KillTest, FileThatWasJustBegunIsNoDamage) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::filesystem::remove(path_);
    {
      Child child([&](const Child& self) {
        self.say('b');
        return write_for_ever(path_, self);
      });
      ASSERT_EQ(child.hear(), 'b');
      usleep(static_cast<useconds_t>(attempt) * 500);
      child.end();
    }
    for (const auto& thing : open()->take_loaded()) {
      ASSERT_EQ(thing.told, told_of(thing.thing, thing.asked));
    }
  }
  EXPECT_EQ(log_.count("", Severity::info), 0U) << log_.text();
}

}  // namespace
}  // namespace jobs_bridge::store
