#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "bridge/flow/circuit.h"
#include "tests/unit/flow/site.h"

/// How soon after an outage held updates are delivered, and how many calls that makes.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

HttpOutcome failure(HttpFailure::Kind kind, bool maybe_sent) {
  return HttpFailure{.kind = kind, .maybe_sent = maybe_sent, .detail = "simulated"};
}

HttpOutcome unavailable(const std::string& retry_after) {
  HttpResponse response;
  response.status = 503;
  response.body = R"({"message":"m"})";
  response.retry_after = retry_after;
  return response;
}

class AfterOutageTest : public testing::TestWithParam<std::tuple<Site::Fate, Duration, int>> {};

TEST_P(AfterOutageTest, HeldUpdatesGoOutWithinAProbesPauseAndAtTheQuota) {
  const auto& [fate, length, things] = GetParam();
  constexpr double quota = 50;
  const Duration begins = 30s;
  const Duration ends = begins + length;
  const std::string done = R"({"execution":{"jobId":"j","status":"SUCCEEDED","versionNumber":2}})";
  MonotonicTime from{};
  MonotonicTime to{};
  Site site(
      {.queue = 100000, .reads_per_second = quota, .writes_per_second = quota},
      [&, &fate = fate](const std::string& /*thing*/, MonotonicTime now) {
        return now >= from && now < to ? fate : Site::Fate{answer_of(200, done), Site::latency};
      });
  from = site.began + begins;
  to = site.began + ends;
  for (int thing = 0; thing < things; ++thing) {
    const auto name = "T" + std::to_string(thing);
    site.at(1s, [&site, name] { site.driver.send(name, "get"); });
    site.at(begins + length * thing / things,
            [&site, name] { site.driver.send_update(name, "t"); });
  }
  site.run_until(ends);
  const auto before = site.replies.size();
  site.run_until(ends + 5min);
  ASSERT_EQ(site.replies.size(), 2U * static_cast<std::size_t>(things));
  Duration longest{};
  for (auto reply = before; reply < site.replies.size(); ++reply) {
    EXPECT_FALSE(site.replies[reply].rejection);
    const auto received =
        begins + length * std::stoi(Site::thing_in(site.replies[reply].topic).substr(1)) / things;
    longest = std::max(longest, received + site.replies[reply].took - ends);
  }
  RecordProperty("longest_ms", static_cast<int>(longest / 1ms));
  // A probe that began just before the end has yet to end, and some need a describe first.
  const auto probe = Circuit::max_pause + std::min<Duration>(fate.takes, 8s);
  const auto drain = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(static_cast<double>(things) / quota));
  EXPECT_LE(longest, probe + drain + 1s);
  for (auto first = site.calls.begin(), last = first; last != site.calls.end(); ++last) {
    while (first->at <= last->at - 1s) ++first;
    EXPECT_LE(last - first + 1, 2 * (quota * 1.05 + 1));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Outages, AfterOutageTest,
    testing::Combine(testing::Values(Site::Fate{failure(HttpFailure::Kind::connect, false), 1ms},
                                     Site::Fate{failure(HttpFailure::Kind::connect, false), 3s},
                                     Site::Fate{failure(HttpFailure::Kind::timeout, true), 5s},
                                     Site::Fate{unavailable(""), Site::latency}),
                     testing::Values(10s, 60s, 10min), testing::Values(1, 2, 5, 100)));
// Long enough to be an outage and not two things' own, who then wait as long as they were asked.
INSTANTIATE_TEST_SUITE_P(
    OutagesWithRetryAfter, AfterOutageTest,
    testing::Combine(testing::Values(Site::Fate{unavailable("60"), Site::latency}),
                     testing::Values(60s, 10min), testing::Values(1, 2, 5, 100)));
// Shorter than anyone was asked to wait.
INSTANTIATE_TEST_SUITE_P(ShortOutagesWithRetryAfter, AfterOutageTest,
                         testing::Combine(testing::Values(Site::Fate{unavailable("60"),
                                                                     Site::latency}),
                                          testing::Values(1s), testing::Values(5, 100)));

}  // namespace
}  // namespace jobs_bridge::testing_support
