#include <algorithm>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

TEST(ForwardingTest, RequestReachesTheEndpointExactlyAndNothingElseOfIt) {
  Site site;
  site.endpoint->create_job("job-1", {"lamp"});
  const auto reply = payload_of(site.start_next(
      "lamp", R"({"statusDetails":{"step":"1","größe":"x"},"stepTimeoutInMinutes":5})"));
  EXPECT_EQ(reply["code"], "InvalidRequest");  // the endpoint's: a key may not hold such letters
  const auto execution = payload_of(site.start_next(
      "lamp", R"({"statusDetails":{"step":"Grüße \"😀\"","b:_-":"2"},"stepTimeoutInMinutes":5,)"
              R"("clientToken":"t","thingName":"x","jobId":"y","other":[1]})"))["execution"];
  const json details = {{"step", "Grüße \"😀\""}, {"b:_-", "2"}};
  EXPECT_EQ(execution["statusDetails"], details);
  EXPECT_LE(execution["approximateSecondsBeforeTimedOut"], 300);
  EXPECT_GT(execution["approximateSecondsBeforeTimedOut"], 240);

  const auto calls = site.endpoint->start_next_calls();
  ASSERT_EQ(calls.size(), 2U);
  const auto& call = calls[1];
  EXPECT_EQ(call["method"], "PUT");
  EXPECT_THAT(call["target"].get<std::string>(),
              testing::AnyOf("/things/lamp/jobs/$next", "/things/lamp/jobs/%24next"));
  EXPECT_EQ(call["contentType"], "application/json");
  EXPECT_EQ(json::parse(call["body"].get<std::string>()),
            (json{{"statusDetails", details}, {"stepTimeoutInMinutes", 5}}));
}

/// What AWS's own device code sends: numbers and flags as strings (Python 1 and C++ 1), numbers
/// among statusDetails (JavaScript 1), lines of output (AWS IoT Device Client), null for what is
/// not set.
TEST(ForwardingTest, ValuesInEveryFormThatDeviceSdksSendAreTaken) {
  Site site;
  site.device->subscribe("$aws/things/+/jobs/+/+/accepted");
  site.endpoint->create_job("job-1", {"lamp"});
  const auto started = payload_of(site.start_next(
      "lamp", R"({"clientToken":null,"statusDetails":{"uptime":12.5,"ok":true,"none":null},)"
              R"("stepTimeoutInMinutes":"5"})"))["execution"];
  EXPECT_EQ(started["statusDetails"], (json{{"uptime", "12.5"}, {"ok", "true"}}));
  EXPECT_GT(started["approximateSecondsBeforeTimedOut"], 240);

  const auto updated = payload_of(site.ask(
      "$aws/things/lamp/jobs/job-1/update",
      R"({"clientToken":7,"status":"IN_PROGRESS","statusDetails":{"stderr":"mv: no\n\tsuch"},)"
      R"("expectedVersion":"2","executionNumber":"1","includeJobExecutionState":"true",)"
      R"("includeJobDocument":"true"})"));
  EXPECT_EQ(updated["executionState"], (json{{"status", "IN_PROGRESS"},
                                             {"statusDetails", {{"stderr", "mv: no\n\tsuch"}}},
                                             {"versionNumber", 3}}))
      << updated;
  EXPECT_EQ(updated["jobDocument"], json::object());
  EXPECT_EQ(updated["clientToken"], "7");

  const auto described =
      payload_of(site.ask("$aws/things/lamp/jobs/job-1/get",
                          R"({"executionNumber":"1","includeJobDocument":"false"})"))["execution"];
  EXPECT_EQ(described["versionNumber"], 3);
  EXPECT_FALSE(described.contains("jobDocument"));
}

TEST(ForwardingTest, AJobIdThatNeedsEscapesIsJudgedByTheEndpoint) {
  Site site({.endpoint_arguments = {}});
  for (const std::string job : {"fw-1.2.3", "a b", "a?x=y&z", "a%2e%2e", "größe"}) {
    const auto reply = site.ask("$aws/things/lamp/jobs/" + job + "/get", R"({"clientToken":"t"})");
    EXPECT_EQ(reply.topic, "$aws/things/lamp/jobs/" + job + "/get/rejected");
    EXPECT_EQ(code_of(reply), "InvalidRequest") << reply.payload;
    EXPECT_THAT(message_of(reply), testing::HasSubstr("'" + job + "' at 'jobId'"));
  }
}

TEST(ForwardingTest, EveryCallSaysThatItTakesJson) {
  Site site;
  site.start_next("lamp");
  EXPECT_EQ(site.endpoint->start_next_calls().at(0)["accept"], "application/json");
}

TEST(ForwardingTest, RequestWithoutMembersHasAnEmptyObjectForABody) {
  Site site;
  for (const auto* payload : {"", "{}", R"({"clientToken":"t"})", R"({"thingName":"lamp"})"}) {
    site.start_next("lamp", payload);
  }
  const auto calls = site.endpoint->start_next_calls();
  ASSERT_EQ(calls.size(), 4U);
  for (const auto& call : calls) {
    EXPECT_EQ(call["body"], "{}");
    EXPECT_EQ(call["contentType"], "application/json");
  }
}

TEST(ForwardingTest, LimitsThemselvesAreAllowed) {
  Site site;
  json details = json::object();
  for (int i = 0; i < 9; ++i) details["key" + std::to_string(i)] = "v";
  std::string wide;
  for (int i = 0; i < 1024; ++i) wide += "ü";
  details[std::string(128, 'k')] = wide;
  for (const int minutes : {1, 10080}) {
    const json request = {{"statusDetails", details}, {"stepTimeoutInMinutes", minutes}};
    const auto reply = site.start_next("lamp-" + std::to_string(minutes), request.dump());
    EXPECT_TRUE(reply.topic.ends_with("/accepted")) << reply.payload;
    const auto calls = site.endpoint->start_next_calls();
    EXPECT_EQ(json::parse(calls.back()["body"].get<std::string>()), request);
  }
}

TEST(OrderTest, RequestsOfOneThingAreCarriedOutInOrderOneAtATime) {
  Site site;
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 5}, {"jitter_ms", 25}});
  constexpr int count = 15;
  for (int i = 0; i < count; ++i) {
    const auto number = std::to_string(i);
    site.device->publish(
        start_next_topic("lamp"),
        R"({"clientToken":")" + number + R"(","statusDetails":{"step":")" + number + R"("}})");
  }
  for (int i = 0; i < count; ++i) {
    const auto reply = site.device->next();
    ASSERT_TRUE(reply) << site.bridge->log();
    EXPECT_EQ(token_of(*reply), std::to_string(i));
  }
  const auto calls = site.endpoint->start_next_calls();
  ASSERT_EQ(calls.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto body = json::parse(calls[i]["body"].get<std::string>());
    EXPECT_EQ(body["statusDetails"]["step"], std::to_string(i));
    if (i == 0) continue;
    EXPECT_GE(calls[i]["arrivedAt"], calls[i - 1]["answeredAt"]) << i;
  }
}

TEST(OrderTest, ThingsDoNotWaitForEachOther) {
  Site site;
  site.endpoint->set_fault({{"kind", "hang"}, {"thing", "stuck"}});
  site.device->publish(start_next_topic("stuck"), "{}");
  ASSERT_TRUE(site.endpoint->wait_for_calls(1));
  for (int i = 0; i < 50; ++i) {
    const auto thing = "lamp-" + std::to_string(i);
    EXPECT_EQ(site.start_next(thing).topic, start_next_topic(thing) + "/accepted");
  }
}

TEST(OrderTest, FloodOfOneThingDelaysItselfOnly) {
  Site site({.settings = {"endpoint.connections=1", "limits.queue_per_thing=500",
                          "limits.deadline=60s"}});
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 50}});
  for (int i = 0; i < 100; ++i) {
    // Each differs from the one before, which it would otherwise join.
    site.device->publish(start_next_topic("flood"),
                         R"({"stepTimeoutInMinutes":)" + std::to_string(1 + i) + "}");
  }
  ASSERT_TRUE(site.device->flush());
  ASSERT_TRUE(site.endpoint->wait_for_calls(1));
  site.device->publish(start_next_topic("lamp"), "{}");
  ASSERT_TRUE(site.device->take(
      [](const auto& reply) { return reply.topic.starts_with(start_next_topic("lamp")); }));
  // It had to wait for a turn or two; the flood's other requests still wait.
  EXPECT_LT(site.device->count(), 50U);
  EXPECT_TRUE(site.device->wait_for(101));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
