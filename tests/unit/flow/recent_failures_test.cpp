#include "bridge/flow/recent_failures.h"

#include <gtest/gtest.h>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

class RecentFailuresTest : public testing::Test {
 protected:
  static Request update(const char* status, const char* job = "j") {
    return {.operation = Operation::update,
            .thing = *ThingName::parse("T"),
            .job = JobName::parse(job),
            .status = status};
  }
  void accepted(const Request& request, std::optional<std::int64_t> execution = {}) {
    failures_.accepted(now_, now_ - 1s, request, execution);
  }

  MonotonicTime now_{1h};
  RecentFailures failures_;
};

TEST_F(RecentFailuresTest, EachFailureAfterOneWhoseExecutionIsKnownIsOfTheNext) {
  accepted(update("FAILED"), 3);
  EXPECT_EQ(failures_.before(now_, update("FAILED")).execution, 4);
  accepted(update("FAILED"));
  EXPECT_EQ(failures_.before(now_, update("FAILED")).execution, 5);
  EXPECT_EQ(failures_.before(now_, update("SUCCEEDED")).execution, std::nullopt);
  EXPECT_EQ(failures_.before(now_, update("FAILED", "k")).execution, std::nullopt);
  EXPECT_EQ(failures_.before(now_ + 11s, update("FAILED")).execution, std::nullopt);
}

TEST_F(RecentFailuresTest, WithoutAKnownExecutionTheyAreCounted) {
  accepted(update("FAILED"));
  now_ += 2s;
  accepted(update("FAILED"));
  const auto before = failures_.before(now_ + 1s, update("FAILED"));
  EXPECT_EQ(before.count, 2U);
  EXPECT_EQ(before.since, Duration(4s)) << "since the first was sent";
}

TEST_F(RecentFailuresTest, NoneIsKeptBeyondAnotherEndOfTheJob) {
  for (const auto* end : {"SUCCEEDED", "REJECTED"}) {
    accepted(update("FAILED"), 3);
    accepted(update("FAILED", "k"), 7);
    accepted(update("IN_PROGRESS"));
    EXPECT_EQ(failures_.before(now_, update("FAILED")).execution, 4);
    accepted(update(end));
    EXPECT_EQ(failures_.before(now_, update("FAILED")).execution, std::nullopt) << end;
    EXPECT_EQ(failures_.before(now_, update("FAILED")).count, 0U) << end;
    EXPECT_EQ(failures_.before(now_, update("FAILED", "k")).execution, 8) << "another job's";
  }
}

}  // namespace
}  // namespace jobs_bridge
