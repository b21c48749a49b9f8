#include "adapters/admin/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "bridge/jobs/endpoint_fault.h"

namespace jobs_bridge::admin {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Status working() {
  Status status;
  status.now = 1'800'000'000;
  status.broker.connected = true;
  status.broker.subscribed = true;
  status.broker.canary = true;
  status.broker.flowing = true;
  status.credentials.source = "none";
  return status;
}

std::vector<std::string> codes(const std::vector<Reason>& reasons) {
  std::vector<std::string> all;
  for (const auto& reason : reasons) {
    EXPECT_FALSE(reason.message.empty()) << reason.code;
    EXPECT_FALSE(reason.hint.empty()) << reason.code;
    all.push_back(reason.code);
  }
  return all;
}
auto reasons(const Status& status) {
  return codes(readiness(status).reasons);
}
auto warnings(const Status& status) {
  return codes(readiness(status).warnings);
}

TEST(ReadinessTest, ReadyWhenMessagesFlowAndTheEndpointIsNotDown) {
  EXPECT_TRUE(readiness(working()).ready());
  EXPECT_THAT(warnings(working()), IsEmpty());
}

TEST(ReadinessTest, NotReadyUntilACanaryHasComeBack) {
  auto status = working();
  status.broker.flowing = false;
  EXPECT_THAT(reasons(status), ElementsAre("broker_silent"));
  status.broker.canary = false;
  EXPECT_THAT(reasons(status), IsEmpty()) << "no canary is sent: being connected must do";
}

TEST(ReadinessTest, CanaryThatTheBrokerForbidsIsAWarningWithTheCause) {
  auto status = working();
  status.broker.canary = false;
  status.broker.canary_fault = "the broker refuses the subscription";
  EXPECT_THAT(reasons(status), IsEmpty());
  ASSERT_THAT(warnings(status), ElementsAre("canary_blind"));
  EXPECT_THAT(readiness(status).warnings[0].message, HasSubstr("refuses the subscription"));
}

using Passage = Status::Broker::Passage;

TEST(ReadinessTest, NotReadyUntilTheSelfTestHasShownThatRequestsComeInAndRepliesGoOut) {
  auto status = working();
  status.broker.requests.verdict = Passage::Verdict::untested;
  status.broker.replies.verdict = Passage::Verdict::untested;
  EXPECT_THAT(reasons(status), ElementsAre("topics_untested"));
  status.broker.requests.verdict = Passage::Verdict::good;
  EXPECT_THAT(reasons(status), ElementsAre("topics_untested"));
  status.broker.replies.verdict = Passage::Verdict::good;
  EXPECT_TRUE(readiness(status).ready());
  EXPECT_THAT(warnings(status), IsEmpty());
}

TEST(ReadinessTest, RequestsOrRepliesThatTheBrokerStopsAreReasonsWithCauseAndCure) {
  auto status = working();
  status.broker.requests = {Passage::Verdict::bad, "no request came back", "mend the ACL"};
  status.broker.replies = {Passage::Verdict::bad, "not authorized", "mend it too"};
  ASSERT_THAT(reasons(status), ElementsAre("requests_blocked", "replies_blocked"));
  EXPECT_THAT(readiness(status).reasons[0].message, HasSubstr("no request came back"));
  EXPECT_THAT(readiness(status).reasons[0].hint, HasSubstr("Mend the ACL."));
  EXPECT_THAT(readiness(status).reasons[1].message, HasSubstr("not authorized"));
  EXPECT_THAT(readiness(status).reasons[1].hint, HasSubstr("Mend it too."));
  status.broker.connected = false;
  EXPECT_THAT(reasons(status), ElementsAre("broker_disconnected")) << "which explains them";
}

TEST(ReadinessTest, WhatTheSelfTestCannotSeeIsAWarning) {
  auto status = working();
  status.broker.requests = {Passage::Verdict::undecided, "not authorized", "allow it"};
  status.broker.replies = {Passage::Verdict::undecided, "none came back", "allow it"};
  EXPECT_THAT(reasons(status), IsEmpty());
  EXPECT_THAT(warnings(status), ElementsAre("requests_unseen", "replies_unseen"));
}

TEST(ReadinessTest, BrokerThatIsAwayOrGrantsNothingIsTheReason) {
  auto status = working();
  status.broker.subscribed = false;
  EXPECT_THAT(reasons(status), ElementsAre("broker_not_subscribed"));
  status.broker.refused_filters = {"a/+/b", "c/+/d"};
  ASSERT_THAT(reasons(status), ElementsAre("broker_refuses_subscription"));
  EXPECT_THAT(readiness(status).reasons[0].message, HasSubstr("a/+/b, c/+/d"));
  status.broker.connected = false;
  status.broker.fault = {"unreachable", "connection refused", "start it"};
  ASSERT_THAT(reasons(status), ElementsAre("broker_disconnected"));
  EXPECT_THAT(readiness(status).reasons[0].message, HasSubstr("connection refused"));
  EXPECT_EQ(readiness(status).reasons[0].kind, "unreachable");
  EXPECT_THAT(readiness(status).reasons[0].hint, HasSubstr("Start it."));
}

TEST(ReadinessTest, WhatTheBrokerDoesNotDoIsAWarningWithItsKind) {
  auto status = working();
  status.broker.shortcomings = {{"qos_0_only", "the broker offers QoS 0 only", "raise it"}};
  EXPECT_THAT(reasons(status), IsEmpty());
  ASSERT_THAT(warnings(status), ElementsAre("broker_shortcoming"));
  EXPECT_EQ(readiness(status).warnings[0].message, "The broker offers QoS 0 only");
  EXPECT_EQ(readiness(status).warnings[0].hint, "Raise it.");
  EXPECT_EQ(readiness(status).warnings[0].kind, "qos_0_only");
}

TEST(ReadinessTest, EndpointDownTellsSinceWhenAndWhatIsHeld) {
  auto status = working();
  status.endpoint.reachable = false;
  status.endpoint.down_for = 3min;
  status.endpoint.cause = "timeout";
  status.requests.held = 1;
  ASSERT_THAT(reasons(status), ElementsAre("endpoint_down"));
  EXPECT_EQ(readiness(status).reasons[0].message,
            "No call to the endpoint has succeeded for 3 minutes: timeout");
  EXPECT_THAT(readiness(status).reasons[0].hint,
              HasSubstr("1 update is held and will be delivered"));
}

TEST(ReadinessTest, CredentialsMissingOrExpiredAreReasonsAndNearTheirEndAWarning) {
  auto status = working();
  status.credentials = {.source = "iot",
                        .valid = false,
                        .key_ends = {},
                        .expires = std::nullopt,
                        .renewed_ago = std::nullopt,
                        .fault = "no route",
                        .renewals = 0,
                        .failures = 3,
                        .clock_skew = 0};
  EXPECT_THAT(reasons(status), ElementsAre("credentials_missing"));
  status.credentials.renewals = 1;
  EXPECT_THAT(reasons(status), ElementsAre("credentials_expired"));
  status.credentials.valid = true;
  status.credentials.expires = status.now + 299;
  EXPECT_THAT(reasons(status), IsEmpty());
  EXPECT_THAT(warnings(status), ElementsAre("credentials_expire"));
  status.credentials.expires = status.now + 300;
  EXPECT_THAT(warnings(status), ElementsAre("credentials_not_renewed"));
  status.credentials.fault.clear();
  EXPECT_THAT(warnings(status), IsEmpty());
}

TEST(ReadinessTest, ClockThatIsOffIsAWarningOnlyWhereRequestsAreSigned) {
  auto status = working();
  status.credentials.clock_skew = -86400;
  EXPECT_THAT(warnings(status), IsEmpty());
  status.credentials.source = "environment";
  status.credentials.valid = true;
  ASSERT_THAT(warnings(status), ElementsAre("clock_off"));
  EXPECT_THAT(readiness(status).warnings[0].message, HasSubstr("24 hours ahead of"));
}

TEST(ReadinessTest, JournalThatCannotBeWrittenIsAReasonAndOneThatFillsAWarning) {
  auto status = working();
  status.journal.enabled = true;
  status.journal.failing = true;
  status.journal.path = "/j";
  status.journal.cause = "is in use by another process";
  status.journal.hint = "end it";
  ASSERT_THAT(reasons(status), ElementsAre("journal_failing"));
  EXPECT_EQ(readiness(status).reasons[0].message, "The journal /j is in use by another process");
  EXPECT_EQ(readiness(status).reasons[0].hint,
            "End it. Until then updates are rejected; other requests are not affected by this.");
  status.journal.takes_what_fits = true;
  EXPECT_EQ(readiness(status).reasons[0].hint,
            "End it. Until then updates that do not fit are rejected; other requests are not "
            "affected by this.");
  status.journal.failing = false;
  status.journal.max_bytes = 100;
  status.journal.bytes = 81;
  EXPECT_THAT(warnings(status), ElementsAre("journal_filling"));
}

TEST(ReadinessTest, AnUpdateThatCouldNotBeRecordedIsAWarningUntilItIsOldNews) {
  auto status = working();
  status.journal.enabled = true;
  status.journal.not_recorded = 3;
  status.journal.not_recorded_ago = 6s;
  status.journal.not_recorded_cause = "has no space: its disk is full";
  ASSERT_THAT(warnings(status), ElementsAre("updates_refused"));
  EXPECT_EQ(readiness(status).warnings[0].message,
            "Since the start 3 updates could not be recorded; the last one was rejected 6 seconds "
            "ago: the journal has no space: its disk is full");
  status.journal.not_recorded_ago = 15min;
  EXPECT_THAT(warnings(status), IsEmpty());
}

TEST(ReadinessTest, AnEndpointThatDeniesEverythingIsAReasonAndOneOperationAWarning) {
  auto status = working();
  status.endpoint.denied = {{.operation = "update",
                             .action = "iotjobsdata:UpdateJobExecution",
                             .since = 5s,
                             .cause = "HTTP 403 AccessDeniedException: role x"}};
  EXPECT_THAT(reasons(status), IsEmpty());
  ASSERT_THAT(warnings(status), ElementsAre("access_denied"));
  status.endpoint.denies_all = true;
  ASSERT_THAT(reasons(status), ElementsAre("access_denied"));
  EXPECT_THAT(warnings(status), IsEmpty());
  const auto reason = readiness(status).reasons[0];
  EXPECT_EQ(reason.message,
            "The endpoint denies the gateway access (update): HTTP 403 AccessDeniedException: role "
            "x");
  EXPECT_THAT(reason.hint,
              HasSubstr("Allow iotjobsdata:UpdateJobExecution on the devices' things"));
  EXPECT_EQ(reason.kind, "access");
}

TEST(ReadinessTest, TheHintForAnEndpointThatFailsIsThatOfItsFault) {
  for (const auto fault :
       {EndpointFault::name, EndpointFault::proxy, EndpointFault::tls, EndpointFault::certificate,
        EndpointFault::refused, EndpointFault::signature, EndpointFault::not_signed,
        EndpointFault::forbidden, EndpointFault::no_credentials}) {
    auto status = working();
    status.endpoint.reachable = false;
    status.endpoint.down_for = 9s;
    status.endpoint.cause = "why";
    status.endpoint.kind = to_string(fault);
    status.endpoint.hint = hint_of(fault);
    ASSERT_THAT(reasons(status), ElementsAre("endpoint_down"));
    const auto reason = readiness(status).reasons[0];
    EXPECT_EQ(reason.message, "No call to the endpoint has succeeded for 9 seconds: why");
    EXPECT_THAT(reason.hint,
                HasSubstr(std::string(hint_of(fault)).substr(1) + ". Updates are held"));
    EXPECT_EQ(reason.kind, to_string(fault));
  }
}

TEST(ReadinessTest, ADiskThatDoesNotRespondIsAReasonOfItsOwn) {
  auto status = working();
  status.journal.enabled = true;
  status.journal.failing = true;
  status.journal.cause = "is waiting for its disk";
  status.journal.disk_stalled = 7s;
  ASSERT_THAT(reasons(status), ElementsAre("disk_stalled"));
  EXPECT_THAT(readiness(status).reasons[0].message, HasSubstr("for 7 seconds"));
  EXPECT_THAT(readiness(status).reasons[0].hint, HasSubstr("Check the disk"));
}

TEST(ReadinessTest, ThrottledLostAndDroppedAreWarnings) {
  auto status = working();
  status.reads = {.configured = 200, .allowed = 40.4, .slowed = true, .used = 0};
  status.requests.lost = 2;
  status.requests.rejected_late = 1;
  status.broker.overflowed = 1;
  EXPECT_THAT(warnings(status), ElementsAre("replies_dropped", "reads_throttled", "updates_lost",
                                            "updates_rejected_late"));
  EXPECT_THAT(readiness(status).warnings[1].message, HasSubstr("slowed down to 40 a second"));
}

TEST(ReadinessTest, ReplyThatTheBrokerRefusedIsAWarningWithItsHintUntilItIsOldNews) {
  auto status = working();
  status.broker.unpublishable = 3;
  status.broker.last_refused_reply = {.ago = std::chrono::minutes(14),
                                      .kind = "too_large",
                                      .topic = "$aws/things/a/jobs/start-next/accepted",
                                      .cause = "larger than the maximum",
                                      .hint = "raise max_packet_size"};
  EXPECT_THAT(reasons(status), IsEmpty());
  EXPECT_THAT(warnings(status), ElementsAre("replies_refused"));
  const auto warning = readiness(status).warnings.at(0);
  EXPECT_EQ(warning.message,
            "Since the start 3 replies could not be published; the last one was for "
            "$aws/things/a/jobs/start-next/accepted, 14 minutes ago: larger than the maximum");
  EXPECT_EQ(warning.hint, "Raise max_packet_size.");
  status.broker.last_refused_reply->ago = std::chrono::minutes(15);
  EXPECT_THAT(warnings(status), IsEmpty());
}

TEST(ReadinessTest, ReplyThatAnAclRefusedIsNoWarningOnceTheSelfTestPasses) {
  auto status = working();
  status.broker.last_refused_reply = {.ago = std::chrono::minutes(1),
                                      .kind = "not_authorized",
                                      .topic = "$aws/things/a/jobs/start-next/accepted",
                                      .cause = "not authorized",
                                      .hint = "allow it"};
  status.broker.replies.verdict = Status::Broker::Passage::Verdict::undecided;
  EXPECT_THAT(warnings(status), Contains("replies_refused"));
  status.broker.replies.verdict = Status::Broker::Passage::Verdict::good;
  EXPECT_THAT(warnings(status), IsEmpty());
}

TEST(ReadinessTest, APauseThatTheEndpointAskedForIsAWarning) {
  auto status = working();
  status.writes = {
      .configured = 200, .allowed = 0, .slowed = true, .paused_for = std::chrono::seconds(42)};
  EXPECT_THAT(reasons(status), ElementsAre());
  EXPECT_THAT(warnings(status), ElementsAre("writes_paused"));
  EXPECT_THAT(readiness(status).warnings[0].message, HasSubstr("no calls for up to 42 seconds"));
}

TEST(ReadinessTest, WhereAnotherInstanceMayServeTheRoleIsTheReason) {
  auto status = working();
  status.role = "active";
  EXPECT_THAT(reasons(status), IsEmpty());
  status.role = "waiting";
  EXPECT_THAT(reasons(status), ElementsAre("lease_waiting"));
  status.role = "unproven";
  EXPECT_THAT(reasons(status), ElementsAre("lease_unproven"));
  status.broker.connected = false;
  EXPECT_THAT(reasons(status), ElementsAre("broker_disconnected")) << "which explains it";
  status.role = "standby";
  status.broker = {};
  EXPECT_THAT(reasons(status), ElementsAre("standby")) << "it is not connected as the primary";
  status.role = "connecting";
  EXPECT_THAT(reasons(status), ElementsAre("broker_disconnected"));
}

TEST(ReadinessTest, StoppingIsNotReady) {
  auto status = working();
  status.stopping = true;
  EXPECT_THAT(reasons(status), ElementsAre("stopping"));
}

}  // namespace
}  // namespace jobs_bridge::admin
