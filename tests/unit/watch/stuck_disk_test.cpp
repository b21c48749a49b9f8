#include <condition_variable>
#include <mutex>

#include "tests/unit/watch/store_fixture.h"

/// A disk that takes a write and does not come back, as one that breaks, or one on the network.
namespace jobs_bridge::watch {
namespace {

using namespace std::chrono_literals;

/// Stands between SQLite and the log of writes.
class Gate {
 public:
  static Gate& instance() {
    static Gate gate;
    return gate;
  }

  void install() {
    system_ = sqlite3_vfs_find(nullptr);
    files_ = *system_;
    files_.zName = "gate";
    files_.pNext = nullptr;
    files_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
      return instance().open(name, file, flags, out);
    };
    ASSERT_EQ(sqlite3_vfs_register(&files_, 1), SQLITE_OK);
  }
  void remove() {
    sqlite3_vfs_register(system_, 1);
    sqlite3_vfs_unregister(&files_);
  }

  void shut() { set(is_shut_, true); }
  void open() { set(is_shut_, false); }
  bool wait_until_somebody_waits() { return wait(is_waiting_); }
  bool wait_until_the_file_is_closed() { return wait(is_closed_); }

 private:
  int open(const char* name, sqlite3_file* file, int flags, int* out) {
    const int code = system_->xOpen(system_, name, file, flags, out);
    if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
    methods_ = file->pMethods;
    gated_ = *methods_;
    gated_.xWrite = [](sqlite3_file* opened, const void* data, int size, sqlite3_int64 at) {
      instance().pass();
      return instance().methods_->xWrite(opened, data, size, at);
    };
    gated_.xClose = [](sqlite3_file* opened) {
      const int closed = instance().methods_->xClose(opened);
      instance().set(instance().is_closed_, true);
      return closed;
    };
    file->pMethods = &gated_;
    is_closed_ = false;
    return code;
  }
  void pass() {
    std::unique_lock lock(mutex_);
    is_waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !is_shut_; });
    is_waiting_ = false;
  }
  void set(bool& what, bool value) {
    const std::lock_guard lock(mutex_);
    what = value;
    changed_.notify_all();
  }
  bool wait(const bool& what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return what; });
  }

  sqlite3_vfs* system_ = nullptr;
  sqlite3_vfs files_{};
  const sqlite3_io_methods* methods_ = nullptr;
  sqlite3_io_methods gated_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_shut_ = false;
  bool is_waiting_ = false;
  bool is_closed_ = false;
};

class StuckDiskTest : public StoreFixture {
 protected:
  void SetUp() override { gate_.install(); }
  void TearDown() override { gate_.remove(); }
  Gate& gate_ = Gate::instance();
};

TEST_F(StuckDiskTest, SavingDoesNotWaitAndTheEndOnlyForAWhile) {
  Store store = open({.between_rounds = 1ms, .closing = 200ms});
  gate_.shut();
  store->save({watched("a", 1)}, {});
  ASSERT_TRUE(gate_.wait_until_somebody_waits());
  for (int i = 0; i < 100; ++i) store->save(many(100, i), {});
  const auto before = std::chrono::steady_clock::now();
  store.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  EXPECT_EQ(log_.count("The disk does not let the writer of watched things go", Severity::error),
            1U);
  const auto lines = log_.lines().size();
  gate_.open();
  ASSERT_TRUE(gate_.wait_until_the_file_is_closed());
  EXPECT_EQ(log_.lines().size(), lines) << "the log may be gone by then: " << log_.text();
  EXPECT_EQ(log_.count("", Severity::warning), 1U) << log_.text();
}

TEST_F(StuckDiskTest, DiskThatComesBackInTimeLosesNothing) {
  {
    const Store store = open({.between_rounds = 1ms, .closing = 20s});
    gate_.shut();
    store->save({watched("a", 1)}, {});
    ASSERT_TRUE(gate_.wait_until_somebody_waits());
    store->save({watched("a", 2), watched("b", 2)}, {});
    gate_.open();
  }
  EXPECT_EQ(stored(), (std::vector<std::string>{"a@2", "b@2"}));
  EXPECT_EQ(log_.count("", Severity::warning), 0U) << log_.text();
}

}  // namespace
}  // namespace jobs_bridge::watch
