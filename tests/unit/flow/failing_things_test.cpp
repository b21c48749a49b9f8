#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/unit/flow/site.h"

/// A few things whose calls alone fail, beside others whose calls do not.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

bool is_ill(const std::string& thing) {
  return thing.starts_with("ill");
}

/// What is well for each operation; also for a describe that asks what became of an update.
const Site::Fate served{
    answer_of(200,
              R"({"inProgressJobs":[],"executionState":{},"execution":{"status":"SUCCEEDED"}})"),
    Site::latency};

/// The calls of things called ill fail so; all others succeed.
Site::Endpoint failing_for_the_ill(Site::Fate fate) {
  return [fate = std::move(fate)](const std::string& thing, MonotonicTime /*now*/) {
    return is_ill(thing) ? fate : served;
  };
}
const Site::Fate answered_with_an_error{answer_of(500, R"({"message":"m"})"), Site::latency};
const Site::Fate left_hanging{
    HttpFailure{.kind = HttpFailure::Kind::timeout, .maybe_sent = true, .detail = "timeout"}, 5s};

struct Devices {
  int count;
  Duration interval;  ///< of each, between two requests
};

/// Has devices ask for `time`, evenly spread, the one half with a get and the other with an update.
void ask(Site& site, const std::string& name, Devices devices, Duration time) {
  for (int device = 0; device < devices.count; ++device) {
    auto at = devices.interval * (2 * device + 1) / (2 * devices.count);
    for (int turn = 0; at < time; at += devices.interval, ++turn) {
      site.at(at, [&site, thing = name + std::to_string(device), turn] {
        if (turn % 2 == 0) {
          site.driver.send(thing, "get");
        } else {
          site.driver.send_update(thing, "t" + std::to_string(turn));
        }
      });
    }
  }
}

struct Seen {
  int replies = 0;
  int rejected = 0;
  Duration longest{};
};

Seen seen_by(const Site& site, bool ill) {
  Seen seen;
  for (const auto& reply : site.replies) {
    if (is_ill(Site::thing_in(reply.topic)) != ill) continue;
    ++seen.replies;
    if (reply.rejection) ++seen.rejected;
    seen.longest = std::max(seen.longest, reply.took);
  }
  return seen;
}

/// How long the replies took that healthy things got to what they asked from `after` on, shortest
/// first.
std::vector<Duration> times_of_the_healthy(const Site& site, Duration after) {
  std::vector<Duration> times;
  for (const auto& reply : site.replies) {
    if (is_ill(Site::thing_in(reply.topic)) || reply.at - reply.took < site.began + after) continue;
    times.push_back(reply.took);
  }
  std::ranges::sort(times);
  return times;
}

class FailingThingsAtTest
    : public testing::TestWithParam<std::tuple<Site::Fate, Devices, Devices>> {};

TEST_P(FailingThingsAtTest, DelayNoOthers) {
  const auto& [fate, ill, healthy] = GetParam();
  const Duration time = healthy.interval < 10s ? 4min : 30min;
  Site site({.reads_per_second = 200, .writes_per_second = 200}, failing_for_the_ill(fate));
  ask(site, "ill", ill, time);
  ask(site, "healthy", healthy, time);
  site.run_until(time + 1min);
  const auto seen = seen_by(site, false);
  RecordProperty("longest_ms", static_cast<int>(seen.longest / 1ms));
  RecordProperty("rejected", seen.rejected);
  EXPECT_EQ(seen.replies, healthy.count * static_cast<int>(time / healthy.interval));
  EXPECT_EQ(seen.rejected, 0);
  // Before anything else has been heard of they stand for the endpoint, and then no more. Eight or
  // more that fail one after the other delay the one that shows it.
  EXPECT_LE(seen.longest, ill.count < 8 ? Site::latency : 8s);
  EXPECT_EQ(times_of_the_healthy(site, 2min).back(), Site::latency);
  EXPECT_GE(seen_by(site, true).rejected, time / 1min) << "gets are answered all the same";
  const auto& changes = site.driver.effects.endpoint_changes;
  EXPECT_LE(changes.size(), 2U) << "the circuit opens once and closes once";
  EXPECT_TRUE(changes.empty() || changes.back().reachable);
}

INSTANTIATE_TEST_SUITE_P(Sites, FailingThingsAtTest,
                         testing::Combine(testing::Values(answered_with_an_error, left_hanging),
                                          testing::Values(Devices{1, 10s}, Devices{3, 10s},
                                                          Devices{3, 1s}, Devices{12, 10s}),
                                          testing::Values(Devices{100, 1s}, Devices{100, 60s},
                                                          Devices{100, 15min}, Devices{5, 60s},
                                                          Devices{1, 60s}, Devices{1, 15min})));

class OfAThousandThingsTest : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  /// What becomes of a failing thing's calls: an error, no answer, or either by its name.
  static Site::Endpoint endpoint() {
    return [how = std::get<0>(GetParam())](const std::string& thing, MonotonicTime /*now*/) {
      if (!is_ill(thing)) return served;
      const bool hangs = how == "hang" || (how == "either" && (thing.back() - '0') % 2 == 0);
      return hangs ? left_hanging : answered_with_an_error;
    };
  }
};

TEST_P(OfAThousandThingsTest, TheFailingDelayNoOthers) {
  const int ill = std::get<1>(GetParam());
  Site site({.reads_per_second = 200, .writes_per_second = 200}, endpoint());
  ask(site, "ill", {ill, 10s}, 3min);
  ask(site, "healthy", {1000 - ill, 10s}, 3min);
  site.run_until(4min);
  const auto healthy = seen_by(site, false);
  EXPECT_EQ(healthy.replies, (1000 - ill) * 18);
  EXPECT_EQ(healthy.rejected, 0);
  // Until their first calls have ended, of which thirty-two find a connection at a time, nothing is
  // known of those that hang.
  const auto times = times_of_the_healthy(site, ill * 5s / 32 + 10s);
  const auto p99 = times[times.size() * 99 / 100];
  RecordProperty("longest_ms", static_cast<int>(healthy.longest / 1ms));
  RecordProperty("p99_us", static_cast<int>(p99 / 1us));
  RecordProperty("longest_later_ms", static_cast<int>(times.back() / 1ms));
  RecordProperty("calls_of_failing",
                 static_cast<int>(std::ranges::count_if(
                     site.calls, [](const auto& call) { return is_ill(call.thing); })));
  EXPECT_EQ(p99, Site::latency);
  EXPECT_TRUE(site.driver.effects.endpoint_changes.empty());
  // Each get is answered in time, and with the cause.
  int gets = 0;
  for (const auto& reply : site.replies) {
    if (!is_ill(Site::thing_in(reply.topic)) || !reply.topic.ends_with("/get")) continue;
    ++gets;
    ASSERT_TRUE(reply.rejection);
    EXPECT_EQ(reply.rejection->code, ErrorCode::internal_error);
    const auto& message = reply.rejection->message;
    EXPECT_TRUE(message.find("500") != std::string::npos ||
                message.find("answer") != std::string::npos)
        << message;
    EXPECT_LE(reply.took, 8s);
  }
  EXPECT_EQ(gets, ill * 9);
}

TEST_P(OfAThousandThingsTest, TheFailingDoNotHideAnOutage) {
  const int ill = std::get<1>(GetParam());
  Site* running = nullptr;
  const auto outage = [&](MonotonicTime now) {
    return now >= running->began + 2min && now < running->began + 5min;
  };
  Site site({.reads_per_second = 200, .writes_per_second = 200},
            [&, usual = endpoint()](const std::string& thing, MonotonicTime now) {
              return outage(now) ? answered_with_an_error : usual(thing, now);
            });
  running = &site;
  ask(site, "ill", {ill, 10s}, 6min);
  ask(site, "healthy", {1000 - ill, 10s}, 6min);
  site.run_until(2min);
  EXPECT_TRUE(site.driver.effects.endpoint_changes.empty());
  auto calls = site.calls.size();
  while (site.driver.engine.counts().endpoint_reachable &&
         site.driver.now.monotonic < site.began + 3min) {
    site.run_until(site.driver.now.monotonic - site.began + 10ms);
  }
  const auto noticed = site.driver.now.monotonic - site.began - 2min;
  RecordProperty("noticed_after_ms", static_cast<int>(noticed / 1ms));
  RecordProperty("noticed_after_calls", static_cast<int>(site.calls.size() - calls));
  EXPECT_LE(noticed, 1100ms);
  calls = site.calls.size();
  site.run_until(5min);
  RecordProperty("calls_while_open", static_cast<int>(site.calls.size() - calls));
  EXPECT_LE(site.calls.size() - calls, 2U * 3 * 60 / 2) << "two kinds of probes";
  EXPECT_EQ(site.driver.effects.endpoint_changes.size(), 1U);
  calls = site.calls.size();
  while (!site.driver.engine.counts().endpoint_reachable &&
         site.driver.now.monotonic < site.began + 6min) {
    site.run_until(site.driver.now.monotonic - site.began + 10ms);
  }
  const auto ended = site.driver.now.monotonic - site.began - 5min;
  RecordProperty("end_noticed_after_ms", static_cast<int>(ended / 1ms));
  EXPECT_LE(ended, 11s) << "a probe that hangs is waited for once";
  site.run_until(8min);
  EXPECT_TRUE(site.driver.engine.counts().endpoint_reachable);
  EXPECT_EQ(site.driver.effects.endpoint_changes.size(), 2U);
  EXPECT_LE(site.driver.engine.counts().held, static_cast<std::size_t>(ill) * 18)
      << "those of the failing";
}

INSTANTIATE_TEST_SUITE_P(Sites, OfAThousandThingsTest,
                         testing::Combine(testing::Values("error", "hang", "either"),
                                          testing::Values(1, 8, 30, 100)));

}  // namespace
}  // namespace jobs_bridge::testing_support
