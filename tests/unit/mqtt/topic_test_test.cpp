#include "adapters/mqtt/topic_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using Verdict = TopicTest::Verdict;

const Refusal by_acl{.kind = Refusal::Kind::not_authorized, .detail = "Not authorized"};

const TopicTest::Topics topics = {
    .requests = {"base/~self-test~b/jobs/start-next", "base/~self-test~b/jobs/x/update"},
    .replies = {"base/~self-test~b/jobs/start-next/accepted",
                "base/~self-test~b/jobs/x/update/rejected"},
    .reply_filters = {"base/~self-test~b/jobs/+/accepted", "base/~self-test~b/jobs/+/+/rejected"},
    .reserved = "base/~self-test~"};

const std::string real_reply = "base/lamp/jobs/start-next/accepted";

bool is_reply(const std::string& topic) {
  return topic.ends_with("/accepted") || topic.ends_with("/rejected");
}

/// What a broker does with the publications of a test.
struct Broker {
  std::function<bool(const std::string&)> refuses = [](const std::string&) { return false; };
  /// Without a reason.
  std::function<bool(const std::string&)> drops = [](const std::string&) { return false; };
  std::function<bool(const std::string&)> closes = [](const std::string&) { return false; };
  bool hands_replies_back = false;
};

class TopicTestTest : public testing::Test {
 protected:
  void connect(bool answers = true) {
    filters = test.ask(now);
    test.begin(now, answers);
  }
  /// Until nothing is due for a while; false: the broker has closed the connection.
  bool serve(const Broker& broker, Duration time = 3s) {
    for (const auto end = now + time; now < end; now += 10ms) {
      while (const auto publication = test.next(now)) {
        const auto& topic = publication->topic;
        sent.push_back(topic);
        if (broker.closes(topic)) {
          test.end(now);
          return false;
        }
        if (broker.refuses(topic)) {
          test.refused(now, by_acl);
          continue;
        }
        test.accepted(now);
        if (broker.drops(topic) || (is_reply(topic) && !broker.hands_replies_back)) continue;
        EXPECT_TRUE(test.arrived(now, topic, publication->payload));
      }
    }
    return true;
  }

  MonotonicTime now{1000s};
  TopicTest test{topics, "nonce", true};
  std::vector<std::string> filters;
  std::vector<std::string> sent;
};

class TopicTestOver311Test : public TopicTestTest {
 protected:
  bool serve_311(const Broker& broker, Duration time = 3s) {
    for (const auto end = now + time; now < end; now += 10ms) {
      while (const auto publication = old.next(now)) {
        const auto& topic = publication->topic;
        sent.push_back(topic);
        if (broker.closes(topic)) {
          old.end(now);
          return false;
        }
        old.accepted(now);
        if (broker.drops(topic)) continue;
        EXPECT_TRUE(old.arrived(now, topic, publication->payload));
      }
    }
    return true;
  }
  TopicTest old{topics, "nonce", false};
};

/// An ACL that is taken away while the bridge is connected.
TEST_F(TopicTestTest, RefusalOfAnythingElseBringsTheNextRoundForward) {
  const Broker nothing_allowed{.refuses = [](const std::string&) { return true; }};
  using Refuse = std::function<void()>;
  for (const Refuse& refuse : {Refuse([&] { test.other_refused(now); }),
                               Refuse([&] { test.reply_refused(now, real_reply, by_acl); })}) {
    test.end(now);
    connect();
    serve({});
    ASSERT_EQ(test.state().requests, Verdict::good);
    now += 1min;
    refuse();
    EXPECT_LE(test.due(), now);
    serve(nothing_allowed);
    EXPECT_EQ(test.state().replies, Verdict::bad);
  }
}

TEST_F(TopicTestTest, RefusalsCauseARoundEveryHalfMinuteAtMost) {
  connect();
  serve({});
  sent.clear();
  for (const auto end = now + 5min; now < end;) {
    test.other_refused(now);
    test.reply_refused(now, real_reply,
                       {.kind = Refusal::Kind::invalid_topic, .detail = "not that one"});
    serve({}, 1s);
  }
  EXPECT_LE(sent.size(), 11 * (topics.requests.size() + topics.replies.size()));
}

TEST_F(TopicTestTest, WithoutTopicsThereIsNoTest) {
  TopicTest none({}, "nonce", true);
  EXPECT_THAT(none.ask(now), IsEmpty());
  none.begin(now, true);
  EXPECT_FALSE(none.next(now));
  EXPECT_EQ(none.due(), MonotonicTime::max());
  EXPECT_FALSE(none.arrived(now, "base/a/jobs/get", "{}"));
  EXPECT_EQ(none.state(), TopicTest::State{});
}

TEST_F(TopicTestTest, BrokerThatHandsRequestsBackAndTakesRepliesIsGoodAtOnce) {
  EXPECT_EQ(test.state().requests, Verdict::untested);
  EXPECT_EQ(test.state().replies, Verdict::untested);
  connect();
  EXPECT_THAT(filters, IsEmpty()) << "MQTT 5 has the broker say what it takes";
  serve({}, 10ms);
  EXPECT_EQ(test.state().requests, Verdict::good);
  EXPECT_EQ(test.state().replies, Verdict::good);
  EXPECT_EQ(sent.size(), 4U);
}

TEST_F(TopicTestTest, IsRepeatedNowAndThen) {
  connect();
  serve({}, 299s);
  EXPECT_EQ(sent.size(), 4U);
  serve({}, 2s);
  EXPECT_EQ(sent.size(), 8U);
  serve({.drops = [](const std::string& topic) { return topic.ends_with("/update"); }}, 303s);
  EXPECT_EQ(test.state().requests, Verdict::bad) << "the ACL was changed meanwhile";
  serve({}, 32s);
  EXPECT_EQ(test.state().requests, Verdict::good) << "and again";
}

TEST_F(TopicTestTest, RequestThatIsTakenAndNotHandedToUsIsBadAndNamed) {
  connect();
  serve({.drops = [](const std::string& topic) { return topic.ends_with("/update"); }}, 1s);
  EXPECT_EQ(test.state().requests, Verdict::untested) << "it may be late";
  serve({}, 2s);
  EXPECT_EQ(test.state().requests, Verdict::bad);
  EXPECT_THAT(test.state().requests_cause, HasSubstr("base/~self-test~b/jobs/x/update"));
  EXPECT_THAT(test.state().requests_cause, Not(HasSubstr("start-next")));
  EXPECT_EQ(test.state().replies, Verdict::good);
}

TEST_F(TopicTestTest, RequestsOfDevicesProveThatTheirKindComesIn) {
  connect();
  const Broker broker{.drops = [](const std::string& topic) { return !is_reply(topic); }};
  serve(broker);
  EXPECT_EQ(test.state().requests, Verdict::bad);
  EXPECT_FALSE(test.arrived(now, "base/thing/jobs/start-next", "{}"));
  EXPECT_EQ(test.state().requests, Verdict::bad) << "updates have not come";
  EXPECT_FALSE(test.arrived(now, "base/thing/jobs/job-7/update", "{}"));
  EXPECT_EQ(test.state().requests, Verdict::good);
}

TEST_F(TopicTestTest, BrokerThatDoesNotLetUsPublishRequestsLeavesItOpenWhetherTheyComeIn) {
  connect();
  serve({.refuses = [](const std::string& topic) { return !is_reply(topic); }});
  EXPECT_EQ(test.state().requests, Verdict::undecided);
  EXPECT_THAT(test.state().requests_cause, HasSubstr("Not authorized"));
  EXPECT_EQ(test.state().replies, Verdict::good);
}

TEST_F(TopicTestTest, RefusedReplyIsBadUnlessRealOnesAreTaken) {
  connect();
  serve({.refuses = is_reply});
  EXPECT_EQ(test.state().replies, Verdict::bad);
  EXPECT_THAT(test.state().replies_cause, HasSubstr("start-next/accepted"));
  test.reply_accepted(real_reply);
  EXPECT_EQ(test.state().replies, Verdict::good);
  test.reply_refused(now, real_reply, by_acl);
  EXPECT_EQ(test.state().replies, Verdict::bad);
}

/// An ACL that lets one kind of reply through says nothing of the others.
TEST_F(TopicTestTest, OnceTheTestIsAllowedARealReplyProvesOnlyThatItsOwnKindGoesOut) {
  const auto update_refused = [](const std::string& topic) {
    return topic.ends_with("/update/rejected");
  };
  connect();
  serve({.refuses = update_refused});
  EXPECT_EQ(test.state().replies, Verdict::bad);
  EXPECT_TRUE(test.awaits_replies());
  test.reply_accepted(real_reply);
  test.reply_accepted("base/lamp/jobs/job-7/get/rejected");
  test.reply_accepted("base/lamp/jobs/job-7/update/accepted");
  EXPECT_EQ(test.state().replies, Verdict::bad);
  test.reply_accepted("base/lamp/jobs/job-7/update/rejected");
  EXPECT_EQ(test.state().replies, Verdict::good);
  test.reply_refused(now, "base/lamp/jobs/job-7/update/rejected", by_acl);
  EXPECT_EQ(test.state().replies, Verdict::bad);
  test.reply_accepted(real_reply);
  EXPECT_EQ(test.state().replies, Verdict::bad);
  serve({}, 33s);
  EXPECT_EQ(test.state().replies, Verdict::good) << "the test passes";
  EXPECT_FALSE(test.awaits_replies());
}

TEST_F(TopicTestTest, WhileTheTestIsNotAllowedARefusedKindIsNotClearedByAnother) {
  connect();
  serve({.refuses = is_reply});
  test.reply_accepted(real_reply);
  EXPECT_EQ(test.state().replies, Verdict::good);
  test.reply_refused(now, "base/lamp/jobs/job-7/update/rejected", by_acl);
  test.reply_accepted(real_reply);
  EXPECT_EQ(test.state().replies, Verdict::bad);
}

TEST_F(TopicTestTest, ReplyRefusedForItsSizeSaysNothingOfTheTopics) {
  connect();
  serve({.refuses = is_reply});
  test.reply_accepted(real_reply);
  test.reply_refused(now, real_reply, {.kind = Refusal::Kind::too_large, .detail = "too large"});
  EXPECT_EQ(test.state().replies, Verdict::good);
}

TEST_F(TopicTestTest, WhatMayHaveGoneToAnotherMemberOfTheGroupIsUnseen) {
  auto shared = topics;
  shared.shared = true;
  TopicTest member(shared, "nonce", true);
  member.ask(now);
  member.begin(now, true);
  for (int i = 0; i < 400; ++i, now += 10ms) {
    if (member.next(now)) member.accepted(now);
  }
  EXPECT_EQ(member.state().requests, Verdict::undecided);
  EXPECT_EQ(member.state().replies, Verdict::good);
  EXPECT_TRUE(member.arrived(now, "base/~self-test~other/jobs/start-next", "x"));
  EXPECT_EQ(member.state().requests, Verdict::undecided);
  EXPECT_TRUE(member.arrived(now, "base/~self-test~other/jobs/y/update", "x"));
  EXPECT_EQ(member.state().requests, Verdict::good) << "those of other members come by the group";
}

TEST_F(TopicTestTest, WhatAGroupOfOneDoesNotGetNoOtherInstanceGets) {
  auto shared = topics;
  shared.shared = true;
  shared.own_group = "group~b";
  const auto verdict = [&](bool granted, bool comes) {
    TopicTest member(shared, "nonce", true);
    EXPECT_EQ(member.ask(now).size(), shared.requests.size());
    EXPECT_EQ(member.ask(now).front(), "$share/group~b/" + shared.requests.front());
    member.begin(now, true, granted);
    for (int i = 0; i < 400; ++i, now += 10ms) {
      if (const auto publication = member.next(now)) {
        member.accepted(now);
        if (comes) member.arrived(now, publication->topic, publication->payload);
      }
    }
    return member.state();
  };
  EXPECT_EQ(verdict(true, false).requests, Verdict::bad);
  EXPECT_NE(verdict(true, false).requests_cause.find("broker.share_group"), std::string::npos);
  EXPECT_EQ(verdict(false, false).requests, Verdict::undecided) << "nothing is known without it";
  EXPECT_EQ(verdict(true, true).requests, Verdict::good);
}

TEST_F(TopicTestTest, RequestsOfDevicesCountUntilTheTestIsKnownToBeAllowed) {
  connect();
  serve({});
  test.arrived(now, "base/thing/jobs/start-next", "{}");
  test.arrived(now, "base/thing/jobs/job-7/update", "{}");
  serve({.drops = [](const std::string& topic) { return !is_reply(topic); }}, 303s);
  EXPECT_EQ(test.state().requests, Verdict::bad) << "those came before it failed";
  test.arrived(now, "base/thing/jobs/start-next", "{}");
  test.arrived(now, "base/thing/jobs/job-7/update", "{}");
  EXPECT_EQ(test.state().requests, Verdict::good);
}

TEST_F(TopicTestTest, RealRepliesCountUntilTheTestIsKnownToBeAllowed) {
  connect();
  serve({});
  test.reply_accepted(real_reply);
  serve({.refuses = is_reply}, 303s);
  EXPECT_EQ(test.state().replies, Verdict::bad) << "it was taken before these were refused";
  test.reply_accepted(real_reply);
  test.reply_accepted("base/lamp/jobs/job-7/update/rejected");
  EXPECT_EQ(test.state().replies, Verdict::good);
}

TEST_F(TopicTestTest, TestsOfOthersAreNotProcessedAndProveNothing) {
  connect();
  EXPECT_TRUE(test.arrived(now, "base/~self-test~other/jobs/start-next", "x"));
  EXPECT_TRUE(test.arrived(now, "base/~self-test~b/jobs/start-next", "another nonce 1"));
  EXPECT_TRUE(test.arrived(now, "base/~self-test~other/jobs/y/update", "x"));
  serve({.drops = [](const std::string& topic) { return !is_reply(topic); }});
  EXPECT_EQ(test.state().requests, Verdict::bad);
  EXPECT_FALSE(test.arrived(now, "base/thing/jobs/start-next", "{}"));
}

TEST_F(TopicTestTest, WhatWaitsBehindABacklogIsLateAndNotMissing) {
  connect();
  std::vector<Publication> kept;
  for (int i = 0; i < 1000; ++i, now += 10ms) {  // ten seconds of it
    if (auto publication = test.next(now)) {
      test.accepted(now);
      kept.push_back(*std::move(publication));
    }
    test.arrived(now, "base/thing/jobs/get", "{}");
  }
  EXPECT_EQ(test.state().requests, Verdict::untested);
  for (const auto& publication : kept) test.arrived(now, publication.topic, publication.payload);
  serve({}, 10ms);
  EXPECT_EQ(test.state().requests, Verdict::good);
}

TEST_F(TopicTestTest, OneIsUnderWayAtATime) {
  connect();
  EXPECT_TRUE(test.next(now));
  EXPECT_FALSE(test.next(now + 1s));
  EXPECT_GT(test.due(), now + 1s);
  test.accepted(now + 2s);
  EXPECT_TRUE(test.next(now + 2s));
}

TEST_F(TopicTestTest, AnswerThatNeverComesEndsTheRoundWithoutAVerdict) {
  connect();
  EXPECT_TRUE(test.next(now));
  now = test.due();
  EXPECT_FALSE(test.next(now));
  EXPECT_EQ(test.state().requests, Verdict::untested);
  now = test.due();
  serve({}, 10ms);
  EXPECT_EQ(test.state().requests, Verdict::good);
}

TEST_F(TopicTestTest, BrokerThatEndsConnectionsOverAReplyIsFoundAndNotProvokedFurther) {
  const Broker broker{.closes = is_reply};
  connect();
  EXPECT_FALSE(serve(broker));
  EXPECT_EQ(test.state().replies, Verdict::untested) << "an accident, perhaps";
  connect();
  EXPECT_FALSE(serve(broker));
  EXPECT_EQ(test.state().replies, Verdict::bad);
  sent.clear();
  now += 9min;
  connect();
  EXPECT_TRUE(serve(broker));
  EXPECT_THAT(sent, IsEmpty());
  test.end(now);
  now += 2min;
  connect();
  EXPECT_TRUE(serve({}));
  EXPECT_EQ(test.state().replies, Verdict::good);
}

TEST_F(TopicTestTest, AtQos0NothingSaysThatAReplyIsTaken) {
  connect(/*answers=*/false);
  serve({});
  EXPECT_EQ(test.state().requests, Verdict::good);
  EXPECT_EQ(test.state().replies, Verdict::undecided);
}

TEST_F(TopicTestOver311Test, RepliesAreSubscribedToAndMustComeBack) {
  EXPECT_EQ(old.ask(now), topics.reply_filters);
  old.begin(now, true);
  serve_311({});
  EXPECT_EQ(old.state().requests, Verdict::good);
  EXPECT_EQ(old.state().replies, Verdict::good);
}

TEST_F(TopicTestOver311Test, WhereNothingComesBackOnlyRequestsOfDevicesProveThatAnyDo) {
  old.ask(now);
  old.begin(now, true);
  serve_311({.drops = [](const std::string&) { return true; }});
  EXPECT_EQ(old.state().requests, Verdict::bad);
  EXPECT_THAT(old.state().requests_cause, HasSubstr("nothing that the bridge publishes"));
  EXPECT_EQ(old.state().replies, Verdict::undecided);
  old.arrived(now, "base/thing/jobs/start-next", "{}");
  EXPECT_EQ(old.state().requests, Verdict::undecided) << "it is the test that may be forbidden";
  old.arrived(now, "base/thing/jobs/job-7/update", "{}");
  EXPECT_EQ(old.state().requests, Verdict::good);
}

TEST_F(TopicTestOver311Test, WhatPassedOnceAndNoLongerDoesIsBad) {
  old.ask(now);
  old.begin(now, true);
  serve_311({});
  serve_311({.drops = [](const std::string& topic) { return topic.ends_with("/update"); }}, 303s);
  EXPECT_EQ(old.state().requests, Verdict::bad);
  EXPECT_EQ(old.state().replies, Verdict::good);
  serve_311({.drops = is_reply}, 33s);
  EXPECT_EQ(old.state().requests, Verdict::good);
  EXPECT_EQ(old.state().replies, Verdict::bad);
}

TEST_F(TopicTestOver311Test, SilenceIsNoProofAndRealRepliesProveNothing) {
  old.ask(now);
  old.begin(now, true);
  serve_311({.drops = [](const std::string& topic) {
    return topic.ends_with("/update") || is_reply(topic);
  }});
  EXPECT_EQ(old.state().requests, Verdict::undecided);
  EXPECT_EQ(old.state().replies, Verdict::undecided);
  old.reply_accepted(real_reply);
  EXPECT_EQ(old.state().replies, Verdict::undecided);
}

TEST_F(TopicTestOver311Test, SubscriptionThatEndsConnectionsIsNotAskedForAgain) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(old.ask(now).size(), 2U);
    old.end(now);
  }
  EXPECT_THAT(old.ask(now), IsEmpty());
  EXPECT_EQ(old.state().replies, Verdict::undecided);
}

}  // namespace
}  // namespace jobs_bridge::mqtt
