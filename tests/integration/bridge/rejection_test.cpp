#include <tuple>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(RejectionTest, WhatCannotBePassedOnIsRejectedHereWithItsCause) {
  Site site;
  const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
      {"not json", "InvalidJson", "JSON"},
      {"[]", "InvalidJson", "object"},
      {"\"text\"", "InvalidJson", "object"},
      {"{\"a\":\"\xff\"}", "InvalidJson", "UTF-8"},
      {R"({"clientToken":[5]})", "InvalidRequest", "clientToken"},
      {R"({"a":")" + std::string(140000, 'x') + R"("})", "InvalidRequest", "131072"},
  };
  for (const auto& [payload, code, part] : cases) {
    const auto reply = site.start_next("lamp", payload);
    EXPECT_EQ(code_of(reply), code) << payload.substr(0, 100);
    EXPECT_THAT(message_of(reply), HasSubstr(part)) << payload.substr(0, 100);
  }
  EXPECT_TRUE(site.endpoint->start_next_calls().empty());
}

TEST(RejectionTest, WhatTheEndpointRefusesIsRejectedWithTheEndpointsWords) {
  Site site;
  json many = json::object();
  for (int i = 0; i < 11; ++i) many["key" + std::to_string(i)] = "v";
  const std::vector<std::tuple<std::string, std::string>> cases = {
      {R"({"stepTimeoutInMinutes":0})", "Value '0' at 'stepTimeoutInMinutes'"},
      {R"({"stepTimeoutInMinutes":10081})", "10080"},
      {R"({"stepTimeoutInMinutes":"-1"})", "Value '-1' at 'stepTimeoutInMinutes'"},
      {R"({"stepTimeoutInMinutes":"soon"})", "Value 'soon' at 'stepTimeoutInMinutes'"},
      {R"({"statusDetails":[]})", "at 'statusDetails'"},
      {R"({"statusDetails":{"a":{}}})", "at 'statusDetails.a'"},
      {R"({"statusDetails":{"a b":"v"}})", "'a b' at 'statusDetails'"},
      {R"({"statusDetails":{"a":")" + std::string(1025, 'v') + R"("}})", "1024"},
      {R"({"statusDetails":)" + many.dump() + "}", "11 entries"},
  };
  for (const auto& [payload, part] : cases) {
    const auto reply = site.start_next("lamp", payload);
    EXPECT_EQ(code_of(reply), "InvalidRequest") << payload.substr(0, 100);
    EXPECT_THAT(message_of(reply), HasSubstr(part)) << payload.substr(0, 100);
  }
  EXPECT_EQ(site.endpoint->start_next_calls().size(), cases.size()) << "each was asked once";
}

TEST(RejectionTest, InvalidThingNamesNeverReachTheEndpoint) {
  Site site;
  for (const auto* name : {"a b", "a.b", "a%2e", "..", "ä", "a\"b", "a?b=c", "a&b", "$next", "",
                           "a\\b", "a;b", "a=b", "a@b", "a*"}) {
    const auto reply = site.start_next(name, R"({"clientToken":"t"})");
    EXPECT_EQ(code_of(reply), "InvalidTopic") << name;
    EXPECT_EQ(token_of(reply), "t") << name;
  }
  EXPECT_EQ(code_of(site.start_next(std::string(129, 'a'))), "InvalidTopic");
  EXPECT_TRUE(site.endpoint->start_next_calls().empty());
}

class RejectedOverTest : public testing::TestWithParam<Wires> {};

INSTANTIATE_TEST_SUITE_P(Wires, RejectedOverTest, testing::ValuesIn(all_wires()),
                         [](const auto& test) { return to_string(test.param); });

/// What AWS IoT Greengrass asks: a core device would otherwise wait for its time-out, again and
/// again.
TEST_P(RejectedOverTest, RequestsInANamespaceOfJobsAreToldOnceThatItIsNotServed) {
  Site site({.wires = GetParam()});
  site.device->subscribe("$aws/things/+/jobs/+/+/+/rejected");
  for (const std::string below :
       {"$next/namespace-aws-gg-deployment/get", "job-1/namespace-aws-gg-deployment/get",
        "job-1/namespace-aws-gg-deployment/update"}) {
    const auto reply =
        site.ask("$aws/things/core/jobs/" + below, R"({"clientToken":"t","status":"IN_PROGRESS"})");
    EXPECT_EQ(reply.topic, "$aws/things/core/jobs/" + below + "/rejected");
    EXPECT_EQ(code_of(reply), "InvalidTopic");
    EXPECT_THAT(message_of(reply), HasSubstr("not served"));
    EXPECT_EQ(token_of(reply), "t");
    EXPECT_TRUE(site.has_no_more_replies());
  }
  EXPECT_EQ(site.endpoint->calls().at("total"), 3) << "those of the last questions alone";
}

TEST_P(RejectedOverTest, RejectionCarriesCodeMessageTimestampAndClientToken) {
  Site site({.wires = GetParam()});
  const auto reply = site.start_next("lamp", R"({"clientToken":"t","statusDetails":1})");
  EXPECT_EQ(reply.topic, "$aws/things/lamp/jobs/start-next/rejected");
  EXPECT_EQ(reply.qos, 1);
  EXPECT_FALSE(reply.retained);
  const auto payload = payload_of(reply);
  EXPECT_EQ(payload["code"], "InvalidRequest");
  EXPECT_EQ(payload["clientToken"], "t");
  EXPECT_TRUE(payload["timestamp"].is_number_integer());
  EXPECT_TRUE(payload["message"].is_string());
  EXPECT_EQ(payload.size(), 4U) << reply.payload;
}

TEST(RejectionTest, TopicsThatAreNoRequestsAreInvalidTopicOrIgnored) {
  Site site;
  EXPECT_EQ(code_of(site.ask("$aws/things/lamp/jobs/$next/update", "{}")), "InvalidTopic");
  EXPECT_EQ(code_of(site.ask("$aws/things/lamp/jobs/../get", "{}")), "InvalidTopic");
  // One of our replies, published by another client, must not start a loop.
  site.device->publish("$aws/things/lamp/jobs/start-next/accepted", "{}");
  ASSERT_TRUE(site.device->next());
  EXPECT_EQ(site.start_next("lamp").topic, start_next_topic("lamp") + "/accepted");
  EXPECT_TRUE(site.device->received().empty());
}

struct EndpointError {
  const char* name;
  int status;
  const char* type;
  const char* message;
  const char* code;
};

class EndpointErrorTest : public testing::TestWithParam<EndpointError> {};

INSTANTIATE_TEST_SUITE_P(
    Errors, EndpointErrorTest,
    testing::Values(
        EndpointError{"InvalidRequest", 400, "InvalidRequestException", "bad", "InvalidRequest"},
        EndpointError{"Validation", 400, "ValidationException", "bad", "InvalidRequest"},
        EndpointError{"Certificate", 400, "CertificateValidationException", "x", "InternalError"},
        EndpointError{"AccessDenied", 403, "AccessDeniedException", "User: arn:secret",
                      "InternalError"},
        EndpointError{"NotFound", 404, "ResourceNotFoundException", "no thing", "ResourceNotFound"},
        EndpointError{"WrongEndpoint", 404, "UnknownOperationException", "x", "InternalError"},
        EndpointError{"State", 409, "InvalidStateTransitionException", "no",
                      "InvalidStateTransition"},
        EndpointError{"Conflict", 409, "ConflictException", "busy", "InvalidStateTransition"},
        EndpointError{"Version", 409, "InvalidStateTransitionException",
                      "Expected version 99 but found version 1", "VersionMismatch"},
        EndpointError{"Terminal", 410, "TerminalStateException", "over", "TerminalStateReached"},
        EndpointError{"Throttled", 429, "ThrottlingException", "slow down", "RequestThrottled"},
        EndpointError{"Internal", 500, "InternalFailureException", "x", "InternalError"},
        EndpointError{"Unavailable", 503, "ServiceUnavailableException", "x", "InternalError"}),
    [](const auto& test) { return test.param.name; });

TEST_P(EndpointErrorTest, BecomesTheCodeThatDevicesKnow) {
  const auto& error = GetParam();
  for (const bool enveloped : {false, true}) {
    // Enveloped codes map by other rules, and here they say something else:
    // EnvelopedErrorsAreMapped.
    const std::string code = error.code;
    if (enveloped && code != "InvalidRequest" && code != "ResourceNotFound" &&
        code != "RequestThrottled") {
      continue;
    }
    Site site({.endpoint_arguments = enveloped ? std::vector<std::string>{"--envelope"}
                                               : std::vector<std::string>{}});
    site.endpoint->set_fault({{"kind", "status"},
                              {"status", error.status},
                              {"error_type", error.type},
                              {"message", error.message}});
    const auto reply = site.start_next("lamp", R"({"clientToken":"t"})");
    EXPECT_EQ(code_of(reply), error.code) << reply.payload;
    EXPECT_EQ(token_of(reply), "t");
    EXPECT_EQ(reply.payload.find("arn:secret"), std::string::npos);
  }
}

TEST(RejectionTest, EndpointsOwnLimitsReachTheDevice) {
  Site site({.settings = {"limits.deadline=500ms"},
             .endpoint_arguments = {"--strict-things", "--writes-per-second", "1"}});
  site.endpoint->create_job("job-1", {"known"});
  EXPECT_EQ(code_of(site.start_next("unknown")), "ResourceNotFound");
  std::size_t throttled = 0;
  for (int i = 0; i < 10; ++i) {
    const auto reply = site.start_next("known");
    if (reply.topic.ends_with("/accepted")) continue;
    EXPECT_EQ(code_of(reply), "RequestThrottled");
    ++throttled;
  }
  EXPECT_GT(throttled, 0U);
}

TEST(RejectionTest, AnswerOfUnreasonableSizeIsAnInternalError) {
  Site site;
  const json execution = {{"jobId", std::string(2 << 20, 'x')}};
  site.endpoint->set_fault(
      {{"kind", "status"}, {"status", 200}, {"body", json{{"execution", execution}}.dump()}});
  EXPECT_EQ(code_of(site.start_next("lamp")), "InternalError");
  site.endpoint->clear_faults();
  EXPECT_TRUE(site.start_next("lamp").topic.ends_with("/accepted"));
}

TEST(RejectionTest, AnswersThatMakeNoSenseAreInternalErrors) {
  Site site({.settings = {"limits.deadline=500ms"}});
  for (const auto* body :
       {"", "{", "[]", "null", "\"text\"", "{\"execution\":5}", "{\"success\":\"yes\"}",
        "{\"success\":true,\"data\":5}", "<html>login</html>", "{\"execution\":{}} trailing"}) {
    site.endpoint->set_fault({{"kind", "status"}, {"status", 200}, {"body", body}});
    const auto reply = site.start_next("lamp", R"({"clientToken":"t"})");
    EXPECT_EQ(code_of(reply), "InternalError") << body << "\n" << reply.payload;
    EXPECT_EQ(token_of(reply), "t");
  }
}

TEST(RejectionTest, SuccessStatusThatHidesAnErrorIsAnInternalError) {
  Site site;
  site.endpoint->set_fault(
      {{"kind", "status"},
       {"status", 200},
       {"body",
        R"({"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"})"}});
  EXPECT_EQ(code_of(site.start_next("lamp")), "InternalError");
}

TEST(RejectionTest, EnvelopedErrorsAreMapped) {
  Site site;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"VALIDATION_ERROR", "InvalidRequest"}, {"THING_NOT_FOUND", "ResourceNotFound"},
      {"THROTTLED", "RequestThrottled"},      {"RATE_LIMIT_EXCEEDED", "RequestThrottled"},
      {"UNAUTHORIZED", "InternalError"},      {"SOMETHING_ELSE", "InternalError"},
  };
  for (const auto& [given, code] : cases) {
    const json body = {{"success", false}, {"error", {{"code", given}, {"message", "because"}}}};
    site.endpoint->set_fault({{"kind", "status"}, {"status", 200}, {"body", body.dump()}});
    const auto reply = site.start_next("lamp");
    EXPECT_EQ(code_of(reply), code) << given;
    EXPECT_EQ(message_of(reply), "because") << given;
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
