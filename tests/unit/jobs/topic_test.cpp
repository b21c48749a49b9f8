#include "bridge/jobs/topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace jobs_bridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string aws_base = "$aws/things/{thing}/jobs";

TopicGrammar grammar(std::string_view base = aws_base) {
  auto made = TopicGrammar::from_base(base);
  if (!made) ADD_FAILURE() << base << ": " << made.error();
  return *made;
}

/// What a topic is, in one line that a failing expectation can print.
std::string described(const TopicGrammar& topics, std::string_view topic) {
  const auto parsed = topics.parse(topic);
  if (const auto* request = std::get_if<TopicRequest>(&parsed)) {
    return request->thing.text() + " " + std::string(to_string(request->operation)) +
           (request->job ? " " + request->job->text() : "");
  }
  return std::holds_alternative<InvalidTopic>(parsed) ? "invalid" : "no request";
}

std::string described(std::string_view topic) {
  return described(grammar(), topic);
}

std::string invalid_message(std::string_view topic) {
  const auto parsed = grammar().parse(topic);
  const auto* invalid = std::get_if<InvalidTopic>(&parsed);
  return invalid != nullptr ? invalid->message : "not invalid";
}

ThingName thing(std::string_view name) {
  return *ThingName::parse(name);
}

TEST(TopicTest, EveryRequestTopicIsItsOperation) {
  EXPECT_EQ(described("$aws/things/T/jobs/get"), "T get");
  EXPECT_EQ(described("$aws/things/T/jobs/start-next"), "T start-next");
  EXPECT_EQ(described("$aws/things/T/jobs/job-1/get"), "T describe job-1");
  EXPECT_EQ(described("$aws/things/T/jobs/$next/get"), "T describe $next");
  EXPECT_EQ(described("$aws/things/T/jobs/job-1/update"), "T update job-1");
}

TEST(TopicTest, ThingNamesWithColonAreServed) {
  EXPECT_EQ(described("$aws/things/a:b_c-D:9/jobs/get"), "a:b_c-D:9 get");
}

TEST(TopicTest, RepliesAndNotificationsAreNoRequests) {
  for (const std::string request : {"get", "start-next", "job-1/get", "$next/get", "job-1/update",
                                    "$next/update", "get/get", "accepted/get", "a/b/c", "notify"}) {
    for (const std::string suffix : {"/accepted", "/rejected"}) {
      EXPECT_EQ(described("$aws/things/T/jobs/" + request + suffix), "no request")
          << request << suffix;
    }
  }
  EXPECT_EQ(described("$aws/things/T/jobs/notify"), "no request");
  EXPECT_EQ(described("$aws/things/T/jobs/notify-next"), "no request");
  EXPECT_EQ(described("$aws/things/T/jobs/notify-next-namespace-aws-gg-deployment"), "no request");
  EXPECT_EQ(described("$aws/things/T/jobs/notify-namespace-aws-gg-deployment"), "no request");
}

TEST(TopicTest, JobsNamedLikeVerbsAreToldApartByTheNumberOfLevels) {
  EXPECT_EQ(described("$aws/things/T/jobs/get/get"), "T describe get");
  EXPECT_EQ(described("$aws/things/T/jobs/get/update"), "T update get");
  EXPECT_EQ(described("$aws/things/T/jobs/start-next/get"), "T describe start-next");
  EXPECT_EQ(described("$aws/things/T/jobs/update/update"), "T update update");
  EXPECT_EQ(described("$aws/things/T/jobs/notify/get"), "T describe notify");
  EXPECT_EQ(described("$aws/things/T/jobs/accepted/get"), "T describe accepted");
  EXPECT_EQ(described("$aws/things/jobs/jobs/jobs/get"), "jobs describe jobs");
}

TEST(TopicTest, JobsNamedLikeNotificationsAreServed) {
  for (const std::string job : {"notify", "notify-next", "notify-next-namespace-",
                                "notify-next-namespace-x", "notify-namespace-x", "namespace-x"}) {
    EXPECT_EQ(described("$aws/things/T/jobs/" + job + "/get"), "T describe " + job);
    EXPECT_EQ(described("$aws/things/T/jobs/" + job + "/update"), "T update " + job);
  }
}

TEST(TopicTest, NextCannotBeUpdated) {
  EXPECT_THAT(invalid_message("$aws/things/T/jobs/$next/update"), HasSubstr("$next"));
}

TEST(TopicTest, NamespacedTopicsAreInvalidTopic) {
  for (const std::string job : {"job-1", "$next"}) {
    for (const std::string verb : {"get", "update"}) {
      EXPECT_THAT(
          invalid_message("$aws/things/T/jobs/" + job + "/namespace-aws-gg-deployment/" + verb),
          HasSubstr("not served"));
    }
  }
  EXPECT_EQ(described("$aws/things/T/jobs/job-1/namespace-x/update"), "invalid");
}

TEST(TopicTest, RepliesToNamespacedTopicsAreNoRequests) {
  for (const std::string end : {"get/accepted", "get/rejected", "update/rejected"}) {
    EXPECT_EQ(described("$aws/things/T/jobs/$next/namespace-aws-gg-deployment/" + end),
              "no request");
  }
}

TEST(TopicTest, WhatMapsToNoOperationIsInvalid) {
  for (const auto* below : {"", "/", "update", "start-nex", "Get", "get/", "/get/", "job-1",
                            "job-1/", "job-1/start-next", "job-1/GET", "job-1/get/",
                            "job-1/get/get", "job-1/describe", "$next", "$next/start-next"}) {
    EXPECT_EQ(described(std::string("$aws/things/T/jobs/") + below), "invalid") << below;
  }
}

TEST(TopicTest, NamesOutsideTheRuleAreInvalidAndTheMessageSaysTheRule) {
  EXPECT_THAT(invalid_message("$aws/things//jobs/get"), HasSubstr("1 to 128"));
  EXPECT_THAT(invalid_message("$aws/things/a b/jobs/get"), HasSubstr("thing name"));
  EXPECT_THAT(invalid_message("$aws/things/..%2f/jobs/get"), HasSubstr("thing name"));
  EXPECT_THAT(invalid_message("$aws/things/" + std::string(129, 'a') + "/jobs/get"),
              HasSubstr("1 to 128"));
  EXPECT_EQ(described("$aws/things/" + std::string(128, 'a') + "/jobs/get"),
            std::string(128, 'a') + " get");
  EXPECT_THAT(invalid_message("$aws/things/T/jobs//get"), HasSubstr("1 to 256"));
  EXPECT_THAT(invalid_message("$aws/things/T/jobs/../get"), HasSubstr("job id"));
  EXPECT_THAT(invalid_message("$aws/things/T/jobs/" + std::string(257, 'j') + "/update"),
              HasSubstr("1 to 256"));
  EXPECT_THAT(invalid_message("$aws/things/T/jobs/a\r\nX: y/get"), HasSubstr("job id"));
}

TEST(TopicTest, WhatIsOutsideTheBaseIsNoRequest) {
  for (const auto* topic :
       {"", "/", "$aws", "$aws/things/T", "$aws/things/T/jobs", "$aws/things/T/shadow/get",
        "aws/things/T/jobs/get", "$aws/thing/T/jobs/get", "x/$aws/things/T/jobs/get",
        "$aws/things/T/jobsx/get", "$aws/things/T/x/jobs/get", "$AWS/things/T/jobs/get",
        "/$aws/things/T/jobs/get"}) {
    EXPECT_EQ(described(topic), "no request") << topic;
  }
}

TEST(TopicTest, OtherBasesWorkAlike) {
  for (const std::string base : {"aws/things/{thing}/jobs", "site/{thing}/x", "{thing}",
                                 "a/{thing}", "{thing}/jobs", "a b/{thing}/é/{x}"}) {
    const auto topics = grammar(base);
    auto start = base;
    start.replace(start.find("{thing}"), 7, "T:1");
    EXPECT_EQ(described(topics, start + "/get"), "T:1 get");
    EXPECT_EQ(described(topics, start + "/start-next"), "T:1 start-next");
    EXPECT_EQ(described(topics, start + "/$next/get"), "T:1 describe $next");
    EXPECT_EQ(described(topics, start + "/j/update"), "T:1 update j");
    EXPECT_EQ(described(topics, start + "/get/accepted"), "no request");
    EXPECT_EQ(described(topics, start + "/notify"), "no request");
    EXPECT_EQ(described(topics, start), "no request");
    EXPECT_EQ(topics.thing_level(start + "/anything/at/all"), "T:1");
  }
}

TEST(TopicTest, TheDefaultBaseIsNotServedUnderAnother) {
  EXPECT_EQ(described(grammar("aws/things/{thing}/jobs"), "$aws/things/T/jobs/get"), "no request");
}

TEST(TopicTest, BadBasesAreRefusedWithAReason) {
  const auto fault = [](std::string_view base) {
    const auto made = TopicGrammar::from_base(base);
    return made ? std::string("accepted") : made.error();
  };
  EXPECT_THAT(fault(""), HasSubstr("empty level"));
  EXPECT_THAT(fault("/a/{thing}"), HasSubstr("empty level"));
  EXPECT_THAT(fault("a/{thing}/"), HasSubstr("empty level"));
  EXPECT_THAT(fault("a//{thing}"), HasSubstr("empty level"));
  EXPECT_THAT(fault("$aws/things/jobs"), HasSubstr("{thing}"));
  EXPECT_THAT(fault("a/{Thing}/b"), HasSubstr("{thing}"));
  EXPECT_THAT(fault("a/{thing}/{thing}"), HasSubstr("once"));
  EXPECT_THAT(fault("a/x{thing}/b"), HasSubstr("{thing}"));
  EXPECT_THAT(fault("a/{thing}x/b"), HasSubstr("{thing}"));
  EXPECT_THAT(fault("x{thing}/{thing}"), HasSubstr("whole level"));
  EXPECT_THAT(fault("{thing}/{thing}x"), HasSubstr("whole level"));
  EXPECT_THAT(fault("a/+/{thing}"), HasSubstr("wildcard"));
  EXPECT_THAT(fault("a/{thing}/#"), HasSubstr("wildcard"));
  EXPECT_THAT(fault(std::string_view("a\0/{thing}", 10)), HasSubstr("NUL"));
  EXPECT_THAT(fault("$share/group/{thing}/jobs"), HasSubstr("$share"));
}

TEST(TopicTest, FiltersHaveTheExactShapesOfRequests) {
  EXPECT_THAT(grammar().filters(),
              ElementsAre("$aws/things/+/jobs/start-next", "$aws/things/+/jobs/get",
                          "$aws/things/+/jobs/+/get", "$aws/things/+/jobs/+/update"));
  EXPECT_THAT(grammar("{thing}").filters(),
              ElementsAre("+/start-next", "+/get", "+/+/get", "+/+/update"));
}

TEST(TopicTest, FiltersOfAShareGroupCarryItsPrefix) {
  EXPECT_THAT(grammar("site/{thing}/x").filters("gateways"),
              ElementsAre("$share/gateways/site/+/x/start-next", "$share/gateways/site/+/x/get",
                          "$share/gateways/site/+/x/+/get", "$share/gateways/site/+/x/+/update"));
}

TEST(TopicTest, NamespacesHaveFiltersOfTheirOwn) {
  EXPECT_THAT(grammar().namespace_filters(),
              ElementsAre("$aws/things/+/jobs/+/+/get", "$aws/things/+/jobs/+/+/update"));
  EXPECT_THAT(
      grammar("site/{thing}/x").namespace_filters("gateways"),
      ElementsAre("$share/gateways/site/+/x/+/+/get", "$share/gateways/site/+/x/+/+/update"));
}

TEST(TopicTest, ThingLevelIsUncheckedAndEmptyOutsideTheBase) {
  EXPECT_EQ(grammar().thing_level("$aws/things/a b/jobs/get"), "a b");
  EXPECT_EQ(grammar().thing_level("$aws/things//jobs/get"), "");
  EXPECT_EQ(grammar().thing_level("$aws/things/T/shadow/get"), "");
}

TEST(ResponseTopicTest, IsAllowedInsideTheThingsOwnBase) {
  for (const auto* below : {"get/accepted", "reply", "reply/42", "job-1/get/accepted",
                            "my/own/tree/of/replies", "re ply/$x/~", "a//b"}) {
    EXPECT_TRUE(grammar().allows_response(thing("T"), std::string("$aws/things/T/jobs/") + below))
        << below;
  }
}

TEST(ResponseTopicTest, IsRefusedOutsideTheThingsOwnBase) {
  for (const auto* topic :
       {"", "$aws/things/T/jobs", "$aws/things/T/jobs/", "$aws/things/U/jobs/reply",
        "$aws/things/TT/jobs/reply", "$aws/things/t/jobs/reply", "$aws/things//jobs/reply",
        "$aws/things/T/shadow/reply", "reply", "$SYS/broker", "x/$aws/things/T/jobs/reply",
        "$share/g/$aws/things/T/jobs/reply", "$aws/things/T/../U/jobs/reply",
        "$aws/things/T/x/jobs/reply", "$aws/things/T/jobs2/reply"}) {
    EXPECT_FALSE(grammar().allows_response(thing("T"), topic)) << topic;
  }
}

TEST(ResponseTopicTest, WhatCannotBePublishedToIsRefused) {
  const std::string base = "$aws/things/T/jobs/";
  for (const auto& below :
       {std::string("+/accepted"), std::string("#"), std::string("a#b"), std::string("a/b+"),
        std::string("a\0b", 3), std::string("a\nb"), std::string("a\x7F"), std::string("\x80"),
        std::string("\xC3"), std::string("\xED\xA0\x80"), std::string("a\xC2\x85"),
        std::string("\xEF\xBF\xBE")}) {
    EXPECT_FALSE(grammar().allows_response(thing("T"), base + below))
        << testing::PrintToString(below);
  }
}

TEST(ResponseTopicTest, ATopicThatABrokerMayDropTheLinkForIsRefused) {
  // AWS IoT accepts 256 bytes in total; mosquitto passes on a Response Topic of any depth, and
  // closes the connection of a client that publishes to more than 200 levels.
  const std::string base = "$aws/things/T/jobs/";
  EXPECT_TRUE(grammar().allows_response(thing("T"), base + std::string(256, 'r')));
  EXPECT_FALSE(grammar().allows_response(thing("T"), base + std::string(257, 'r')));
  EXPECT_TRUE(grammar().allows_response(thing("T"), base + std::string(15, '/') + "r"));
  EXPECT_FALSE(grammar().allows_response(thing("T"), base + std::string(16, '/') + "r"));
  EXPECT_FALSE(grammar().allows_response(thing("T"), base + std::string(201, '/') + "r"));
  EXPECT_FALSE(grammar().allows_response(thing("T"), base + std::string(70000, 'r')));
}

TEST(ResponseTopicTest, WhatOurFiltersWouldBringBackIsRefused) {
  for (const auto* below :
       {"get", "start-next", "job-1/get", "$next/get", "job-1/update", "$next/update",
        "not a job/get", "/get", "/update", "job-1/namespace-x/get", "my/own/update", "//get"}) {
    EXPECT_FALSE(grammar().allows_response(thing("T"), std::string("$aws/things/T/jobs/") + below))
        << below;
  }
}

/// As MQTT has it (MQTT 5, section 4.7).
bool matches(std::string_view filter, std::string_view topic) {
  while (true) {
    const auto filter_end = filter.find('/');
    const auto topic_end = topic.find('/');
    const auto level = filter.substr(0, filter_end);
    if (level != "+" && level != topic.substr(0, topic_end)) return false;
    if (filter_end == filter.npos || topic_end == topic.npos) return filter_end == topic_end;
    filter.remove_prefix(filter_end + 1);
    topic.remove_prefix(topic_end + 1);
  }
}

TEST(TopicGrammarTest, SelfTestHasARequestForEveryFilterAndNoFilterOfItsRepliesBringsInARequest) {
  for (const auto* base : {"$aws/things/{thing}/jobs", "{thing}", "a/{thing}/b/c"}) {
    const auto topics = grammar(base);
    const auto test = topics.self_test("jobs bridge/1");
    const auto filters = topics.filters();
    ASSERT_EQ(test.requests.size(), filters.size());
    EXPECT_EQ(test.replies.size(), 2 * filters.size());
    for (std::size_t i = 0; i < filters.size(); ++i) {
      EXPECT_TRUE(matches(filters[i], test.requests[i])) << test.requests[i];
    }
    for (const auto& filter : test.reply_filters) {
      for (const auto& request : test.requests) EXPECT_FALSE(matches(filter, request)) << filter;
    }
    for (const auto& reply : test.replies) {
      EXPECT_TRUE(std::ranges::any_of(test.reply_filters, [&](const auto& filter) {
        return matches(filter, reply);
      })) << reply;
    }
  }
}

TEST(TopicGrammarTest, SelfTestIsOfNoThingAndNoRequest) {
  const auto topics = grammar();
  const auto test = topics.self_test("jobs-bridge");
  EXPECT_EQ(test.requests.front().substr(0, test.reserved.size()), test.reserved);
  EXPECT_EQ(test.reserved, "$aws/things/~self-test~");
  for (const auto& request : test.requests) {
    EXPECT_EQ(described(topics, request), "no request");
    EXPECT_FALSE(ThingName::parse(topics.thing_level(request)));
  }
  EXPECT_EQ(described(topics, "$aws/things/~other/jobs/get"), "invalid")
      << "a device with an invalid name is answered";
}

}  // namespace
}  // namespace jobs_bridge
