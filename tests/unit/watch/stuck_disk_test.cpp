#include "tests/support/disk_gate.h"
#include "tests/unit/watch/store_fixture.h"

/// A disk that takes a write and does not come back, as one that breaks, or one on the network.
namespace jobs_bridge::store {
namespace {

using namespace std::chrono_literals;
using testing_support::DiskGate;

class StuckDiskTest : public StoreFixture {
 protected:
  void SetUp() override { gate_.install(); }
  void TearDown() override { gate_.remove(); }
  DiskGate& gate_ = DiskGate::instance();
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
  EXPECT_EQ(
      log_.count("the file of watched things was not closed in time: its disk does not respond",
                 Severity::error),
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
}  // namespace jobs_bridge::store
