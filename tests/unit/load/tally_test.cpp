#include "tests/load/tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "tests/load/report.h"

namespace jobs_load {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class TallyTest : public testing::Test {
 protected:
  Tally tally{10s};
  const Time start = Time(1000s);
};

TEST_F(TallyTest, ReplyEndsItsRequestAndNamesItsThing) {
  const auto sequence = tally.asked(7, start, true);
  EXPECT_EQ(tally.outstanding(), 1U);
  EXPECT_EQ(tally.answered(sequence, start + 5ms), 7U);
  EXPECT_EQ(tally.outstanding(), 0U);
  EXPECT_EQ(tally.summary().replies, 1U);
  EXPECT_EQ(tally.summary().lost, 0U);
}

TEST_F(TallyTest, LatencyRunsFromWhenARequestWasDue) {
  const auto sequence = tally.asked(0, start, true);
  tally.answered(sequence, start + 250ms);
  EXPECT_DOUBLE_EQ(tally.summary().p50, 250);
  EXPECT_DOUBLE_EQ(tally.summary().longest, 250);
  EXPECT_DOUBLE_EQ(tally.summary().seconds, 0.25);
}

TEST_F(TallyTest, PercentilesAreThoseOfAllLatencies) {
  for (int i = 1; i <= 1000; ++i) {
    tally.answered(tally.asked(0, start, true), start + std::chrono::milliseconds(i));
  }
  const auto summary = tally.summary();
  EXPECT_DOUBLE_EQ(summary.mean, 500.5);
  EXPECT_DOUBLE_EQ(summary.p50, 501);
  EXPECT_DOUBLE_EQ(summary.p90, 901);
  EXPECT_DOUBLE_EQ(summary.p99, 991);
  EXPECT_DOUBLE_EQ(summary.p999, 1000);
  EXPECT_DOUBLE_EQ(summary.longest, 1000);
}

TEST_F(TallyTest, SecondReplyIsADuplicateAndNotAnotherReply) {
  const auto sequence = tally.asked(0, start, true);
  tally.answered(sequence, start + 1ms);
  EXPECT_EQ(tally.answered(sequence, start + 2ms), std::nullopt);
  EXPECT_EQ(tally.summary().replies, 1U);
  EXPECT_EQ(tally.summary().duplicates, 1U);
}

TEST_F(TallyTest, RequestWithoutReplyIsLostOncePatienceEnds) {
  tally.asked(3, start, true);
  tally.asked(4, start + 1s, true);
  EXPECT_THAT(tally.expire(start + 10s - 1ms), IsEmpty());
  EXPECT_THAT(tally.expire(start + 10s), ElementsAre(3));
  EXPECT_THAT(tally.expire(start + 11s), ElementsAre(4));
  EXPECT_EQ(tally.summary().lost, 2U);
  EXPECT_EQ(tally.outstanding(), 0U);
}

TEST_F(TallyTest, ReplyAfterPatienceEndedIsLateAndItsRequestStaysLost) {
  const auto sequence = tally.asked(0, start, true);
  tally.expire(start + 10s);
  EXPECT_EQ(tally.answered(sequence, start + 11s), std::nullopt);
  const auto summary = tally.summary();
  EXPECT_EQ(summary.late, 1U);
  EXPECT_EQ(summary.lost, 1U);
  EXPECT_EQ(summary.duplicates, 0U);
  EXPECT_EQ(summary.replies, 0U);
}

TEST_F(TallyTest, LostRequestIsInThePercentilesWithThePatienceThatItTookAtLeast) {
  for (int i = 0; i < 89; ++i) tally.answered(tally.asked(0, start, true), start + 1ms);
  for (int i = 0; i < 10; ++i) tally.asked(0, start, true);
  tally.expire(start + 10s);
  tally.asked(0, start + 10s, true);
  const auto summary = tally.summary();
  EXPECT_EQ(summary.lost, 11U);
  EXPECT_DOUBLE_EQ(summary.p50, 1);
  EXPECT_DOUBLE_EQ(summary.p90, 10000);
  EXPECT_DOUBLE_EQ(summary.longest, 10000);
  EXPECT_DOUBLE_EQ(summary.mean, (89 * 1 + 11 * 10000) / 100.0);
  EXPECT_THAT(as_text(summary), testing::HasSubstr("counts as one that took the patience"));
}

TEST_F(TallyTest, WhatCouldNotBeAskedIsNoRequestButIsTold) {
  tally.skipped();
  EXPECT_EQ(tally.summary().requests, 0U);
  EXPECT_THAT(as_text(tally.summary()), testing::HasSubstr("for want of a connection: 1\n"));
  EXPECT_EQ(nlohmann::json::parse(as_json(tally.summary())).at("skipped"), 1);
}

TEST_F(TallyTest, WhatIsOutstandingAtTheEndIsLost) {
  tally.asked(0, start, true);
  EXPECT_EQ(tally.summary().lost, 1U);
}

TEST_F(TallyTest, WarmUpIsAnsweredButNotCounted) {
  const auto sequence = tally.asked(5, start, false);
  EXPECT_EQ(tally.answered(sequence, start + 1ms), 5U);
  tally.rejected("RequestThrottled");
  tally.asked(6, start, false);
  EXPECT_THAT(tally.expire(start + 10s), ElementsAre(6));
  const auto summary = tally.summary();
  EXPECT_EQ(summary.requests, 0U);
  EXPECT_EQ(summary.replies, 0U);
  EXPECT_EQ(summary.lost, 0U);
  EXPECT_THAT(summary.rejections, IsEmpty());
}

TEST_F(TallyTest, NumberThatWasNeverAskedIsNobodys) {
  EXPECT_EQ(tally.answered(99, start), std::nullopt);
  EXPECT_EQ(tally.summary().duplicates, 0U);
}

TEST_F(TallyTest, ReportTellsRejectionsByTheirCodes) {
  for (int i = 0; i < 3; ++i) {
    tally.answered(tally.asked(0, start, true), start + 1s);
    tally.rejected("RequestThrottled");
  }
  EXPECT_THAT(as_text(tally.summary()), testing::HasSubstr("rejected with RequestThrottled: 3\n"));
  const auto document = nlohmann::json::parse(as_json(tally.summary()));
  EXPECT_EQ(document.at("rejections").at("RequestThrottled"), 3);
  EXPECT_EQ(document.at("replies_per_second"), 3);
  EXPECT_EQ(document.at("latency_ms").at("p99"), 1000);
}

}  // namespace
}  // namespace jobs_load
