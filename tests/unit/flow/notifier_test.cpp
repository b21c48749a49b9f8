#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/unit/flow/engine_driver.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

/// Answers polls out of a queue of jobs for each thing, in virtual time.
class NotifierTest : public testing::Test {
 protected:
  explicit NotifierTest(NotifierSettings settings = {.enabled = true})
      : driver_(EngineSettings{.deadline = 8s, .notifier = settings}) {}

  static std::string summary(const std::string& job) {
    return R"({"jobId":")" + job + R"(","queuedAt":1,"versionNumber":1,"executionNumber":1})";
  }

  HttpOutcome answer_to(const Call& call) {
    ++calls_;
    const auto& target = call.request.target;
    const auto thing = target.substr(8, target.find('/', 8) - 8);
    const auto& jobs = queues_[thing];
    if (target.ends_with("/jobs")) {
      std::string list;
      for (const auto& job : jobs) {
        if (list.empty()) {
          list = summary(job);
        } else {
          list = newest_first_ ? summary(job) + "," + list : list + "," + summary(job);
        }
      }
      return answer_of(200, R"({"inProgressJobs":[],"queuedJobs":[)" + list + "]}");
    }
    if (call.request.method == "POST") {
      std::erase(queues_[thing], target.substr(target.rfind('/') + 1));
      return answer_of(200, "{}");
    }
    if (jobs.empty()) return answer_of(200, "{}");
    auto execution = json::parse(summary(jobs.front()));
    execution["status"] = "QUEUED";
    execution["thingName"] = thing;
    execution["jobDocument"] = R"({"n":9007199254740993})";
    return answer_of(200, json({{"execution", execution}}).dump());
  }

  static ThingName thing(const std::string& name, int number) {
    return *ThingName::parse(name + "-" + std::to_string(number));
  }

  /// Carries out whatever is to be done now; the topics that were published to, without the base.
  std::vector<std::string> work() {
    while (auto call = driver_.next_call()) driver_.answer(call->id, answer_to(*call));
    std::vector<std::string> topics;
    for (auto& publication : driver_.effects.publications) {
      topics.push_back(publication.topic.substr(12));
      last_[topics.back()] = std::move(publication.payload);
    }
    driver_.effects.publications.clear();
    driver_.effects.finished.clear();
    return topics;
  }

  /// Time passes as for a caller that sleeps until next_tick().
  std::vector<std::string> pass(Duration by) {
    std::vector<std::string> topics;
    const auto until = driver_.now.monotonic + by;
    while (true) {
      const auto next =
          std::max(driver_.engine.next_tick(driver_.now.monotonic), driver_.now.monotonic + 1ms);
      driver_.now.monotonic = std::min(next, until);
      driver_.tick();
      for (auto& topic : work()) topics.push_back(std::move(topic));
      if (driver_.now.monotonic >= until) return topics;
    }
  }

  std::vector<std::string> ask(const std::string& thing, const std::string& below,
                               const std::string& payload = "{}") {
    driver_.send(thing, below, payload);
    auto topics = work();
    for (auto& topic : pass(100ms)) topics.push_back(std::move(topic));
    return topics;
  }

  EngineDriver driver_;
  std::map<std::string, std::vector<std::string>> queues_;
  std::map<std::string, std::string> last_;
  int calls_ = 0;
  bool newest_first_ = false;  ///< how the endpoint lists the executions
};

TEST_F(NotifierTest, ANewJobIsAnnouncedWithNotifyAndThenNotifyNext) {
  ask("T", "$next/get");
  EXPECT_THAT(pass(5min), IsEmpty()) << "nothing is published where nothing changed";
  queues_["T"] = {"a"};
  EXPECT_THAT(pass(61s), ElementsAre("T/jobs/notify", "T/jobs/notify-next"));
  EXPECT_EQ(last_["T/jobs/notify"],
            R"({"timestamp":1700000000,"jobs":{"QUEUED":[)" + summary("a") + "]}}");
  const auto next = json::parse(last_["T/jobs/notify-next"]);
  EXPECT_EQ(next.at("timestamp"), 1700000000);
  EXPECT_EQ(next.at("execution").at("jobId"), "a");
  EXPECT_FALSE(next.at("execution").contains("thingName"));
  EXPECT_THAT(last_["T/jobs/notify-next"], testing::HasSubstr(R"({"n":9007199254740993})"));
  EXPECT_THAT(pass(5min), IsEmpty());
}

TEST_F(NotifierTest, AJobBehindOthersIsAnnouncedWithNotifyAlone) {
  queues_["T"] = {"a"};
  ask("T", "$next/get");
  pass(61s);
  queues_["T"].push_back("b");
  EXPECT_THAT(pass(61s), ElementsAre("T/jobs/notify"));
}

TEST_F(NotifierTest, AnotherHeadWithTheSameJobsIsAnnouncedWithNotifyNextAlone) {
  queues_["T"] = {"a", "b"};
  ask("T", "$next/get");
  pass(61s);
  queues_["T"] = {"b", "a"};
  EXPECT_THAT(pass(61s), ElementsAre("T/jobs/notify-next"));
}

TEST_F(NotifierTest, AHeadThatGoesIsFollowedByNotifyNextAlsoWhereItWasNotListedFirst) {
  newest_first_ = true;
  queues_["T"] = {"a", "b"};
  ask("T", "$next/get");
  pass(61s);
  queues_["T"] = {"b"};
  EXPECT_THAT(pass(61s), ElementsAre("T/jobs/notify", "T/jobs/notify-next"));
  EXPECT_EQ(json::parse(last_["T/jobs/notify-next"]).at("execution").at("jobId"), "b");
}

TEST_F(NotifierTest, AnEmptiedQueueIsAnnouncedWithoutAnExecution) {
  queues_["T"] = {"a"};
  ask("T", "$next/get");
  pass(61s);
  queues_["T"].clear();
  EXPECT_THAT(pass(61s), ElementsAre("T/jobs/notify", "T/jobs/notify-next"));
  EXPECT_EQ(last_["T/jobs/notify"], R"({"timestamp":1700000000,"jobs":{}})");
  EXPECT_EQ(last_["T/jobs/notify-next"], R"({"timestamp":1700000000})");
}

TEST_F(NotifierTest, ADevicesOwnUpdateIsFollowedByTheNotificationsAtOnce) {
  queues_["T"] = {"a", "b"};
  ask("T", "start-next");
  pass(61s);
  EXPECT_THAT(ask("T", "a/update", R"({"status":"SUCCEEDED"})"),
              ElementsAre("T/jobs/a/update/accepted", "T/jobs/notify", "T/jobs/notify-next"));
}

TEST_F(NotifierTest, ADeviceWhoseFirstRequestEndsAJobHearsOfTheNext) {
  queues_["T"] = {"a", "b"};
  EXPECT_THAT(ask("T", "a/update", R"({"status":"SUCCEEDED"})"),
              ElementsAre("T/jobs/a/update/accepted", "T/jobs/notify", "T/jobs/notify-next"));
}

TEST_F(NotifierTest, AProgressUpdateOfTheHeadIsNoNews) {
  queues_["T"] = {"a"};
  ask("T", "start-next");
  pass(61s);
  const auto before = calls_;
  driver_.send("T", "a/update", R"({"status":"IN_PROGRESS"})");
  const auto update = driver_.next_call().value();
  driver_.answer(update.id, answer_of(200, "{}"));
  EXPECT_THAT(work(), ElementsAre("T/jobs/a/update/accepted"));
  EXPECT_EQ(calls_, before);
}

TEST_F(NotifierTest, AnUpdateOfAnotherJobThanTheHeadIsFollowedByALookAtTheQueue) {
  queues_["T"] = {"a", "b"};
  ask("T", "start-next");
  pass(61s);
  driver_.send("T", "b/update", R"({"status":"IN_PROGRESS"})");
  driver_.answer(driver_.next_call().value().id, answer_of(200, "{}"));
  queues_["T"] = {"b", "a"};
  EXPECT_THAT(work(), ElementsAre("T/jobs/b/update/accepted", "T/jobs/notify-next"));
}

TEST_F(NotifierTest, AnEndpointThatIsSlowToShowAnUpdateIsAskedAgain) {
  queues_["T"] = {"a"};
  ask("T", "start-next");
  pass(61s);
  driver_.send("T", "a/update", R"({"status":"SUCCEEDED"})");
  driver_.answer(driver_.next_call().value().id, answer_of(200, "{}"));  // the queue still shows a
  EXPECT_THAT(work(), ElementsAre("T/jobs/a/update/accepted"));
  queues_["T"].clear();
  EXPECT_THAT(pass(1100ms), ElementsAre("T/jobs/notify", "T/jobs/notify-next"));
}

TEST_F(NotifierTest, WhatAPollSawBeforeTheDevicesUpdateIsNoNews) {
  queues_["T"] = {"a"};
  ask("T", "start-next");
  pass(58s);
  std::optional<Call> poll;
  while (!poll) {
    driver_.advance(100ms);
    poll = driver_.next_call();
  }
  const auto seen_before =
      answer_of(200, R"({"queuedJobs":[)" + summary("a") + "," + summary("z") + "]}");
  driver_.send("T", "a/update", R"({"status":"SUCCEEDED"})");
  const auto update = driver_.next_call().value();
  driver_.answer(update.id, answer_to(update));
  driver_.answer(poll->id, seen_before);
  auto topics = work();
  for (auto& topic : pass(100ms)) topics.push_back(topic);
  EXPECT_THAT(topics,
              ElementsAre("T/jobs/a/update/accepted", "T/jobs/notify", "T/jobs/notify-next"));
  EXPECT_EQ(last_["T/jobs/notify"], R"({"timestamp":1700000000,"jobs":{}})");
}

TEST_F(NotifierTest, WhatWasToldSurvivesARestart) {
  queues_["T"] = {"a"};
  ask("T", "$next/get");
  pass(61s);
  ASSERT_FALSE(driver_.effects.watched.empty());
  const auto kept = driver_.effects.watched.back();

  for (const bool changed : {false, true}) {
    NotifierTest::driver_.effects.clear();
    EngineDriver restarted(EngineSettings{.notifier = {.enabled = true}});
    restarted.engine.restore_watched(restarted.now, kept);
    std::swap(driver_.engine, restarted.engine);
    if (changed) queues_["T"] = {"b"};
    const auto topics = pass(61s);
    if (changed) {
      EXPECT_THAT(topics, ElementsAre("T/jobs/notify", "T/jobs/notify-next"));
    } else {
      EXPECT_THAT(topics, IsEmpty());
    }
  }
}

TEST_F(NotifierTest, KeptTextThatCannotBeReadIsAFreshStart) {
  for (const auto* told : {"", "{", "[]", R"({"head":5,"executions":{"a":1}})", "\xff"}) {
    driver_.engine.restore_watched(driver_.now, {.thing = "T", .asked = 1, .told = told});
  }
  driver_.engine.restore_watched(driver_.now, {.thing = "not a thing", .asked = 1, .told = {}});
  EXPECT_EQ(driver_.engine.notifier_counts().watched, 1U);
  queues_["T"] = {"a"};
  EXPECT_THAT(pass(61s), IsEmpty()) << "nothing was known, so nothing is news";
}

TEST_F(NotifierTest, AThingThatIsAlwaysWatchedNeedNotAsk) {
  driver_.engine.always_watch(driver_.now, *ThingName::parse("T"));
  pass(61s);
  queues_["T"] = {"a"};
  EXPECT_THAT(pass(61s), ElementsAre("T/jobs/notify", "T/jobs/notify-next"));
  pass(24h * 30);
  EXPECT_EQ(driver_.engine.notifier_counts().watched, 1U);
}

TEST_F(NotifierTest, AThingThatFallsSilentIsPolledMoreAndMoreRarely) {
  ask("T", "get");
  const auto polls_in = [this](Duration by) {
    const auto before = calls_;
    pass(by);
    return calls_ - before;
  };
  EXPECT_NEAR(polls_in(1h), 60, 1);
  EXPECT_NEAR(polls_in(1h), 41, 3) << "every minute at first, every other one at last";
  pass(24h);
  EXPECT_NEAR(polls_in(24h), 96, 2) << "every quarter of an hour";
  queues_["T"] = {"a"};
  EXPECT_THAT(pass(15min), ElementsAre("T/jobs/notify", "T/jobs/notify-next"));
  ask("T", "start-next");
  EXPECT_NEAR(polls_in(30min), 30, 2) << "it has asked";
  queues_["T"].push_back("b");
  EXPECT_THAT(pass(61s), ElementsAre("T/jobs/notify"));
}

TEST_F(NotifierTest, AThingThatAsksAfterALongSilenceIsPolledWithinTheIntervalAgain) {
  ask("T", "start-next");
  pass(24h);
  for (auto before = calls_; calls_ == before;) pass(1s);
  queues_["T"] = {"a"};
  ask("T", "get");
  queues_["T"] = {"a", "b"};
  EXPECT_THAT(pass(61s), testing::Contains("T/jobs/notify"));
}

TEST_F(NotifierTest, ThatAThingStillAsksIsKeptEveryHourForTheNextStart) {
  ask("T", "$next/get");
  pass(61s);
  driver_.effects.watched.clear();
  for (int minute = 0; minute < 180; ++minute) {
    driver_.now.unix_seconds += 60;
    ask("T", "$next/get");
  }
  ASSERT_EQ(driver_.effects.watched.size(), 3U);
  EXPECT_GE(driver_.effects.watched.back().asked, driver_.now.unix_seconds - 3600);
}

TEST_F(NotifierTest, PollsThatAreDueWithinASecondAreMadeByOneWakeUp) {
  for (int i = 0; i < 120; ++i) driver_.engine.always_watch(driver_.now, thing("lamp", i));
  pass(2min);
  std::set<Duration> wake_ups;
  const auto until = driver_.now.monotonic + 5min;
  const auto before = calls_;
  while (driver_.now.monotonic < until) {
    driver_.now.monotonic = driver_.engine.next_tick(driver_.now.monotonic);
    driver_.tick();
    const auto called = calls_;
    work();
    if (calls_ > called) wake_ups.insert(driver_.now.monotonic.time_since_epoch());
  }
  EXPECT_NEAR(calls_ - before, 600, 12);
  EXPECT_LE(wake_ups.size(), 320U) << "one a second, and a few for more than may come at once";
}

TEST_F(NotifierTest, AThingThatAsksNoMoreIsForgotten) {
  ask("T", "get");
  driver_.effects.clear();
  pass(24h * 29);
  EXPECT_EQ(driver_.engine.notifier_counts().watched, 1U);
  pass(24h * 2);
  EXPECT_EQ(driver_.engine.notifier_counts().watched, 0U);
  EXPECT_THAT(driver_.effects.forgotten, ElementsAre("T"));
}

TEST_F(NotifierTest, ARequestThatIsRejectedMakesNobodyWatched) {
  driver_.send("T", "get");
  driver_.answer(driver_.next_call().value().id, answer_of(404, "{}"));
  EXPECT_EQ(driver_.engine.notifier_counts().watched, 0U);
}

TEST_F(NotifierTest, PollingPausesWhileTheEndpointFailsAndNothingIsAnnounced) {
  queues_["T"] = {"a"};
  ask("T", "get");
  pass(61s);
  queues_["T"].clear();
  int failed = 0;
  const auto until = driver_.now.monotonic + 10min;
  while (driver_.now.monotonic < until) {
    driver_.advance(100ms);
    while (auto call = driver_.next_call()) {
      ++failed;
      driver_.answer(call->id, answer_of(503, ""));
    }
  }
  EXPECT_THAT(work(), IsEmpty());
  EXPECT_LE(failed, 20);
  EXPECT_GE(failed, 9);
  EXPECT_THAT(pass(61s), ElementsAre("T/jobs/notify", "T/jobs/notify-next"));
}

TEST_F(NotifierTest, APollThatSucceedsEndsThePausesOfThoseThatFailed) {
  driver_.engine.always_watch(driver_.now, *ThingName::parse("T"));
  driver_.engine.always_watch(driver_.now, *ThingName::parse("U"));
  const auto poll_of_t = [this] {
    while (true) {
      auto call = driver_.wait_for_call();
      if (call.request.target.find("/T/") != std::string::npos) return call;
      driver_.answer(call.id, answer_to(call));
    }
  };
  for (int failures = 0; failures < 3; ++failures) {
    driver_.answer(poll_of_t().id, answer_of(500, ""));
  }
  const auto good = poll_of_t();
  driver_.answer(good.id, answer_to(good));
  driver_.answer(poll_of_t().id, answer_of(500, ""));
  const auto failed = driver_.now.monotonic;
  poll_of_t();
  EXPECT_LE(driver_.now.monotonic - failed, 6s);
}

TEST_F(NotifierTest, WhereTheEndpointCannotBeReachedForOneThingTheOthersPollsWaitToo) {
  for (int i = 0; i < 10; ++i) driver_.engine.always_watch(driver_.now, thing("T", i));
  driver_.advance(2min);  // all are due
  driver_.answer(
      driver_.wait_for_call().id,
      HttpFailure{.kind = HttpFailure::Kind::connect, .maybe_sent = false, .detail = "refused"});
  const auto failed = driver_.now.monotonic;
  driver_.wait_for_call();
  EXPECT_GE(driver_.now.monotonic - failed, 1s);
}

TEST_F(NotifierTest, ThingsWhosePollsAlwaysFailDelayNoOthers) {
  for (int i = 0; i < 2; ++i) ask("T-" + std::to_string(i), "get");
  for (int i = 0; i < 6; ++i) ask("ill-" + std::to_string(i), "get");
  std::map<std::string, std::vector<MonotonicTime>> polls;
  const auto until = driver_.now.monotonic + 60min;
  while (driver_.now.monotonic < until) {
    driver_.advance(100ms);
    while (auto call = driver_.next_call()) {
      const auto target = call->request.target;
      const auto thing = target.substr(8, target.find('/', 8) - 8);
      polls[thing].push_back(driver_.now.monotonic);
      driver_.answer(call->id, thing.starts_with("ill") ? answer_of(500, "") : answer_to(*call));
    }
  }
  for (int i = 0; i < 2; ++i) {
    const auto& times = polls["T-" + std::to_string(i)];
    ASSERT_GE(times.size(), 59U) << i;
    for (std::size_t poll = 1; poll < times.size(); ++poll) {
      EXPECT_LE(times[poll] - times[poll - 1], 61s) << i;
    }
  }
  for (int i = 0; i < 6; ++i) {
    EXPECT_GE(polls["ill-" + std::to_string(i)].size(), 50U);
    EXPECT_LE(polls["ill-" + std::to_string(i)].size(), 65U);
  }
}

/// Some things' polls are never answered.
class HangingPollsTest : public NotifierTest, public testing::WithParamInterface<int> {};

TEST_P(HangingPollsTest, DelayNoOthers) {
  constexpr int healthy = 200;
  const int ill = GetParam();
  for (int i = 0; i < healthy; ++i) ask("T-" + std::to_string(i), "get");
  for (int i = 0; i < ill; ++i) ask("ill-" + std::to_string(i), "get");
  std::map<std::string, std::vector<MonotonicTime>> polls;
  std::multimap<MonotonicTime, RequestId> hanging;  // by their end
  std::size_t max_hanging = 0;
  const auto began = driver_.now.monotonic;
  while (driver_.now.monotonic < began + 60min) {
    driver_.advance(100ms);
    while (!hanging.empty() && hanging.begin()->first <= driver_.now.monotonic) {
      driver_.answer(
          hanging.begin()->second,
          HttpFailure{.kind = HttpFailure::Kind::timeout, .maybe_sent = true, .detail = "d"});
      hanging.erase(hanging.begin());
    }
    while (auto call = driver_.next_call()) {
      const auto target = call->request.target;
      const auto thing = target.substr(8, target.find('/', 8) - 8);
      polls[thing].push_back(driver_.now.monotonic);
      if (!thing.starts_with("ill")) {
        driver_.answer(call->id, answer_to(*call));
        continue;
      }
      hanging.emplace(std::min(call->deadline, driver_.now.monotonic + 5s), call->id);
      if (driver_.now.monotonic > began + 3min) {
        max_hanging = std::max(max_hanging, hanging.size());
      }
    }
  }
  EXPECT_LE(max_hanging, 4U) << "half of the calls are left to the others";
  Duration longest{};
  for (int i = 0; i < healthy; ++i) {
    const auto& times = polls["T-" + std::to_string(i)];
    ASSERT_GE(times.size(), 59U) << i;
    // The first times it is not known yet which hang.
    for (std::size_t poll = 3; poll < times.size(); ++poll) {
      longest = std::max<Duration>(longest, times[poll] - times[poll - 1]);
    }
  }
  EXPECT_LE(longest, 61s);
  for (int i = 0; i < ill; ++i) {
    EXPECT_GE(polls["ill-" + std::to_string(i)].size(), 20U) << "each has its turn";
  }
}

INSTANTIATE_TEST_SUITE_P(Sites, HangingPollsTest, testing::Values(1, 8, 30, 100));

TEST_F(NotifierTest, AtShutdownPollingEnds) {
  ask("T", "get");
  driver_.engine.reject_new_requests();
  const auto before = calls_;
  pass(5min);
  EXPECT_EQ(calls_, before);
}

class SharedQuotaTest : public NotifierTest {
 protected:
  SharedQuotaTest() : NotifierTest({.enabled = true, .interval = 60s, .calls_per_second = 100}) {}
};

TEST_F(SharedQuotaTest, TenThousandThingsArePolledSmoothlyAndWithinTheShare) {
  constexpr int things = 10000;
  for (int i = 0; i < things; ++i) {
    driver_.engine.restore_watched(driver_.now,
                                   {.thing = "lamp-" + std::to_string(i),
                                    .asked = 1700000000,
                                    .told = R"({"head":"","listed_first":"","executions":[]})"});
  }
  EXPECT_NEAR(in_seconds(driver_.engine.notifier_counts().interval), 100, 0.001)
      << "stretched to keep the share";
  work();  // what is due at once
  std::vector<int> in_second;
  for (int second = 0; second < 300; ++second) {
    const auto before = calls_;
    pass(1s);
    in_second.push_back(calls_ - before);
  }
  EXPECT_LE(*std::ranges::max_element(in_second), 110) << "100 and the burst";
  EXPECT_GE(*std::ranges::min_element(in_second), 60) << "smooth from the first second on";
  EXPECT_GT(calls_, 300 * 90);

  queues_["lamp-777"] = {"a"};
  driver_.effects.clear();
  pass(110s);
  ASSERT_EQ(driver_.effects.notified.size(), 1U);
  EXPECT_EQ(driver_.effects.notified[0].thing, "lamp-777");
  EXPECT_LE(driver_.effects.notified[0].delay, 115s);
}

TEST_F(SharedQuotaTest, AnotherShareCountsFromNowOn) {
  for (int i = 0; i < 2000; ++i) {
    driver_.engine.restore_watched(
        driver_.now,
        {.thing = thing("T", i).text(), .asked = driver_.now.unix_seconds, .told = {}});
  }
  driver_.engine.change_limits(driver_.now,
                               {.notifier = {.enabled = true, .calls_per_second = 10}});
  pass(60s);
  EXPECT_LE(calls_, 60 * 10 + 10);
  EXPECT_GE(calls_, 60 * 10 / 2);
}

TEST_F(SharedQuotaTest, AnotherShareGivesNoSecondBurst) {
  for (int i = 0; i < 2000; ++i) {
    driver_.engine.restore_watched(
        driver_.now,
        {.thing = thing("T", i).text(), .asked = driver_.now.unix_seconds, .told = {}});
  }
  work();
  const auto before = calls_;
  for (int i = 0; i < 100; ++i) {
    driver_.engine.change_limits(
        driver_.now,
        {.notifier = {.enabled = true, .calls_per_second = i % 2 == 0 ? 99.0 : 100.0}});
    work();
  }
  EXPECT_LE(calls_ - before, 1);
}

TEST_F(SharedQuotaTest, AnotherDeadlineOfCallsCountsFromNowOn) {
  driver_.engine.restore_watched(driver_.now,
                                 {.thing = "lamp", .asked = driver_.now.unix_seconds, .told = {}});
  driver_.engine.change_limits(driver_.now, {.notifier = {.enabled = true, .call_deadline = 2s}});
  const auto call = driver_.wait_for_call();
  EXPECT_EQ(call.deadline, driver_.now.monotonic + 2s);
}

TEST_F(SharedQuotaTest, ThingsThatAreSilentLeaveTheShareToThoseThatAsk) {
  for (int i = 0; i < 10000; ++i) {
    driver_.engine.restore_watched(driver_.now, {.thing = "lamp-" + std::to_string(i),
                                                 .asked = 1700000000 - 3 * 86400,
                                                 .told = R"({"head":"","executions":[]})"});
  }
  pass(10min);
  EXPECT_EQ(driver_.engine.notifier_counts().interval, 60s);
  const auto before = calls_;
  pass(15min);
  EXPECT_NEAR(calls_ - before, 10000, 1000);
}

class FewThingsTest : public NotifierTest {
 protected:
  FewThingsTest() : NotifierTest({.enabled = true, .calls_in_flight = 2, .max_things = 3}) {}
};

TEST_F(FewThingsTest, PastTheLimitAThingIsServedButNotWatched) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(ask("lamp-" + std::to_string(i), "get").empty());
  }
  EXPECT_EQ(driver_.engine.notifier_counts().watched, 3U);
  EXPECT_EQ(driver_.engine.notifier_counts().not_watched, 2U);
}

TEST_F(FewThingsTest, ASlowEndpointIsNotGivenMorePollsThanTheLimit) {
  for (int i = 0; i < 3; ++i) ask("lamp-" + std::to_string(i), "get");
  driver_.advance(2min);
  EXPECT_TRUE(driver_.next_call());
  driver_.advance(100ms);
  EXPECT_TRUE(driver_.next_call());
  driver_.advance(100ms);
  EXPECT_FALSE(driver_.next_call());
  driver_.send("lamp-9", "get");
  EXPECT_TRUE(driver_.next_call()) << "devices are served meanwhile";
}

TEST_F(NotifierTest, AnUpdateThatIsRejectedLateIsFollowedByALookAtTheQueue) {
  queues_["T"] = {"a"};
  ask("T", "start-next");
  pass(61s);
  driver_.send("T", "a/update", R"({"status":"SUCCEEDED"})");
  const auto call = driver_.next_call().value();
  driver_.advance(9s);
  driver_.tick();
  queues_["T"] = {"b"};  // canceled meanwhile
  driver_.answer(call.id, answer_of(400, R"({"__type":"InvalidRequestException"})"));
  EXPECT_THAT(work(),
              ElementsAre("T/jobs/a/update/rejected", "T/jobs/notify", "T/jobs/notify-next"));
}

/// The things `lamp-...` hear on notify-next too what their start-next finds.
class RepeatTest : public NotifierTest {
 protected:
  explicit RepeatTest(bool enabled = true)
      : NotifierTest({.enabled = enabled, .repeat_replies = ThingList({"lamp-*"})}) {}
};

TEST_F(RepeatTest, WhatStartNextFindsIsAnnouncedAfterTheReply) {
  queues_["lamp-1"] = {"a"};
  EXPECT_THAT(ask("lamp-1", "start-next"),
              ElementsAre("lamp-1/jobs/start-next/accepted", "lamp-1/jobs/notify-next"));
  const auto next = json::parse(last_["lamp-1/jobs/notify-next"]);
  EXPECT_EQ(next.at("timestamp"), 1700000000);
  EXPECT_EQ(next.at("execution").at("jobId"), "a");
  EXPECT_FALSE(next.contains("clientToken"));
  EXPECT_FALSE(next.at("execution").contains("thingName"));
  EXPECT_THAT(last_["lamp-1/jobs/notify-next"], testing::HasSubstr(R"({"n":9007199254740993})"));
}

TEST_F(RepeatTest, WhatADescribeOfNextFindsIsAnnouncedAndThatOfAJobIsNot) {
  queues_["lamp-1"] = {"a"};
  EXPECT_THAT(ask("lamp-1", "a/get"), ElementsAre("lamp-1/jobs/a/get/accepted"));
  EXPECT_THAT(ask("lamp-1", "$next/get"),
              ElementsAre("lamp-1/jobs/$next/get/accepted", "lamp-1/jobs/notify-next"));
}

TEST_F(RepeatTest, AReplyWithoutAnExecutionIsNotRepeated) {
  EXPECT_THAT(ask("lamp-1", "start-next"), ElementsAre("lamp-1/jobs/start-next/accepted"));
  EXPECT_THAT(ask("lamp-1", "$next/get"), ElementsAre("lamp-1/jobs/$next/get/accepted"));
  EXPECT_THAT(ask("lamp-1", "get"), ElementsAre("lamp-1/jobs/get/accepted"));
}

TEST_F(RepeatTest, AnExecutionWithoutItsDocumentIsNotRepeated) {
  driver_.send("lamp-1", "$next/get", R"({"includeJobDocument":false})");
  driver_.answer(driver_.next_call().value().id,
                 answer_of(200, R"({"execution":{"jobId":"a","executionNumber":1}})"));
  EXPECT_THAT(work(), ElementsAre("lamp-1/jobs/$next/get/accepted"));
}

TEST_F(RepeatTest, ARejectionIsNotRepeated) {
  driver_.send("lamp-1", "start-next");
  driver_.answer(
      driver_.next_call().value().id,
      answer_of(404, R"({"__type":"ResourceNotFoundException","execution":{"jobId":"a"}})"));
  EXPECT_THAT(work(), ElementsAre("lamp-1/jobs/start-next/rejected"));
}

TEST_F(RepeatTest, AThingThatIsNotNamedHearsTheReplyAlone) {
  queues_["pump-1"] = {"a"};
  EXPECT_THAT(ask("pump-1", "start-next"), ElementsAre("pump-1/jobs/start-next/accepted"));
}

TEST_F(RepeatTest, TwoRequestsWithOneAnswerAreFollowedByOneAnnouncement) {
  queues_["lamp-1"] = {"a"};
  driver_.send("lamp-1", "start-next");
  driver_.send("lamp-1", "start-next");
  EXPECT_THAT(work(), ElementsAre("lamp-1/jobs/start-next/accepted",
                                  "lamp-1/jobs/start-next/accepted", "lamp-1/jobs/notify-next"));
}

TEST_F(RepeatTest, APollDoesNotAnnounceTheSameHeadAgainAndTheNextOneItDoes) {
  ask("lamp-1", "start-next");
  pass(61s);
  queues_["lamp-1"] = {"a"};
  ask("lamp-1", "start-next");
  EXPECT_THAT(pass(5min), ElementsAre("lamp-1/jobs/notify")) << "the list has changed";
  EXPECT_THAT(ask("lamp-1", "a/update", R"({"status":"SUCCEEDED"})"),
              ElementsAre("lamp-1/jobs/a/update/accepted", "lamp-1/jobs/notify",
                          "lamp-1/jobs/notify-next"));
  EXPECT_EQ(last_["lamp-1/jobs/notify-next"], R"({"timestamp":1700000000})");
  queues_["lamp-1"] = {"b"};
  EXPECT_THAT(pass(61s), ElementsAre("lamp-1/jobs/notify", "lamp-1/jobs/notify-next"));
}

TEST_F(RepeatTest, APollThatSawAnOlderHeadDoesNotAnnounceItAfterwards) {
  ask("lamp-1", "start-next");
  pass(58s);
  std::optional<Call> poll;
  while (!poll) {
    driver_.advance(100ms);
    poll = driver_.next_call();
  }
  queues_["lamp-1"] = {"a"};
  driver_.send("lamp-1", "start-next");
  const auto call = driver_.next_call().value();
  driver_.answer(call.id, answer_to(call));
  driver_.answer(poll->id, answer_of(200, R"({"inProgressJobs":[],"queuedJobs":[]})"));
  EXPECT_THAT(work(), ElementsAre("lamp-1/jobs/start-next/accepted", "lamp-1/jobs/notify-next",
                                  "lamp-1/jobs/notify"));
}

TEST_F(RepeatTest, AnotherListCountsFromNowOn) {
  queues_["pump-1"] = {"a"};
  queues_["lamp-1"] = {"a"};
  driver_.engine.change_limits(
      driver_.now, {.notifier = {.enabled = true, .repeat_replies = ThingList({"pump-1"})}});
  EXPECT_THAT(ask("pump-1", "start-next"),
              ElementsAre("pump-1/jobs/start-next/accepted", "pump-1/jobs/notify-next"));
  EXPECT_THAT(ask("lamp-1", "start-next"), ElementsAre("lamp-1/jobs/start-next/accepted"));
}

class RepeatWithoutPollingTest : public RepeatTest {
 protected:
  RepeatWithoutPollingTest() : RepeatTest(false) {}
};

TEST_F(RepeatWithoutPollingTest, RepliesAreRepeatedAndNothingIsPolledFor) {
  queues_["lamp-1"] = {"a"};
  EXPECT_THAT(ask("lamp-1", "start-next"),
              ElementsAre("lamp-1/jobs/start-next/accepted", "lamp-1/jobs/notify-next"));
  queues_["lamp-1"] = {"b"};
  EXPECT_THAT(pass(1h), IsEmpty());
  EXPECT_EQ(calls_, 1);
}

TEST(NotifierOffTest, NothingIsWatchedUnlessEnabled) {
  EngineDriver driver;
  driver.send("T", "get");
  driver.answer(driver.next_call().value().id, answer_of(200, "{}"));
  EXPECT_EQ(driver.engine.notifier_counts().watched, 0U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
