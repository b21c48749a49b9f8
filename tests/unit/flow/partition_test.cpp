#include "bridge/flow/partition.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace jobs_bridge {
namespace {

TEST(PartitionTest, OneInstanceServesEverything) {
  const Partition all;
  EXPECT_TRUE(all.serves(""));
  EXPECT_TRUE(all.serves("thing"));
  EXPECT_TRUE(all.serves(std::string(1000, '\xFF')));
}

TEST(PartitionTest, TheHashIsFnv1aOf64Bits) {
  // Published test vectors of FNV-1a.
  const std::pair<const char*, std::uint64_t> vectors[] = {
      {"", 0xcbf29ce484222325U},
      {"a", 0xaf63dc4c8601ec8cU},
      {"foobar", 0x85944171f73967e8U},
  };
  for (const auto& [name, hash] : vectors) {
    for (std::uint32_t count = 2; count < 100; ++count) {
      for (std::uint32_t index = 1; index <= count; ++index) {
        EXPECT_EQ((Partition::part(index, count).serves(name)), hash % count == index - 1)
            << name << " " << index << "/" << count;
      }
    }
  }
}

TEST(PartitionTest, EveryThingIsServedByExactlyOneInstance) {
  for (const std::uint32_t count : {2U, 3U, 7U, 16U}) {
    std::vector<int> served(count, 0);
    constexpr int things = 20000;
    for (int i = 0; i < things; ++i) {
      const auto thing = "site:" + std::to_string(i % 10) + ":sensor-" + std::to_string(i);
      int by = 0;
      for (std::uint32_t index = 1; index <= count; ++index) {
        if (!Partition::part(index, count).serves(thing)) continue;
        ++by;
        ++served[index - 1];
      }
      ASSERT_EQ(by, 1) << thing;
    }
    for (const int share : served) {
      EXPECT_NEAR(share, things / static_cast<int>(count), things / static_cast<int>(count) / 5);
    }
  }
}

TEST(PartitionTest, ARangeHasTheThingsOfItsBucketsAndNoOthers) {
  const Partition quarter{251, 500, 1000};
  int served = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto thing = "sensor-" + std::to_string(i);
    const auto bucket = name_hash(thing) % 1000;
    ASSERT_EQ(quarter.serves(thing), bucket >= 250 && bucket < 500) << thing;
    served += quarter.serves(thing) ? 1 : 0;
  }
  EXPECT_NEAR(served, 5000, 250);
  EXPECT_TRUE((Partition{1, 1000, 1000}.serves_all()));
}

TEST(PartitionTest, AFifthInstanceMovesOnlyWhatItTakesFromOneOfTheFour) {
  const Partition before{751, 1000, 1000};
  const Partition after{751, 875, 1000};
  const Partition fifth{876, 1000, 1000};
  for (int i = 0; i < 20000; ++i) {
    const auto thing = "sensor-" + std::to_string(i);
    ASSERT_EQ(before.serves(thing), after.serves(thing) != fifth.serves(thing)) << thing;
  }
}

}  // namespace
}  // namespace jobs_bridge
