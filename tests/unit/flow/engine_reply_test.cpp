#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/flow/engine_driver.h"

/// What a device hears, and where.
namespace jobs_bridge {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing_support::answer_of;
using testing_support::EngineDriver;

const std::string base = "$aws/things/T/jobs/";

/// The code and message of a rejected reply.
std::string rejection_in(const Publication& publication) {
  const auto payload = json::parse(publication.payload);
  return payload.at("code").get<std::string>() + ": " + payload.at("message").get<std::string>();
}

TEST(EngineReplyTest, AnAcceptedRequestIsAnsweredOnItsTopicWithItsToken) {
  EngineDriver driver;
  driver.send("T", "start-next", R"({"clientToken":"t-1"})");
  EXPECT_TRUE(driver.effects.publications.empty());
  const auto call = driver.next_call();
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.method, "PUT");
  EXPECT_EQ(call->request.target, "/things/T/jobs/$next");
  driver.now.unix_seconds += 2;
  driver.answer(call->id, answer_of(200, R"({"execution":{"jobId":"j","jobDocument":"{}"}})"));
  const auto reply = driver.take_one();
  EXPECT_EQ(reply.topic, base + "start-next/accepted");
  EXPECT_EQ(
      reply.payload,
      R"({"clientToken":"t-1","timestamp":1700000002,"execution":{"jobId":"j","jobDocument":{}}})");
  EXPECT_EQ(reply.correlation_data, "");
}

TEST(EngineReplyTest, EveryOperationIsAnsweredWhereItWasAsked) {
  for (const std::string below : {"get", "start-next", "job-1/get", "$next/get", "job-1/update"}) {
    for (const int status : {200, 400}) {
      EngineDriver driver;
      driver.send("T", below, R"({"status":"FAILED"})");
      driver.answer(driver.next_call().value().id, answer_of(status, "{}"));
      EXPECT_EQ(driver.take_one().topic,
                base + below + (status == 200 ? "/accepted" : "/rejected"));
    }
  }
}

TEST(EngineReplyTest, AnErrorOfTheEndpointIsARejectedReply) {
  EngineDriver driver;
  driver.send("T", "j/get", R"({"clientToken":"t"})");
  HttpResponse response;
  response.status = 404;
  response.error_type = "ResourceNotFoundException";
  response.body = R"({"message":"no such job"})";
  driver.answer(driver.next_call().value().id, response);
  const auto reply = driver.take_one();
  EXPECT_EQ(reply.topic, base + "j/get/rejected");
  EXPECT_EQ(json::parse(reply.payload), json({{"code", "ResourceNotFound"},
                                              {"message", "no such job"},
                                              {"timestamp", 1700000000},
                                              {"clientToken", "t"}}));
}

TEST(EngineReplyTest, NoAnswerIsARejectedReply) {
  EngineDriver driver;
  driver.send("T", "get");
  driver.answer_all_until_a_reply(HttpFailure{
      .kind = HttpFailure::Kind::connect, .maybe_sent = false, .detail = "refused by 10.0.0.1"});
  const auto finished = driver.effects.finished.at(0);
  EXPECT_EQ(finished.rejection->detail, "refused by 10.0.0.1");
  EXPECT_EQ(rejection_in(driver.take_one()), "InternalError: the endpoint cannot be reached");
}

TEST(EngineReplyTest, WhatIsWrongWithARequestIsSaidAtOnceAndCostsNoCall) {
  const auto heard = [](std::string_view below, std::string payload) {
    EngineDriver driver;
    driver.send("T", below, std::move(payload));
    EXPECT_FALSE(driver.next_call());
    const auto reply = driver.take_one();
    EXPECT_EQ(reply.topic, base + std::string(below) + "/rejected");
    return rejection_in(reply);
  };
  EXPECT_THAT(heard("get", "[]"), HasSubstr("InvalidJson: "));
  EXPECT_THAT(heard("j/update", R"({"clientToken":[]})"), HasSubstr("InvalidRequest: clientToken"));
  EXPECT_THAT(heard("$next/update", R"({"status":"FAILED"})"), HasSubstr("InvalidTopic: $next"));
  EXPECT_THAT(heard("../get", ""), HasSubstr("InvalidTopic: job id"));
  EXPECT_THAT(heard("j/namespace-x/get", ""), HasSubstr("InvalidTopic: namespaces"));
  EXPECT_THAT(heard("$next/namespace-aws-gg-deployment/get", ""), HasSubstr("not served"));
  EXPECT_THAT(heard("j/namespace-aws-gg-deployment/update", "{}"), HasSubstr("not served"));
}

TEST(EngineReplyTest, AnInvalidTopicsRejectionCarriesTheToken) {
  EngineDriver driver;
  driver.send("T", "$next/update", R"({"clientToken":"t"})");
  EXPECT_EQ(driver.effects.finished.at(0).operation, std::nullopt);
  EXPECT_EQ(json::parse(driver.take_one().payload)["clientToken"], "t");
  driver.send("not a thing", "get", R"({"clientToken":"u"})");
  const auto reply = driver.take_one();
  EXPECT_EQ(reply.topic, "$aws/things/not a thing/jobs/get/rejected");
  EXPECT_EQ(json::parse(reply.payload)["clientToken"], "u");
}

TEST(EngineReplyTest, WhatIsNoRequestIsIgnored) {
  EngineDriver driver;
  for (const std::string below : {"get/accepted", "get/rejected", "start-next/accepted", "notify",
                                  "notify-next", "j/update/rejected"}) {
    driver.send("T", below);
  }
  driver.receive({.topic = "somewhere/else", .payload = "{}"});
  driver.receive({.topic = "", .payload = ""});
  EXPECT_TRUE(driver.take_publications().empty());
  EXPECT_FALSE(driver.next_call());
}

TEST(EngineReplyTest, RetainedRequestsAreIgnored) {
  EngineDriver driver;
  for (const auto* below : {"start-next", "$next/update", "j/update"}) {
    driver.receive({.topic = base + below, .payload = "{", .retained = true});
  }
  EXPECT_TRUE(driver.take_publications().empty());
  EXPECT_FALSE(driver.next_call());
}

TEST(EngineReplyTest, ATopicThatLeavesNoRoomForItsReplyIsIgnored) {
  EngineDriver driver;
  const auto topic = [](std::size_t length) {
    return base + std::string(length - base.size() - 4, 'j') + "/get";
  };
  driver.receive({.topic = topic(65535 - 8), .payload = "{}"});
  driver.receive({.topic = topic(65535), .payload = "{}"});
  EXPECT_TRUE(driver.take_publications().empty());
  driver.receive({.topic = topic(65535 - 9), .payload = "{}"});
  EXPECT_EQ(driver.take_one().topic.size(), 65535U);
}

TEST(EngineReplyTest, OtherInstancesThingsAreIgnored) {
  EngineDriver first({.partition = Partition::part(1, 2)});
  EngineDriver second({.partition = Partition::part(2, 2)});
  for (int i = 0; i < 50; ++i) {
    const auto thing = "thing-" + std::to_string(i);
    first.send(thing, "get");
    second.send(thing, "get");
    // Also what is no name of a thing is answered once, not twice.
    first.send("no thing " + std::to_string(i), "get");
    second.send("no thing " + std::to_string(i), "get");
  }
  EXPECT_EQ(first.engine.counts().waiting + second.engine.counts().waiting, 50U);
  EXPECT_GT(first.engine.counts().waiting, 10U);
  EXPECT_GT(second.engine.counts().waiting, 10U);
  EXPECT_EQ(first.take_publications().size() + second.take_publications().size(), 50U);
}

TEST(EngineReplyTest, ACustomBaseIsAnsweredUnderItself) {
  EngineDriver driver({}, "site/{thing}/x");
  driver.receive({.topic = "site/a:b/x/get", .payload = ""});
  const auto call = driver.next_call();
  EXPECT_EQ(call.value().request.target, "/things/a%3Ab/jobs");
  driver.answer(call->id);
  EXPECT_EQ(driver.take_one().topic, "site/a:b/x/get/accepted");
}

TEST(EngineReplyTest, FinishedTellsWhatBecameOfARequest) {
  EngineDriver driver;
  driver.send("T", "j/update", R"({"clientToken":"t","status":"FAILED"})");
  const auto call = driver.next_call();
  driver.advance(std::chrono::milliseconds(120));
  driver.answer(call.value().id, answer_of(200, "{}", "request-id-7"));
  ASSERT_EQ(driver.effects.finished.size(), 1U);
  const auto& finished = driver.effects.finished[0];
  EXPECT_EQ(finished.operation, Operation::update);
  EXPECT_EQ(finished.topic, base + "j/update");
  EXPECT_EQ(finished.client_token, R"("t")");
  EXPECT_FALSE(finished.rejection);
  EXPECT_EQ(finished.took, std::chrono::milliseconds(120));
  EXPECT_EQ(finished.endpoint_request_id, "request-id-7");
}

TEST(EngineReplyTest, ARejectedFinishNamesItsOperationAndReason) {
  EngineDriver driver({.max_payload = 10});
  driver.send("T", "j/get", "{\"a\":1234567}");
  EXPECT_EQ(driver.effects.finished.at(0).operation, Operation::describe);
  EXPECT_EQ(driver.effects.finished.at(0).rejection->code, ErrorCode::invalid_request);
}

TEST(EngineResponseTopicTest, TheReplyGoesThereWithItsCorrelationData) {
  for (const int status : {200, 400}) {
    EngineDriver driver;
    const std::string correlation("\x00\xFF\x01", 3);
    driver.receive({.topic = base + "get",
                    .payload = "",
                    .response_topic = base + "my/replies",
                    .correlation_data = correlation});
    driver.answer(driver.next_call().value().id, answer_of(status, "{}"));
    EXPECT_EQ(driver.effects.finished.at(0).topic, base + "get");
    const auto reply = driver.take_one();
    EXPECT_EQ(reply.topic, base + "my/replies");
    EXPECT_EQ(reply.correlation_data, correlation);
    EXPECT_EQ(json::parse(reply.payload).contains("code"), status == 400);
    EXPECT_EQ(reply.kind,
              status == 400 ? Publication::Kind::rejected : Publication::Kind::accepted);
    EXPECT_TRUE(reply.to_response_topic);
  }
}

TEST(EngineResponseTopicTest, CorrelationDataIsReturnedWithoutAResponseTopicToo) {
  EngineDriver driver;
  driver.receive({.topic = base + "get", .payload = "[", .correlation_data = "c"});
  const auto reply = driver.take_one();
  EXPECT_EQ(reply.topic, base + "get/rejected");
  EXPECT_EQ(reply.correlation_data, "c");
  EXPECT_EQ(reply.kind, Publication::Kind::rejected);
  EXPECT_FALSE(reply.to_response_topic);
}

TEST(EngineResponseTopicTest, OutsideTheThingsBaseIsRejectedOnTheDefaultTopic) {
  for (const std::string& topic :
       {std::string("$aws/things/U/jobs/get/accepted"), std::string("x"), base + "start-next",
        base + "+/x", base, base + std::string(300, '/'), std::string("a\xFFz")}) {
    EngineDriver driver;
    driver.receive({.topic = base + "get",
                    .payload = R"({"clientToken":"t"})",
                    .response_topic = topic,
                    .correlation_data = "c"});
    EXPECT_FALSE(driver.next_call());
    const auto reply = driver.take_one();
    EXPECT_EQ(reply.topic, base + "get/rejected");
    EXPECT_EQ(reply.correlation_data, "c");
    EXPECT_THAT(rejection_in(reply), HasSubstr("InvalidRequest: the Response Topic"));
    EXPECT_EQ(json::parse(reply.payload)["clientToken"], "t");
  }
}

TEST(EngineResponseTopicTest, EveryKindOfRejectionGoesThereToo) {
  EngineDriver driver({.queue_per_thing = 1, .max_payload = 100});
  const auto heard_at = [&](std::string_view below, std::string payload) {
    driver.receive({.topic = base + std::string(below),
                    .payload = std::move(payload),
                    .response_topic = base + "r"});
    return driver.take_one().topic;
  };
  EXPECT_EQ(heard_at("get", "["), base + "r");
  EXPECT_EQ(heard_at("get", std::string(101, ' ')), base + "r");
  EXPECT_EQ(heard_at("$next/update", "{}"), base + "r");
  driver.send("T", "get");
  EXPECT_EQ(heard_at("get", "{}"), base + "r") << "queue full";
}

TEST(EngineResponseTopicTest, AnInvalidThingNameHasNoResponseTopic) {
  EngineDriver driver;
  driver.receive({.topic = "$aws/things/a b/jobs/get",
                  .payload = "",
                  .response_topic = "$aws/things/a b/jobs/r"});
  EXPECT_EQ(driver.take_one().topic, "$aws/things/a b/jobs/get/rejected");
}

}  // namespace
}  // namespace jobs_bridge
