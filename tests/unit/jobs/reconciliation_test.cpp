#include "bridge/jobs/reconciliation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bridge/jobs/call.h"
#include "tests/unit/jobs/fixtures.h"

namespace jobs_bridge {
namespace {

using testing::HasSubstr;
using testing_support::request_of;
using testing_support::response;

const HttpFailure lost{.kind = HttpFailure::Kind::timeout, .maybe_sent = true, .detail = "timeout"};

Request update_of(std::string_view payload) {
  return request_of(Operation::update, payload);
}

std::optional<Reconciliation> reconciliation_of(const Request& request, const HttpOutcome& outcome,
                                                bool sent_before = false) {
  return Reconciliation::of(request, read_outcome(request, outcome), sent_before);
}

/// What a describe that ends so makes of it.
auto described_by(Reconciliation& reconciliation, const Request& update, const HttpOutcome& outcome,
                  const Reconciliation::Evidence& evidence = {}) {
  return reconciliation.described(update, read_outcome(reconciliation.describe(update), outcome),
                                  evidence);
}

HttpResponse execution(const std::string& members) {
  return response(200, R"({"execution":{"jobId":"job-1",)" + members + "}}");
}

/// What the device hears if the update's answer was lost and a describe then shows `described`.
std::string heard(const std::string& payload, const HttpOutcome& described) {
  const auto request = update_of(payload);
  auto reconciliation = reconciliation_of(request, lost);
  const auto step = described_by(reconciliation.value(), request, described);
  if (const auto* next = std::get_if<Reconciliation::Next>(&step)) {
    if (*next == Reconciliation::Next::send_update) return "sends the update again";
    return (*next == Reconciliation::Next::describe ? "asks again: " : "asks later: ") +
           build_call(reconciliation->describe(request)).target;
  }
  const auto& verdict = std::get<Answer>(step);
  if (const auto* accepted = std::get_if<Accepted>(&verdict)) {
    return "accepted {" + accepted->members + "}";
  }
  const auto& rejection = std::get<Rejection>(verdict);
  return std::string(to_string(rejection.code)) + ": " + rejection.message +
         rejection.execution_state;
}

TEST(ReconciliationTest, OnlyWhatIsOpenIsLookedInto) {
  const auto request = update_of(R"({"status":"SUCCEEDED"})");
  EXPECT_TRUE(reconciliation_of(request, lost));
  EXPECT_TRUE(reconciliation_of(request, response(503, "<html>")));
  EXPECT_TRUE(reconciliation_of(request, response(200, "garbage")));
  EXPECT_TRUE(reconciliation_of(request, response(409, "{}", "InvalidStateTransitionException")));

  auto unsent = lost;
  unsent.maybe_sent = false;
  EXPECT_FALSE(reconciliation_of(request, unsent)) << "no byte of it had left";
  const HttpFailure stopped{.kind = HttpFailure::Kind::stopped, .detail = {}};
  EXPECT_FALSE(reconciliation_of(request, stopped)) << "there is no time";
  EXPECT_FALSE(reconciliation_of(request, response(403, "{}", "AccessDeniedException")));
  EXPECT_FALSE(reconciliation_of(request, response(404, "{}", "ResourceNotFoundException")));
  EXPECT_FALSE(reconciliation_of(request, response(429, "{}", "ThrottlingException")));
  EXPECT_FALSE(reconciliation_of(request_of(Operation::start_next), lost))
      << "changes nothing twice";
}

TEST(ReconciliationTest, ARefusalForTheStateCarriesTheState) {
  const auto request = update_of(R"({"status":"IN_PROGRESS","executionNumber":2})");
  auto reconciliation = reconciliation_of(
      request, response(409, R"({"message":"no"})", "InvalidStateTransitionException"));
  ASSERT_TRUE(reconciliation);
  const auto call = build_call(reconciliation->describe(request));
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.target, "/things/T/jobs/job-1?executionNumber=2&includeJobDocument=false");
  const auto verdict = described_by(
      *reconciliation, request,
      execution(R"("status":"SUCCEEDED","statusDetails":{"a":"b"},"versionNumber":3)"));
  const auto& rejection = std::get<Rejection>(std::get<Answer>(verdict));
  EXPECT_EQ(rejection.code, ErrorCode::invalid_state_transition);
  EXPECT_EQ(rejection.message, "no");
  EXPECT_EQ(rejection.execution_state,
            R"({"status":"SUCCEEDED","statusDetails":{"a":"b"},"versionNumber":3})");
}

TEST(ReconciliationTest, TheVersionTellsAMismatchFromAWrongState) {
  const auto request = update_of(R"({"status":"IN_PROGRESS","expectedVersion":"7"})");
  for (const auto& [version, code] : {std::pair("3", ErrorCode::version_mismatch),
                                      std::pair("7", ErrorCode::invalid_state_transition)}) {
    auto reconciliation = reconciliation_of(
        request, response(409, R"({"message":"conflict"})", "InvalidStateTransitionException"));
    const auto verdict = described_by(
        reconciliation.value(), request,
        execution(R"("status":"IN_PROGRESS","versionNumber":)" + std::string(version)));
    EXPECT_EQ(std::get<Rejection>(std::get<Answer>(verdict)).code, code);
  }
}

TEST(ReconciliationTest, ARefusalStandsWithoutAStateIfTheDescribeFails) {
  const auto request = update_of(R"({"status":"IN_PROGRESS"})");
  auto reconciliation =
      reconciliation_of(request, response(409, "{}", "InvalidStateTransitionException"));
  for (int look = 1; look < 3; ++look) {
    const auto step = described_by(reconciliation.value(), request, response(500, "{}"));
    EXPECT_EQ(std::get<Reconciliation::Next>(step), Reconciliation::Next::describe_later);
  }
  const auto verdict = described_by(reconciliation.value(), request, response(500, "{}"));
  const auto& rejection = std::get<Rejection>(std::get<Answer>(verdict));
  EXPECT_EQ(rejection.code, ErrorCode::invalid_state_transition);
  EXPECT_EQ(rejection.execution_state, "");
}

TEST(ReconciliationTest, AnUpdateThatWasAppliedIsAccepted) {
  const auto done = execution(R"("status":"SUCCEEDED","statusDetails":{"b":"2","a":"1\u0041"},)"
                              R"("versionNumber":5,"executionNumber":1)");
  EXPECT_EQ(heard(R"({"status":"SUCCEEDED"})", done), "accepted {}");
  EXPECT_EQ(heard(R"({"status":"SUCCEEDED","expectedVersion":4})", done), "accepted {}");
  EXPECT_EQ(heard(R"({"status":"SUCCEEDED","statusDetails":{"a":"1A","b":"2"}})", done),
            "accepted {}");
  EXPECT_EQ(heard(R"({"status":"SUCCEEDED","includeJobExecutionState":true})", done),
            R"(accepted {"executionState":{"status":"SUCCEEDED",)"
            R"("statusDetails":{"b":"2","a":"1\u0041"},"versionNumber":5}})");
  EXPECT_EQ(heard(R"({"status":"SUCCEEDED","includeJobDocument":true})",
                  execution(R"("status":"SUCCEEDED","jobDocument":"{\"x\": 1}")")),
            R"(accepted {"jobDocument":{"x": 1}})");
}

TEST(ReconciliationTest, AnUpdateThatWasNotAppliedIsSentAgain) {
  const auto before = execution(R"("status":"IN_PROGRESS","versionNumber":4)");
  for (const std::string payload :
       {R"({"status":"SUCCEEDED"})", R"({"status":"IN_PROGRESS","expectedVersion":4})",
        R"({"status":"IN_PROGRESS","statusDetails":{"step":"2"}})"}) {
    EXPECT_EQ(heard(payload, before), "sends the update again");
  }
}

TEST(ReconciliationTest, AStepTimerThatCannotBeSeenIsSetAgain) {
  const auto before = execution(R"("status":"IN_PROGRESS","versionNumber":4)");
  EXPECT_EQ(heard(R"({"status":"IN_PROGRESS","stepTimeoutInMinutes":5})", before),
            "sends the update again");
  EXPECT_EQ(
      heard(R"({"status":"IN_PROGRESS","stepTimeoutInMinutes":5,"expectedVersion":3})", before),
      "accepted {}");
}

TEST(ReconciliationTest, ARefusalOfOurOwnRepeatIsNoneIfTheExecutionIsAsWanted) {
  const auto request = update_of(R"({"status":"SUCCEEDED","expectedVersion":4})");
  for (const auto& refusal :
       {response(409, R"({"message":"Expected version 4"})", "InvalidStateTransitionException"),
        response(410, "{}", "TerminalStateException")}) {
    auto reconciliation = reconciliation_of(request, refusal, true);
    const auto applied = described_by(reconciliation.value(), request,
                                      execution(R"("status":"SUCCEEDED","versionNumber":5)"));
    EXPECT_TRUE(std::holds_alternative<Accepted>(std::get<Answer>(applied)));
    reconciliation = reconciliation_of(request, refusal, true);
    const auto other = described_by(reconciliation.value(), request,
                                    execution(R"("status":"CANCELED","versionNumber":5)"));
    EXPECT_TRUE(std::holds_alternative<Rejection>(std::get<Answer>(other)));
  }
}

TEST(ReconciliationTest, ARefusalOfOurOwnRepeatForAnotherReasonCarriesNoState) {
  const auto request = update_of(R"({"status":"SUCCEEDED"})");
  auto reconciliation = reconciliation_of(request, response(410, "{}", "TerminalStateException"),
                                          /*sent_before=*/true);
  const auto verdict = described_by(reconciliation.value(), request,
                                    execution(R"("status":"IN_PROGRESS","versionNumber":4)"));
  const auto& rejection = std::get<Rejection>(std::get<Answer>(verdict));
  EXPECT_EQ(rejection.code, ErrorCode::terminal_state_reached);
  EXPECT_EQ(rejection.execution_state, "");
}

TEST(ReconciliationTest, AnExecutionThatEndedOtherwiseIsAnInvalidTransition) {
  EXPECT_EQ(
      heard(R"({"status":"SUCCEEDED"})", execution(R"("status":"TIMED_OUT","versionNumber":4)")),
      "InvalidStateTransition: the execution has ended with status TIMED_OUT"
      R"({"status":"TIMED_OUT","versionNumber":4})");
}

TEST(ReconciliationTest, AFailureThatStartedARetryIsFoundInTheExecutionBefore) {
  const auto request = update_of(R"({"status":"FAILED"})");
  auto reconciliation = reconciliation_of(request, lost);
  const auto step =
      described_by(reconciliation.value(), request,
                   execution(R"("status":"QUEUED","versionNumber":1,"executionNumber":2)"));
  EXPECT_EQ(std::get<Reconciliation::Next>(step), Reconciliation::Next::describe);
  EXPECT_EQ(build_call(reconciliation->describe(request)).target,
            "/things/T/jobs/job-1?executionNumber=1&includeJobDocument=false");
  const auto verdict =
      described_by(*reconciliation, request,
                   execution(R"("status":"FAILED","versionNumber":3,"executionNumber":1)"));
  EXPECT_TRUE(std::holds_alternative<Accepted>(std::get<Answer>(verdict)));
}

/// What is made of an update to FAILED whose call broke, if describes show the latest execution
/// and, by number, those before it.
std::string fate_of(const std::string& payload, const std::vector<std::string>& executions,
                    const Reconciliation::Evidence& evidence) {
  const auto request = update_of(payload);
  auto reconciliation = reconciliation_of(request, lost);
  std::string looks;
  while (true) {
    const auto number = reconciliation.value().describe(request).execution_number;
    const auto at = number ? static_cast<std::size_t>(*number) : executions.size();
    looks += std::to_string(at) + " ";
    if (at < 1 || at > executions.size()) return looks + "does not exist";
    const auto step = described_by(
        *reconciliation, request,
        execution(executions[at - 1] + R"(,"executionNumber":)" + std::to_string(at)), evidence);
    if (const auto* answer = std::get_if<Answer>(&step)) {
      const auto* rejection = std::get_if<Rejection>(answer);
      return looks + (rejection == nullptr ? "accepted" : std::string(to_string(rejection->code)));
    }
    if (std::get<Reconciliation::Next>(step) == Reconciliation::Next::send_update) {
      EXPECT_EQ(reconciliation->latest_execution(), executions.size());
      return looks + "sent again";
    }
    if (std::get<Reconciliation::Next>(step) != Reconciliation::Next::describe) return looks + "?";
  }
}

std::string failed_at(int second, int version = 2, const std::string& more = {}) {
  return R"("status":"FAILED","lastUpdatedAt":)" + std::to_string(second) + R"(,"versionNumber":)" +
         std::to_string(version) + more;
}
std::string queued_at(int second) {
  return R"("status":"QUEUED","versionNumber":1,"queuedAt":)" + std::to_string(second);
}

TEST(FailureReconciliationTest, AnExecutionQueuedBeforeTheUpdateWasSentIsTheOneThatItIsFor) {
  const std::string failed = R"({"status":"FAILED"})";
  const Reconciliation::Evidence evidence{.first_sent = 1000.5};
  EXPECT_EQ(fate_of(failed, {failed_at(900), queued_at(900)}, evidence), "2 sent again");
  EXPECT_EQ(fate_of(failed, {failed_at(999), queued_at(999)}, evidence), "2 sent again");
  EXPECT_EQ(fate_of(failed, {failed_at(1001), queued_at(1001)}, evidence), "2 1 accepted");
  EXPECT_EQ(fate_of(failed, {failed_at(1000), queued_at(1000)}, evidence), "2 1 accepted")
      << "it may have been in either half of the second";
}

TEST(FailureReconciliationTest, AnEarlierLookTellsWhichExecutionItIsFor) {
  const std::string failed = R"({"status":"FAILED"})";
  const std::vector<std::string> two = {failed_at(1000), queued_at(1000)};
  EXPECT_EQ(fate_of(failed, two, {.first_sent = 1000.5, .execution = 2}), "2 sent again");
  EXPECT_EQ(fate_of(failed, two, {.first_sent = 1000.5, .execution = 1}), "2 1 accepted");
  EXPECT_EQ(fate_of(failed, two, {.first_sent = 1000.5, .failures_before = 1, .execution = 1}),
            "2 1 accepted");
}

TEST(FailureReconciliationTest,
     AnExecutionThatIsNotThereYetIsOfAnEarlierJobOfThatNameAndTellsNothing) {
  const std::string failed = R"({"status":"FAILED"})";
  EXPECT_EQ(
      fate_of(failed, {failed_at(1001), queued_at(1001)}, {.first_sent = 1000.5, .execution = 8}),
      "2 1 accepted");
  EXPECT_EQ(
      fate_of(failed, {failed_at(900), queued_at(900)}, {.first_sent = 1000.5, .execution = 8}),
      "2 sent again");
}

TEST(FailureReconciliationTest, AFailureThatWasAcceptedJustBeforeExplainsOneExecution) {
  const std::string failed = R"({"status":"FAILED"})";
  const Reconciliation::Evidence one{
      .first_sent = 1000.5, .failures_before = 1, .seconds_before = 10};
  EXPECT_EQ(fate_of(failed, {failed_at(1000), queued_at(1000)}, one), "2 1 sent again");
  EXPECT_EQ(fate_of(failed, {failed_at(1000), failed_at(1000), queued_at(1000)}, one),
            "3 2 1 accepted")
      << "one failure was accepted, and two executions have failed";
  EXPECT_EQ(fate_of(failed, {failed_at(500), failed_at(1000), queued_at(1000)}, one),
            "3 2 1 sent again");
  const Reconciliation::Evidence two{
      .first_sent = 1000.5, .failures_before = 2, .seconds_before = 10};
  EXPECT_EQ(fate_of(failed, {failed_at(999), failed_at(1000), queued_at(1000)}, two),
            "3 2 sent again");
}

TEST(FailureReconciliationTest, AnotherUpdatesFailureIsNotThisOnes) {
  const Reconciliation::Evidence evidence{.first_sent = 1000.5};
  EXPECT_EQ(fate_of(R"({"status":"FAILED","expectedVersion":1})",
                    {failed_at(1000, 3), queued_at(1000)}, evidence),
            "2 1 sent again");
  EXPECT_EQ(fate_of(R"({"status":"FAILED","expectedVersion":2})",
                    {failed_at(1000, 3), queued_at(1000)}, evidence),
            "2 1 accepted");
  const auto other = failed_at(1000, 2, R"(,"statusDetails":{"step":"1"})");
  EXPECT_EQ(fate_of(R"({"status":"FAILED","statusDetails":{"step":"2"}})", {other, queued_at(1000)},
                    evidence),
            "2 1 sent again");
  EXPECT_EQ(fate_of(R"({"status":"FAILED","statusDetails":{"step":"1"}})", {other, queued_at(1000)},
                    evidence),
            "2 1 accepted");
}

TEST(FailureReconciliationTest, AnUpdateThatNamesItsExecutionIsAboutThatOne) {
  for (const auto* payload : {R"({"status":"FAILED","executionNumber":2})",
                              R"({"status":"FAILED","executionNumber":2,"expectedVersion":1})"}) {
    EXPECT_EQ(fate_of(payload, {failed_at(1000), queued_at(1000)}, {}), "2 sent again");
    EXPECT_EQ(fate_of(payload, {failed_at(1000), failed_at(1000)}, {}), "2 accepted");
  }
}

TEST(FailureReconciliationTest, AnExecutionThatEndedOtherwiseIsAnInvalidTransition) {
  EXPECT_EQ(
      fate_of(R"({"status":"FAILED"})",
              {R"("status":"TIMED_OUT","versionNumber":2,"lastUpdatedAt":1001)", queued_at(1001)},
              {.first_sent = 1000.5}),
      "2 1 InvalidStateTransition");
}

/// Then the answer counts as lost, by far the likelier case.
TEST(FailureReconciliationTest, WithoutAProperStampOrAClockTheFailureBeforeCountsAsThisOnes) {
  const std::string failed = R"({"status":"FAILED"})";
  for (const auto* queued :
       {R"("status":"QUEUED")", R"("status":"QUEUED","queuedAt":"900")",
        R"("status":"QUEUED","queuedAt":null)", R"("status":"QUEUED","queuedAt":9e99)"}) {
    EXPECT_EQ(fate_of(failed, {failed_at(900), queued}, {.first_sent = 1000.5}), "2 1 accepted");
  }
  EXPECT_EQ(fate_of(failed, {failed_at(900), queued_at(900)}, {}), "2 1 accepted");
  EXPECT_EQ(fate_of(failed, {failed_at(900), R"("status":"QUEUED","queuedAt":900.75)"},
                    {.first_sent = 1000.5}),
            "2 sent again");
}

TEST(ReconciliationTest, AnExecutionThatIsGoneIsNotFound) {
  EXPECT_THAT(heard(R"({"status":"SUCCEEDED"})",
                    response(404, R"({"message":"gone"})", "ResourceNotFoundException")),
              HasSubstr("ResourceNotFound: gone"));
}

TEST(ReconciliationTest, AnEndpointThatDoesNotDescribeWhatIsFinishedHasFinishedIt) {
  const auto finished = response(410, R"({"message":"finished"})", "TerminalStateException");
  EXPECT_EQ(heard(R"({"status":"SUCCEEDED"})", finished), "accepted {}");
  EXPECT_THAT(heard(R"({"status":"IN_PROGRESS"})", finished), HasSubstr("InvalidStateTransition"));
}

TEST(ReconciliationTest, WhatCannotBeFoundOutNowIsAskedForLater) {
  for (const HttpOutcome& described :
       {HttpOutcome(lost), HttpOutcome(response(500, "{}")), HttpOutcome(response(200, "{}")),
        HttpOutcome(response(429, "{}")), HttpOutcome(execution(R"("versionNumber":4)")),
        HttpOutcome(response(200, R"({"execution":{"jobId":"other","status":"SUCCEEDED"}})"))}) {
    EXPECT_THAT(heard(R"({"status":"SUCCEEDED"})", described), HasSubstr("asks later"));
  }
}

TEST(ReconciliationTest, WhatTheGatewayMayNotAskIsAskedForLaterSinceAPolicyCanBeCorrected) {
  EXPECT_THAT(heard(R"({"status":"SUCCEEDED"})", response(403, "{}", "AccessDeniedException")),
              HasSubstr("asks later"));
}

TEST(ReconciliationTest, WhatCannotBeFoundOutAtAllIsSaidToBeUnknown) {
  EXPECT_THAT(heard(R"({"status":"SUCCEEDED"})", response(400, "{}")),
              testing::AllOf(HasSubstr("InternalError"), HasSubstr("not known")));
}

}  // namespace
}  // namespace jobs_bridge
