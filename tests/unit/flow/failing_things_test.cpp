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

/// The calls of things called ill fail so; all others succeed.
Site::Endpoint failing_for_the_ill(Site::Fate fate) {
  return [fate = std::move(fate)](const std::string& thing, MonotonicTime /*now*/) {
    return is_ill(thing) ? fate : Site::Fate{answer_of(200, "{}"), Site::latency};
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

class FailingThingsTest : public testing::TestWithParam<std::tuple<Site::Fate, Devices, Devices>> {
};

TEST_P(FailingThingsTest, DelayNobodyElse) {
  const auto& [fate, ill, healthy] = GetParam();
  Site site({.reads_per_second = 200, .writes_per_second = 200}, failing_for_the_ill(fate));
  ask(site, "ill", ill, 30min);
  ask(site, "healthy", healthy, 30min);
  site.run_until(31min);
  const auto seen = seen_by(site, false);
  RecordProperty("longest_ms", static_cast<int>(seen.longest / 1ms));
  RecordProperty("rejected", seen.rejected);
  EXPECT_EQ(seen.replies, healthy.count * static_cast<int>(30min / healthy.interval));
  EXPECT_EQ(seen.rejected, 0);
  EXPECT_EQ(seen.longest, Site::latency);
  EXPECT_GE(seen_by(site, true).rejected, 30) << "gets are answered all the same";
}

INSTANTIATE_TEST_SUITE_P(
    Sites, FailingThingsTest,
    testing::Combine(testing::Values(answered_with_an_error, left_hanging),
                     testing::Values(Devices{1, 10s}, Devices{3, 10s}, Devices{3, 1s}),
                     testing::Values(Devices{100, 1s}, Devices{100, 60s}, Devices{100, 15min},
                                     Devices{5, 60s}, Devices{1, 60s}, Devices{1, 15min})));

}  // namespace
}  // namespace jobs_bridge::testing_support
