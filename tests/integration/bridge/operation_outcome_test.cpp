#include <string>
#include <vector>

#include "bridge/jobs/operation.h"
#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

/// A payload that the endpoint finds fault with, or the bridge.
struct BadPayload {
  std::string payload;
  std::string code;
  std::string part;  ///< of the message
};

struct AskedOperation {
  std::string name;
  Operation operation;
  std::string job;      ///< that the topic names; empty: none
  std::string payload;  ///< members of a proper request, without braces
  std::vector<BadPayload> bad;

  /// The topic below the thing's base.
  [[nodiscard]] std::string below() const {
    return (job.empty() ? "" : job + "/") + std::string(facts_of(operation).verb);
  }
};

/// The ways to ask for an operation.
std::vector<AskedOperation> ways_to_ask(Operation operation) {
  const BadPayload number{R"({"executionNumber":"one"})", "InvalidRequest", "executionNumber"};
  const BadPayload flag{R"({"includeJobDocument":"yes"})", "InvalidRequest", "includeJobDocument"};
  const auto update = [](const std::string& members) {
    return R"({"status":"IN_PROGRESS",)" + members + "}";
  };
  switch (operation) {
    case Operation::start_next:
      return {{"StartNext",
               operation,
               "",
               "",
               {{R"({"stepTimeoutInMinutes":0})", "InvalidRequest", "1 and 10080"},
                {R"({"stepTimeoutInMinutes":"-1"})", "InvalidRequest", "1 and 10080"},
                {R"({"statusDetails":{"a":[1]}})", "InvalidRequest", "at 'statusDetails.a'"},
                {R"({"statusDetails":{"a":""}})", "InvalidRequest", "1 and 1024"}}}};
    case Operation::get_pending:
      return {{"GetPending", operation, "", "", {}}};
    case Operation::describe:
      return {{"Describe", operation, "job-1", "", {number, flag}},
              {"DescribeNext", operation, "$next", "", {number, flag}}};
    case Operation::update:
      return {
          {"Update",
           operation,
           "job-1",
           R"("status":"IN_PROGRESS")",
           {{"{}", "InvalidRequest", "Value null at 'status'"},
            {"", "InvalidRequest", "Value null at 'status'"},
            {R"({"status":"CANCELED"})", "InvalidRequest", "CANCELED"},
            {R"({"status":5})", "InvalidRequest", "Value '5' at 'status'"},
            {update(R"("expectedVersion":"two")"), "InvalidRequest", "'two' at 'expectedVersion'"},
            {update(R"("expectedVersion":1.5)"), "InvalidRequest", "'1.5' at 'expectedVersion'"},
            {update(R"("executionNumber":[])"), "InvalidRequest", "at 'executionNumber'"},
            {update(R"("includeJobExecutionState":1)"), "InvalidRequest",
             "at 'includeJobExecutionState'"},
            {update(R"("includeJobDocument":"yes")"), "InvalidRequest",
             "'yes' at 'includeJobDocument'"},
            {update(R"("stepTimeoutInMinutes":-2)"), "InvalidRequest", "-1"},
            {update(R"("statusDetails":"done")"), "InvalidRequest", "at 'statusDetails'"}}}};
  }
  return {};
}

std::vector<AskedOperation> all_ways_to_ask() {
  std::vector<AskedOperation> all;
  for (const auto operation : every_operation) {
    auto ways = ways_to_ask(operation);
    all.insert(all.end(), ways.begin(), ways.end());
  }
  return all;
}

class OperationOutcomeTest : public testing::TestWithParam<AskedOperation> {
 protected:
  OperationOutcomeTest()
      : site_({.settings = {"endpoint.answer_timeout=300ms", "limits.deadline=1s"}}) {
    site_.device->subscribe("$aws/things/+/jobs/+/+/accepted");
    site_.endpoint->create_job("job-1", {"lamp"}, R"({"version":9007199254740993})");
  }

  MqttDevice::Received ask(const std::string& payload) {
    return site_.ask("$aws/things/lamp/jobs/" + GetParam().below(), payload);
  }
  MqttDevice::Received ask_properly() {
    const auto& members = GetParam().payload;
    return ask(R"({"clientToken":"t")" + (members.empty() ? "" : "," + members) + "}");
  }
  /// An update is held until the endpoint gives a proper answer, all else is rejected in time.
  [[nodiscard]] bool is_update() const { return GetParam().operation == Operation::update; }
  void expect_held_until_the_fault_is_over(const std::string& what) {
    site_.device->publish("$aws/things/lamp/jobs/" + GetParam().below(),
                          R"({"clientToken":"t",)" + GetParam().payload + "}");
    EXPECT_FALSE(site_.device->next(1200ms)) << what;
    site_.endpoint->clear_faults();
    const auto reply = site_.device->next(20s);
    ASSERT_TRUE(reply) << what;
    EXPECT_TRUE(reply->topic.ends_with("/accepted")) << what;
    EXPECT_EQ(token_of(*reply), "t") << what;
  }
  void expect_rejected(const MqttDevice::Received& reply, const std::string& code,
                       const std::string& what) {
    EXPECT_EQ(reply.topic, "$aws/things/lamp/jobs/" + GetParam().below() + "/rejected") << what;
    EXPECT_EQ(code_of(reply), code) << what << ": " << reply.payload;
    EXPECT_FALSE(message_of(reply).empty()) << what;
    EXPECT_TRUE(payload_of(reply).at("timestamp").is_number_integer()) << what;
  }

  Site site_;
};

INSTANTIATE_TEST_SUITE_P(Operations, OperationOutcomeTest, testing::ValuesIn(all_ways_to_ask()),
                         [](const auto& test) { return test.param.name; });

TEST_P(OperationOutcomeTest, AProperRequestIsAccepted) {
  const auto reply = ask_properly();
  EXPECT_EQ(reply.topic, "$aws/things/lamp/jobs/" + GetParam().below() + "/accepted");
  EXPECT_EQ(token_of(reply), "t");
}

TEST_P(OperationOutcomeTest, BadPayloadsAreRejectedWithTheirCause) {
  for (const auto& bad : GetParam().bad) {
    const auto reply = ask(bad.payload);
    expect_rejected(reply, bad.code, bad.payload);
    EXPECT_THAT(message_of(reply), HasSubstr(bad.part)) << bad.payload;
  }
  std::vector<BadPayload> all;
  all.push_back({"not json", "InvalidJson", "not a JSON object"});
  all.push_back({"[]", "InvalidJson", "not a JSON object"});
  all.push_back({std::string("{\"a\":\"\0\"}", 9), "InvalidJson", "at byte"});
  all.push_back({"{\"a\":\"\xed\xa0\x80\"}", "InvalidJson", "UTF-8"});
  all.push_back({R"({"clientToken":[5]})", "InvalidRequest", "clientToken must be a string"});
  all.push_back({R"({"a":")" + std::string(140000, 'x') + R"("})", "InvalidRequest", "131072"});
  const auto before = site_.endpoint->calls().at("total");
  for (const auto& bad : all) {
    const auto what = bad.payload.substr(0, 100);
    const auto reply = ask(bad.payload);
    expect_rejected(reply, bad.code, what);
    EXPECT_THAT(message_of(reply), HasSubstr(bad.part)) << what;
  }
  EXPECT_EQ(site_.endpoint->calls().at("total"), before) << "none of them costs a call";
}

TEST_P(OperationOutcomeTest, ErrorsOfTheEndpointBecomeTheCodesThatDevicesKnow) {
  const std::vector<std::tuple<int, std::string, std::string>> errors = {
      {400, "InvalidRequestException", "InvalidRequest"},
      {400, "CertificateValidationException", "InternalError"},
      {403, "AccessDeniedException", "InternalError"},
      {404, "ResourceNotFoundException", "ResourceNotFound"},
      {404, "UnknownOperationException", "InternalError"},
      {409, "InvalidStateTransitionException", "InvalidStateTransition"},
      {410, "TerminalStateException", "TerminalStateReached"},
      {429, "ThrottlingException", "RequestThrottled"},
      {500, "InternalFailureException", "InternalError"},
      {503, "ServiceUnavailableException", "InternalError"},
  };
  for (const auto& [status, type, code] : errors) {
    site_.endpoint->set_fault(
        {{"kind", "status"}, {"status", status}, {"error_type", type}, {"message", "because"}});
    const bool of_gateway = type == "CertificateValidationException";
    if (is_update() && (status == 429 || status >= 500 || of_gateway)) {
      expect_held_until_the_fault_is_over(type);
      continue;
    }
    const auto reply = ask_properly();
    expect_rejected(reply, code, type);
    EXPECT_EQ(token_of(reply), "t") << type;
  }
}

TEST_P(OperationOutcomeTest, NoProperAnswerIsAnInternalError) {
  const std::vector<json> faults = {
      {{"kind", "reset"}},
      {{"kind", "hang"}},
      {{"kind", "truncate"}},
      {{"kind", "garbage"}},
      {{"kind", "status"}, {"status", 200}, {"body", "<html>"}},
      {{"kind", "status"},
       {"status", 200},
       {"body", R"({"Output":{"__type":"x#UnknownOperationException"},"Version":"1.0"})"}},
  };
  for (const auto& fault : faults) {
    site_.endpoint->set_fault(fault);
    if (is_update()) {
      expect_held_until_the_fault_is_over(fault.dump());
      continue;
    }
    const auto reply = ask_properly();
    expect_rejected(reply, "InternalError", fault.dump());
    EXPECT_EQ(token_of(reply), "t") << fault;
  }
  site_.endpoint->clear_faults();
  // So many failures in a row have opened the circuit, and a request may still meet it open.
  EXPECT_TRUE(wait_until([&] { return ask_properly().topic.ends_with("/accepted"); }))
      << "and it recovers by itself";
}

}  // namespace
}  // namespace jobs_bridge::testing_support
