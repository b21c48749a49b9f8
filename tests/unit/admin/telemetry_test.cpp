#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "adapters/admin/activity.h"
#include "adapters/admin/metrics.h"

namespace jobs_bridge::admin {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

HttpOutcome answer(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

/// What the listener tells of: counters for monitoring, and the last minutes for a person.
class TelemetryTest : public ::testing::Test {
 protected:
  static Finished finished(const std::string& thing, Duration took) {
    Finished request;
    request.operation = Operation::update;
    request.topic = "$aws/things/" + thing + "/jobs/j/update";
    request.took = took;
    return request;
  }
  static Finished rejected(const std::string& thing, ErrorCode code, Duration took = 1ms) {
    auto request = finished(thing, took);
    request.rejection = Rejection{code, "why", "the cause", {}};
    return request;
  }
  void decide(Finished request) {
    Effects effects;
    effects.finished.push_back(std::move(request));
    decided(effects);
  }
  void decided(const Effects& effects) {
    activity_.decided(now_, effects);
    metrics_.decided(now_, effects);
  }
  void call_finished(Operation operation, const HttpOutcome& outcome, Health health,
                     Duration took = 3ms) {
    activity_.call_finished(now_, operation, outcome, health, took);
    metrics_.call_finished(now_, operation, outcome, health, took);
  }
  Status status() {
    Status status;
    activity_.describe(status, now_);
    return status;
  }
  std::string metrics() { return metrics_.text(status()); }

  Now now_{.monotonic = MonotonicTime(1000s), .unix_seconds = 1'800'000'000};
  Activity activity_{*TopicGrammar::from_base("$aws/things/{thing}/jobs")};
  Metrics metrics_;
};

TEST_F(TelemetryTest, AFaultOfTheBridgesOwnCounts) {
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_internal_faults_total 0"));
  Effects effects;
  effects.illegal_transitions = {{}, {}};
  decided(effects);
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_internal_faults_total 2"));
}

TEST_F(TelemetryTest, AcceptedRequestCountsWithItsTimeAndItsThing) {
  decide(finished("pump", 4ms));
  EXPECT_EQ(status().requests.accepted, 1U);
  EXPECT_EQ(status().requests.latency.count, 1U);
  ASSERT_EQ(status().busiest.size(), 1U);
  EXPECT_EQ(status().busiest[0].thing, "pump");
  EXPECT_TRUE(status().failing.empty());
  const auto text = metrics();
  EXPECT_THAT(text,
              HasSubstr("jobs_bridge_requests_total{operation=\"update\",outcome=\"accepted\"} 1"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "jobs_bridge_request_duration_seconds_bucket{operation=\"update\",le=\"0.005\"} 1"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "jobs_bridge_request_duration_seconds_bucket{operation=\"update\",le=\"0.0025\"} 0"));
}

TEST_F(TelemetryTest, RejectionCountsByCodeAndIsShownWithThingAndCause) {
  decide(rejected("pump", ErrorCode::version_mismatch));
  ASSERT_EQ(status().errors.size(), 1U);
  const auto entry = status().errors[0];
  EXPECT_EQ(entry.code, "VersionMismatch");
  EXPECT_EQ(entry.thing, "pump");
  EXPECT_EQ(entry.operation, "update");
  EXPECT_EQ(entry.cause, "the cause");
  EXPECT_EQ(entry.last, now_.unix_seconds);
  EXPECT_EQ(status().failing[0].last_code, "VersionMismatch");
  EXPECT_THAT(
      metrics(),
      HasSubstr("jobs_bridge_requests_total{operation=\"update\",outcome=\"VersionMismatch\"} 1"));
}

TEST_F(TelemetryTest, AnEndpointThatWasNotCalledOrHasNotAnsweredIsNotSaidToAnswer) {
  EXPECT_FALSE(status().endpoint.called);
  call_finished(Operation::update, HttpFailure{.detail = "reset"}, Health::failing);
  EXPECT_TRUE(status().endpoint.called);
  EXPECT_FALSE(status().endpoint.answered);
  call_finished(Operation::update, answer(429), Health::throttling);
  EXPECT_TRUE(status().endpoint.answered);
}

TEST_F(TelemetryTest, RefusalForWantOfRoomIsToldFromTheEndpointsThrottling) {
  decide(rejected("pump", ErrorCode::request_throttled, Duration::zero()));
  decide(rejected("pump", ErrorCode::request_throttled, 20ms));
  EXPECT_EQ(status().requests.rejected_queue_full, 1U);
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_requests_refused_total 1"));
}

TEST_F(TelemetryTest, HeldUpdateDoesNotSpoilTheLatencyAndALostOneIsCounted) {
  auto held = finished("pump", 3h);
  held.held = true;
  decide(held);
  auto lost = rejected("pump", ErrorCode::internal_error, 24h * 7);
  lost.held = true;
  lost.given_up = true;
  decide(lost);
  EXPECT_EQ(status().requests.latency.count, 0U);
  EXPECT_EQ(status().requests.lost, 1U);
  EXPECT_EQ(status().requests.rejected_late, 0U) << "the bridge gave it up";
  EXPECT_EQ(status().errors[0].code, "update lost: InternalError");
  const auto text = metrics();
  EXPECT_THAT(text, HasSubstr("jobs_bridge_updates_lost_total 1"));
  EXPECT_THAT(text, HasSubstr("jobs_bridge_held_update_duration_seconds_count 2"));
  EXPECT_THAT(text,
              HasSubstr("jobs_bridge_request_duration_seconds_count{operation=\"update\"} 0"));
}

TEST_F(TelemetryTest, AnUpdateThatIsRejectedLateIsCountedAndNamed) {
  auto late = rejected("pump", ErrorCode::resource_not_found, 3h);
  late.held = true;
  decide(late);
  decide(rejected("pump", ErrorCode::resource_not_found, 20ms));
  EXPECT_EQ(status().requests.rejected_late, 1U);
  EXPECT_EQ(status().requests.lost, 0U);
  ASSERT_EQ(status().errors.size(), 2U);
  EXPECT_EQ(status().errors[1].code, "rejected late: ResourceNotFound");
  EXPECT_EQ(status().errors[1].thing, "pump");
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_updates_rejected_late_total 1"));
}

TEST_F(TelemetryTest, AnUpdateWithAnUnknownOutcomeIsLostAndNotRejectedByTheEndpoint) {
  auto unknown = rejected("pump", ErrorCode::internal_error, 3h);
  unknown.held = true;
  unknown.rejection->maybe_applied = true;
  decide(unknown);
  EXPECT_EQ(status().requests.lost, 1U);
  EXPECT_EQ(status().requests.rejected_late, 0U);
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_updates_lost_total 1"));
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_updates_rejected_late_total 0"));
}

TEST_F(TelemetryTest, AnOperationThatTheEndpointDeniesIsShownUntilItIsAllowed) {
  Effects denied;
  denied.access_changes.push_back(
      {.operation = Operation::update, .denied = true, .cause = "HTTP 403", .detail = "role x"});
  decided(denied);
  now_.monotonic += 90s;
  ASSERT_EQ(status().endpoint.denied.size(), 1U);
  EXPECT_EQ(status().endpoint.denied[0].operation, "update");
  EXPECT_EQ(status().endpoint.denied[0].action, "iotjobsdata:UpdateJobExecution");
  EXPECT_EQ(status().endpoint.denied[0].since, Duration(90s));
  EXPECT_EQ(status().endpoint.denied[0].cause, "role x");
  EXPECT_EQ(status().errors[0].code, "access denied");
  Effects allowed;
  allowed.access_changes.push_back({.operation = Operation::update, .denied = false});
  decided(allowed);
  EXPECT_TRUE(status().endpoint.denied.empty());
}

TEST_F(TelemetryTest, CallsCountByStatusAndByKindOfFailureAndTakeFromTheirQuota) {
  call_finished(Operation::start_next, answer(200), Health::healthy);
  call_finished(Operation::describe, answer(429), Health::throttling);
  call_finished(Operation::describe, HttpFailure{HttpFailure::Kind::timeout, true, "no answer"},
                Health::failing, 5s);
  call_finished(Operation::describe, answer(99999), Health::failing);
  now_.monotonic += 1s;
  EXPECT_DOUBLE_EQ(status().writes.used, 0.1);
  EXPECT_DOUBLE_EQ(status().reads.used, 0.3);
  EXPECT_DOUBLE_EQ(status().endpoint.throttled, 0.1);
  EXPECT_EQ(status().endpoint.latency.count, 3U) << "what had no answer says nothing of answers";
  const auto text = metrics();
  for (const auto* line :
       {"jobs_bridge_endpoint_calls_total{operation=\"start-next\",status=\"200\"} 1",
        "jobs_bridge_endpoint_calls_total{operation=\"describe\",status=\"429\"} 1",
        "jobs_bridge_endpoint_calls_total{operation=\"describe\",status=\"timeout\"} 1",
        "jobs_bridge_endpoint_calls_total{operation=\"describe\",status=\"invalid\"} 1"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(TelemetryTest, OutageIsShownWithCauseAndAgeAndGoesWithItsEnd) {
  Effects down;
  down.endpoint_changes.push_back({.reachable = false,
                                   .kind = EndpointFault::connection,
                                   .cause = "away",
                                   .detail = "no route"});
  decided(down);
  now_.monotonic += 90s;
  EXPECT_EQ(status().endpoint.down_for, Duration(90s));
  EXPECT_EQ(status().endpoint.cause, "no route");
  EXPECT_EQ(status().endpoint.kind, "connection");
  EXPECT_EQ(status().endpoint.hint, hint_of(EndpointFault::connection));
  EXPECT_EQ(status().errors[0].code, "endpoint down");
  Effects up;
  up.endpoint_changes.push_back({.reachable = true});
  decided(up);
  EXPECT_FALSE(status().endpoint.down_for);
  EXPECT_EQ(status().endpoint.cause, "");
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_endpoint_outages_total 1"));
}

TEST_F(TelemetryTest, NotificationsCountByKindAndSlowdownsByQuota) {
  Effects effects;
  effects.notified.push_back({.thing = "pump", .notify = true, .notify_next = true, .delay = 12s});
  effects.slowed_down.push_back({.kind = QuotaKind::writes, .per_second = 40});
  decided(effects);
  const auto text = metrics();
  EXPECT_THAT(text, HasSubstr("jobs_bridge_notifications_total{kind=\"notify-next\"} 1"));
  EXPECT_THAT(text, HasSubstr("jobs_bridge_slowdowns_total{quota=\"writes\"} 1"));
  EXPECT_THAT(text, HasSubstr("jobs_bridge_slowdowns_total{quota=\"reads\"} 0"));
  EXPECT_EQ(status().errors[0].code, "throttled");
}

TEST_F(TelemetryTest, APauseIsCountedAndShownOnceByItsQuota) {
  Effects begins;
  begins.paused.push_back({.kind = QuotaKind::reads, .over = false, .length = 60s});
  decided(begins);
  Effects ends;
  ends.paused.push_back({.kind = QuotaKind::reads, .over = true, .length = 5s});
  decided(ends);
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_pauses_total{quota=\"reads\"} 1"));
  EXPECT_THAT(metrics(), HasSubstr("jobs_bridge_pauses_total{quota=\"writes\"} 0"));
  ASSERT_EQ(status().errors.size(), 1U);
  EXPECT_EQ(status().errors[0].code, "paused");
  EXPECT_EQ(status().errors[0].count, 1U);
}

TEST_F(TelemetryTest, NoThingsNameIsInTheMetrics) {
  decide(rejected("very-private-thing", ErrorCode::internal_error));
  EXPECT_THAT(metrics(), Not(HasSubstr("very-private-thing")));
}

}  // namespace
}  // namespace jobs_bridge::admin
