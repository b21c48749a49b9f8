#include "bridge/jobs/replacement.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "bridge/jobs/cbor.h"
#include "bridge/jobs/reply.h"

namespace jobs_bridge {
namespace {

using Kind = Publication::Kind;
using nlohmann::json;

constexpr std::int64_t then = 1'700'000'000;

Publication accepted(const std::string& topic = "$aws/things/a/jobs/start-next/accepted") {
  return {.topic = topic,
          .payload = accepted_payload(R"("execution":{"clientToken":"not this"})",
                                      R"("token\u0031")", then - 5),
          .correlation_data = "correlation",
          .content_type = "application/json",
          .thing = 42,
          .kind = Kind::accepted};
}

TEST(ReplacementTest, AcceptedReplyBecomesASmallRejectionOfTheSameRequest) {
  const auto replacement =
      replacement_of(accepted(), ErrorCode::invalid_request, "it is too large", then);
  ASSERT_TRUE(replacement);
  EXPECT_EQ(replacement->topic, "$aws/things/a/jobs/start-next/rejected");
  EXPECT_EQ(replacement->correlation_data, "correlation");
  EXPECT_EQ(replacement->content_type, "application/json");
  EXPECT_EQ(replacement->thing, 42U);
  EXPECT_EQ(replacement->kind, Kind::rejected);
  EXPECT_EQ(
      json::parse(replacement->payload),
      json({{"code", "InvalidRequest"},
            {"message",
             "the request was carried out, but its reply cannot be delivered: it is too large"},
            {"timestamp", then},
            {"clientToken", "token1"}}));
  EXPECT_NE(replacement->payload.find(R"("token\u0031")"), std::string::npos)
      << "as the device wrote it";
  EXPECT_LT(replacement->payload.size(), 256U);
}

TEST(ReplacementTest, RequestWithoutATokenGetsNone) {
  auto reply = accepted();
  reply.payload = accepted_payload({}, {}, then);
  const auto replacement = replacement_of(reply, ErrorCode::invalid_request, "no", then);
  EXPECT_FALSE(json::parse(replacement->payload).contains("clientToken"));
}

TEST(ReplacementTest, ReplyOnAResponseTopicIsReplacedOnThatTopicWhateverItsName) {
  auto reply = accepted("$aws/things/a/jobs/mine/accepted");
  reply.to_response_topic = true;
  const auto replacement = replacement_of(reply, ErrorCode::invalid_request, "no", then);
  EXPECT_EQ(replacement->topic, reply.topic);
}

TEST(ReplacementTest, RejectedReplyKeepsItsCodeAndLosesWhatMadeItLarge) {
  const Rejection mismatch{.code = ErrorCode::version_mismatch,
                           .message = std::string(500, 'x'),
                           .execution_state = R"({"status":"IN_PROGRESS"})"};
  const Publication reply{.topic = "$aws/things/a/jobs/j/update/rejected",
                          .payload = rejected_payload(mismatch, R"("t")", then),
                          .kind = Kind::rejected};
  const auto replacement = replacement_of(reply, ErrorCode::invalid_request, "too large", then);
  ASSERT_TRUE(replacement);
  EXPECT_EQ(replacement->topic, reply.topic);
  const auto payload = json::parse(replacement->payload);
  EXPECT_EQ(payload["code"], "VersionMismatch");
  EXPECT_EQ(payload["clientToken"], "t");
  EXPECT_FALSE(payload.contains("executionState"));
  EXPECT_LT(replacement->payload.size(), 256U);
}

TEST(ReplacementTest, ReplyInCborIsReplacedInCbor) {
  auto reply = accepted();
  reply.payload = *cbor_from_json(reply.payload);
  reply.content_type = "application/cbor";
  const auto replacement = replacement_of(reply, ErrorCode::request_throttled, "no", then);
  ASSERT_TRUE(replacement);
  EXPECT_EQ(replacement->content_type, "application/cbor");
  const auto payload = json::parse(*json_from_cbor(replacement->payload));
  EXPECT_EQ(payload["code"], "RequestThrottled");
  EXPECT_EQ(payload["clientToken"], "token1");
}

TEST(ReplacementTest, NothingStandsInForANotification) {
  auto notification = accepted("$aws/things/a/jobs/notify-next");
  notification.kind = Kind::notification;
  EXPECT_FALSE(replacement_of(notification, ErrorCode::invalid_request, "no", then));
}

}  // namespace
}  // namespace jobs_bridge
