#include "bridge/jobs/notification.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

namespace jobs_bridge {
namespace {

/// The answer to a get that lists so many jobs, each with an id of that size; `last`: the end of
/// the last one's.
std::vector<std::string> names_of(std::size_t jobs, std::size_t size = 10,
                                  const std::string& last = {}) {
  std::string list;
  for (std::size_t job = 0; job < jobs; ++job) {
    auto id = std::to_string(job);
    id += std::string(size - std::min(size, id.size()), 'x');
    if (job + 1 == jobs) id += last;
    list +=
        (list.empty() ? "" : ",") + std::string(R"({"jobId":")") + id + R"(","executionNumber":2})";
  }
  return read_pending({.members = R"("inProgressJobs":[],"queuedJobs":[)" + list + "]"})
      .value()
      .names;
}

std::size_t bytes_of(const std::vector<std::string>& names) {
  return std::accumulate(
      names.begin(), names.end(), std::size_t{0},
      [](std::size_t sum, const std::string& name) { return sum + name.size(); });
}

TEST(NoticeTest, ExecutionsAreNamedByJobAndNumber) {
  EXPECT_EQ(names_of(2, 1), (std::vector<std::string>{"0#2", "1#2"}));
}

TEST(NoticeTest, LongAndManyNamesAreKeptInShortAndStillTellChanges) {
  constexpr std::size_t bound = std::size_t{40} << 10U;
  const auto many = names_of(60000);
  EXPECT_LT(bytes_of(many), bound);
  EXPECT_EQ(many, names_of(60000));
  EXPECT_NE(many, names_of(60001));
  EXPECT_NE(many, names_of(60000, 10, "y"));
  const auto large = names_of(300, 100000);
  EXPECT_LT(bytes_of(large), bound);
  EXPECT_EQ(large, names_of(300, 100000));
  EXPECT_NE(names_of(3, 100000), names_of(3, 100000, "y"));
  EXPECT_NE(large.at(0), large.at(1));
}

}  // namespace
}  // namespace jobs_bridge
