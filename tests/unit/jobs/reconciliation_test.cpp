#include "bridge/jobs/reconciliation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobs/fixtures.h"

namespace jobs_bridge {
namespace {

using testing::HasSubstr;
using testing_support::request_of;
using testing_support::response;

const HttpFailure lost{.kind = HttpFailure::Kind::timeout, .maybe_sent = true, .detail = "timeout"};

Request update(std::string_view payload) {
  return request_of(Operation::update, payload);
}

std::optional<Reconciliation> reconciliation_of(const Request& request, const HttpOutcome& outcome,
                                                bool sent_before = false) {
  const auto answer = read_answer(request, outcome);
  return Reconciliation::of(request, outcome, std::get<Rejection>(answer), sent_before);
}

HttpResponse execution(const std::string& members) {
  return response(200, R"({"execution":{"jobId":"job-1",)" + members + "}}");
}

/// What the device hears if the update's answer was lost and a describe then shows `described`.
std::string heard(const std::string& payload, const HttpOutcome& described) {
  const auto request = update(payload);
  auto reconciliation = reconciliation_of(request, lost);
  const auto step = reconciliation.value().described(request, described);
  if (const auto* next = std::get_if<Reconciliation::Next>(&step)) {
    if (*next == Reconciliation::Next::send_update) return "sends the update again";
    return (*next == Reconciliation::Next::describe ? "asks again: " : "asks later: ") +
           reconciliation->call(request).target;
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
  const auto request = update(R"({"status":"SUCCEEDED"})");
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
  const auto request = update(R"({"status":"IN_PROGRESS","executionNumber":2})");
  auto reconciliation = reconciliation_of(
      request, response(409, R"({"message":"no"})", "InvalidStateTransitionException"));
  ASSERT_TRUE(reconciliation);
  const auto call = reconciliation->call(request);
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.target, "/things/T/jobs/job-1?executionNumber=2&includeJobDocument=false");
  const auto verdict = reconciliation->described(
      request, execution(R"("status":"SUCCEEDED","statusDetails":{"a":"b"},"versionNumber":3)"));
  const auto& rejection = std::get<Rejection>(std::get<Answer>(verdict));
  EXPECT_EQ(rejection.code, ErrorCode::invalid_state_transition);
  EXPECT_EQ(rejection.message, "no");
  EXPECT_EQ(rejection.execution_state,
            R"({"status":"SUCCEEDED","statusDetails":{"a":"b"},"versionNumber":3})");
}

TEST(ReconciliationTest, TheVersionTellsAMismatchFromAWrongState) {
  const auto request = update(R"({"status":"IN_PROGRESS","expectedVersion":"7"})");
  for (const auto& [version, code] : {std::pair("3", ErrorCode::version_mismatch),
                                      std::pair("7", ErrorCode::invalid_state_transition)}) {
    auto reconciliation = reconciliation_of(
        request, response(409, R"({"message":"conflict"})", "InvalidStateTransitionException"));
    const auto verdict = reconciliation.value().described(
        request, execution(R"("status":"IN_PROGRESS","versionNumber":)" + std::string(version)));
    EXPECT_EQ(std::get<Rejection>(std::get<Answer>(verdict)).code, code);
  }
}

TEST(ReconciliationTest, ARefusalStandsWithoutAStateIfTheDescribeFails) {
  const auto request = update(R"({"status":"IN_PROGRESS"})");
  auto reconciliation =
      reconciliation_of(request, response(409, "{}", "InvalidStateTransitionException"));
  for (int look = 1; look < 3; ++look) {
    const auto step = reconciliation.value().described(request, response(500, "{}"));
    EXPECT_EQ(std::get<Reconciliation::Next>(step), Reconciliation::Next::describe_later);
  }
  const auto verdict = reconciliation.value().described(request, response(500, "{}"));
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
  const auto request = update(R"({"status":"SUCCEEDED","expectedVersion":4})");
  for (const auto& refusal :
       {response(409, R"({"message":"Expected version 4"})", "InvalidStateTransitionException"),
        response(410, "{}", "TerminalStateException")}) {
    auto reconciliation = reconciliation_of(request, refusal, true);
    const auto applied = reconciliation.value().described(
        request, execution(R"("status":"SUCCEEDED","versionNumber":5)"));
    EXPECT_TRUE(std::holds_alternative<Accepted>(std::get<Answer>(applied)));
    reconciliation = reconciliation_of(request, refusal, true);
    const auto other = reconciliation.value().described(
        request, execution(R"("status":"CANCELED","versionNumber":5)"));
    EXPECT_TRUE(std::holds_alternative<Rejection>(std::get<Answer>(other)));
  }
}

TEST(ReconciliationTest, ARefusalOfOurOwnRepeatForAnotherReasonCarriesNoState) {
  const auto request = update(R"({"status":"SUCCEEDED"})");
  auto reconciliation = reconciliation_of(request, response(410, "{}", "TerminalStateException"),
                                          /*sent_before=*/true);
  const auto verdict = reconciliation.value().described(
      request, execution(R"("status":"IN_PROGRESS","versionNumber":4)"));
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
  const auto request = update(R"({"status":"FAILED"})");
  auto reconciliation = reconciliation_of(request, lost);
  const auto step = reconciliation.value().described(
      request, execution(R"("status":"QUEUED","versionNumber":1,"executionNumber":2)"));
  EXPECT_EQ(std::get<Reconciliation::Next>(step), Reconciliation::Next::describe);
  EXPECT_EQ(reconciliation->call(request).target,
            "/things/T/jobs/job-1?executionNumber=1&includeJobDocument=false");
  const auto verdict = reconciliation->described(
      request, execution(R"("status":"FAILED","versionNumber":3,"executionNumber":1)"));
  EXPECT_TRUE(std::holds_alternative<Accepted>(std::get<Answer>(verdict)));
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

TEST(ReconciliationTest, WhatCannotBeFoundOutAtAllIsSaidToBeUnknown) {
  EXPECT_THAT(heard(R"({"status":"SUCCEEDED"})", response(403, "{}", "AccessDeniedException")),
              testing::AllOf(HasSubstr("InternalError"), HasSubstr("not known")));
}

}  // namespace
}  // namespace jobs_bridge
