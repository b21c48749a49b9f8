#include "bridge/jobs/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/jobs/json_text.h"
#include "tests/unit/jobs/fixtures.h"

namespace jobs_bridge {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::answer_to;
using testing_support::request_of;
using testing_support::response;

Answer read(Operation operation, std::string body, int status = 200, std::string error_type = {}) {
  return answer_to(request_of(operation), response(status, std::move(body), std::move(error_type)));
}

/// The members of an accepted answer, or the code and text of a rejection.
std::string shown(const Answer& answer) {
  if (const auto* accepted = std::get_if<Accepted>(&answer)) {
    EXPECT_TRUE(json_text::members_of("{" + accepted->members + "}")) << accepted->members;
    return accepted->members;
  }
  const auto& rejection = std::get<Rejection>(answer);
  return std::string(to_string(rejection.code)) + ": " + rejection.message;
}

std::string shown(Operation operation, std::string body, int status = 200) {
  return shown(read(operation, std::move(body), status));
}

const std::string nonsense = "InternalError: the endpoint's answer is not valid";

TEST(AwsAnswerTest, AnExecutionIsPassedOnWithoutTheNameOfItsThing) {
  const std::string rest =
      R"("status":"IN_PROGRESS","queuedAt":1,"startedAt":2,"lastUpdatedAt":2,"versionNumber":2,)"
      R"("executionNumber":1}})";
  for (const auto operation : {Operation::start_next, Operation::describe}) {
    EXPECT_EQ(
        "{" + shown(operation, R"({"execution":{"jobId":"job-1","thingName":"T",)" + rest) + "}",
        R"({"execution":{"jobId":"job-1",)" + rest);
  }
}

TEST(AwsAnswerTest, NoMemberOfAReplyNamesTheThing) {
  EXPECT_EQ(shown(Operation::get_pending,
                  R"({"inProgressJobs":[{"thingName":"T","jobId":"a"}],"queuedJobs":[]})"),
            R"("inProgressJobs":[{"jobId":"a"}],"queuedJobs":[])");
  EXPECT_EQ(shown(Operation::update,
                  R"({"success":true,"data":{"executionState":{"status":"FAILED","thingName":"T"},)"
                  R"("thingName":"T"}})"),
            R"("executionState":{"status":"FAILED"})");
}

TEST(AwsAnswerTest, NothingPendingIsAcceptedWithoutAnExecution) {
  for (const auto operation : {Operation::start_next, Operation::describe}) {
    EXPECT_EQ(shown(operation, "{}"), "");
    for (const auto* none : {"null", "{}", " { } ", R"({"jobId":null})", R"({"thingName":"T"})"}) {
      const auto body = std::string(R"({"execution":)") + none + "}";
      EXPECT_EQ(shown(operation, body), "") << none;
      EXPECT_EQ(shown(operation, R"({"success":true,"data":)" + body + "}"), "") << none;
      EXPECT_EQ(shown(operation, R"({"success":true,"data":{"execution":)" + std::string(none) +
                                     R"(,"note":1}})"),
                R"("note":1)")
          << none;
    }
    EXPECT_EQ(shown(operation, R"({"success":true,"data":{}})"), "");
  }
}

TEST(AwsAnswerTest, PendingListsAreBothThere) {
  EXPECT_EQ(shown(Operation::get_pending, R"({"inProgressJobs":[{"jobId":"a"}],"queuedJobs":[]})"),
            R"("inProgressJobs":[{"jobId":"a"}],"queuedJobs":[])");
  EXPECT_EQ(shown(Operation::get_pending, "{}"), R"("inProgressJobs":[],"queuedJobs":[])");
  EXPECT_EQ(
      shown(Operation::get_pending, R"({"queuedJobs":[{"jobId":"q"}],"inProgressJobs":null})"),
      R"("queuedJobs":[{"jobId":"q"}],"inProgressJobs":[])");
}

TEST(AwsAnswerTest, AnUpdateHasStateAndDocumentOnlyWhenTheEndpointGaveThem) {
  EXPECT_EQ(shown(Operation::update, "{}"), "");
  EXPECT_EQ(
      shown(
          Operation::update,
          R"({"executionState":{"status":"FAILED","versionNumber":3},"jobDocument":"{\"a\":1}"})"),
      R"("executionState":{"status":"FAILED","versionNumber":3},"jobDocument":{"a":1})");
}

TEST(AwsAnswerTest, MembersThatAreNullAreLeftOut) {
  EXPECT_EQ(shown(Operation::describe,
                  R"({"execution":{"jobId":"job-1","startedAt":null,"statusDetails":null}})"),
            R"("execution":{"jobId":"job-1"})");
  EXPECT_EQ(
      shown(Operation::get_pending,
            R"({"queuedJobs":[{"jobId":"j","startedAt":null,"queuedAt":1},{"startedAt":null}]})"),
      R"("queuedJobs":[{"jobId":"j","queuedAt":1},{}],"inProgressJobs":[])");
  EXPECT_EQ(
      shown(Operation::update,
            R"({"executionState":{"statusDetails":null,"status":"FAILED"},"jobDocument":null})"),
      R"("executionState":{"status":"FAILED"})");
}

TEST(AwsAnswerTest, NullsInsideADocumentOrStatusDetailsStay) {
  EXPECT_EQ(shown(Operation::describe,
                  R"({"execution":{"jobDocument":"{\"a\":null}","statusDetails":{"k":null}}})"),
            R"("execution":{"jobDocument":{"a":null},"statusDetails":{"k":null}})");
}

TEST(AwsAnswerTest, TimestampAndTokenAreOursToSet) {
  EXPECT_EQ(shown(Operation::update,
                  R"({"timestamp":1,"clientToken":"other","executionState":{"status":"FAILED"}})"),
            R"("executionState":{"status":"FAILED"})");
  EXPECT_EQ(
      shown(Operation::update, R"({"success":true,"data":{"clientToken":"x","timestamp":5}})"), "");
}

TEST(AwsAnswerTest, A200ThatIsNoAnswerIsAnInternalError) {
  for (const auto operation : every_operation) {
    for (
        const auto* body :
        {"", "<html>hello</html>", "[]", "null", "\"ok\"", "{", R"({"execution":{})",
         R"({"hello":"world"})", R"({"message":"ok"})", "{}{}",
         R"({"Output":{"__type":"com.amazon.coral.service#UnknownOperationException","message":null},"Version":"1.0"})",
         R"({"__type":"InternalFailure"})",
         R"({"execution":{"jobId":"j"},"Output":{"__type":"X"}})"}) {
      EXPECT_EQ(shown(operation, body), nonsense) << body;
    }
  }
}

TEST(AwsAnswerTest, A200WithAnErrorTypeHeaderIsAnInternalError) {
  EXPECT_EQ(shown(read(Operation::update, "{}", 200, "InvalidRequestException")), nonsense);
}

TEST(AwsAnswerTest, MembersOfAnotherTypeThanTheModelsAreNoAnswer) {
  for (const auto* value : {"1", "\"x\"", "[]", "true"}) {
    EXPECT_EQ(shown(Operation::describe, std::string(R"({"execution":)") + value + "}"), nonsense);
    EXPECT_EQ(shown(Operation::update, std::string(R"({"executionState":)") + value + "}"),
              nonsense);
  }
  for (const auto* value : {"1", "\"x\"", "{}", "true", "[1]", "[null]", "[[]]"}) {
    EXPECT_EQ(shown(Operation::get_pending, std::string(R"({"queuedJobs":)") + value + "}"),
              nonsense)
        << value;
  }
}

TEST(AwsAnswerTest, AnAnswerAboutAnotherThingIsNeverPassedOn) {
  for (const auto* name : {R"("U")", R"("t")", R"("")", R"("T ")", R"("\u0055")", "5", R"(["T"])",
                           R"({"a":"T"})", "true", R"("\ud800")"}) {
    const auto naming = std::string(R"({"jobId":"j","thingName":)") + name + "}";
    for (const auto operation : {Operation::start_next, Operation::describe}) {
      EXPECT_EQ(shown(operation, R"({"execution":)" + naming + "}"), nonsense) << name;
      EXPECT_EQ(shown(operation, R"({"success":true,"data":{"execution":)" + naming + "}}"),
                nonsense)
          << name;
    }
    EXPECT_EQ(shown(Operation::get_pending, R"({"queuedJobs":[)" + naming + "]}"), nonsense)
        << name;
    EXPECT_EQ(shown(Operation::update, R"({"success":true,"data":)" + naming + "}"), nonsense)
        << name;
  }
  EXPECT_EQ(shown(Operation::describe, R"({"execution":{"thing\u004eame":"U"}})"), nonsense);
  EXPECT_EQ(shown(Operation::describe, R"({"execution":{"thingName":"U","thingName":"T"}})"),
            nonsense);
  EXPECT_EQ(shown(Operation::describe, R"({"execution":{"thingName":"\u0054","jobId":"job-1"}})"),
            R"("execution":{"jobId":"job-1"})");
}

TEST(AwsAnswerTest, AnotherThingInADocumentIsTheDocumentsBusiness) {
  EXPECT_EQ(shown(Operation::describe, R"({"execution":{"jobDocument":"{\"thingName\":\"U\"}"}})"),
            R"("execution":{"jobDocument":{"thingName":"U"}})");
}

TEST(AwsAnswerTest, ErrorsAreRejections) {
  EXPECT_EQ(shown(read(Operation::describe, R"({"message":"no job"})", 404,
                       "ResourceNotFoundException:http://internal")),
            "ResourceNotFound: no job");
  EXPECT_EQ(
      shown(Operation::update, R"({"__type":"a#InvalidRequestException","Message":"no"})", 400),
      "InvalidRequest: no");
  EXPECT_EQ(shown(Operation::update,
                  R"({"success":"no","message":"over","__type":"TerminalStateException"})", 410),
            "TerminalStateReached: over");
  for (const auto* body : {"", "<html>", "[]", R"("text")", "null"}) {
    EXPECT_THAT(shown(Operation::update, body, 503),
                HasSubstr("InternalError: the endpoint failed: HTTP 503"));
    EXPECT_THAT(shown(Operation::update, body, 403),
                HasSubstr("InternalError: the endpoint refuses the gateway: HTTP 403"));
    EXPECT_THAT(shown(Operation::update, body, 429), HasSubstr("RequestThrottled: "));
  }
}

TEST(AwsAnswerTest, NoAnswerIsAnInternalError) {
  const auto answer = answer_to(request_of(Operation::update),
                                HttpFailure{.kind = HttpFailure::Kind::timeout, .detail = {}});
  EXPECT_EQ(shown(answer), "InternalError: the endpoint did not answer in time");
}

TEST(EnvelopedAnswerTest, DataIsTreatedAsAnAwsAnswer) {
  EXPECT_EQ(
      shown(
          Operation::describe,
          R"({"success":true,"data":{"execution":{"jobId":"job-1","startedAt":null,"jobDocument":"{\"a\": 1}"}}})"),
      R"("execution":{"jobId":"job-1","jobDocument":{"a": 1}})");
  EXPECT_EQ(shown(Operation::get_pending, R"({"data":{"queuedJobs":[]},"success":true})"),
            R"("queuedJobs":[],"inProgressJobs":[])");
  EXPECT_EQ(shown(Operation::update, R"({"success":true,"data":{"jobDocument":{"b":1.0}}})", 201),
            R"("jobDocument":{"b":1.0})");
}

TEST(EnvelopedAnswerTest, SuccessIsTheEndpointsWordWhateverDataHolds) {
  EXPECT_EQ(shown(Operation::update, R"({"success":true,"data":{"note":"j","status":"FAILED"}})"),
            R"("note":"j","status":"FAILED")");
}

TEST(EnvelopedAnswerTest, NoDataIsAnEmptyAnswer) {
  for (const auto* body : {R"({"success":true})", R"({"success":true,"data":null})",
                           R"({"success":true,"data":{}})", R"({"success":true,"error":null})"}) {
    EXPECT_EQ(shown(Operation::update, body), "") << body;
    EXPECT_EQ(shown(Operation::start_next, body), "") << body;
    EXPECT_EQ(shown(Operation::get_pending, body), R"("inProgressJobs":[],"queuedJobs":[])")
        << body;
  }
}

TEST(EnvelopedAnswerTest, DataThatIsNoObjectIsNoAnswer) {
  for (const auto* data : {"[]", "1", "true", R"("{}")", R"([{"execution":{}}])"}) {
    EXPECT_EQ(shown(Operation::describe, std::string(R"({"success":true,"data":)") + data + "}"),
              nonsense)
        << data;
  }
}

TEST(EnvelopedAnswerTest, SuccessThatIsNoBooleanMakesNoEnvelope) {
  for (const auto* success : {"\"true\"", "1", "{}", "null"}) {
    EXPECT_EQ(shown(Operation::update,
                    std::string(R"({"success":)") + success + R"(,"data":{"executionState":{}}})"),
              nonsense)
        << success;
  }
}

TEST(EnvelopedAnswerTest, SuccessWithAFailingStatusIsAFailure) {
  for (const int status : {301, 400, 404, 500, 503}) {
    EXPECT_THAT(shown(Operation::update, R"({"success":true,"data":{}})", status),
                HasSubstr("InternalError: "))
        << status;
  }
}

TEST(EnvelopedAnswerTest, FailureIsARejectionWithItsMessage) {
  EXPECT_EQ(
      shown(Operation::update,
            R"({"success":false,"error":{"code":"VALIDATION_ERROR","message":"status is wrong"}})"),
      "InvalidRequest: status is wrong");
  EXPECT_EQ(shown(Operation::describe,
                  R"({"success":false,"error":{"code":"JOB_NOT_FOUND","message":"gone"}})", 404),
            "ResourceNotFound: gone");
  EXPECT_EQ(
      shown(
          Operation::describe,
          R"({"success":false,"data":{"execution":{}},"error":{"code":"INTERNAL","message":"db"}})",
          500),
      "InternalError: db");
}

TEST(EnvelopedAnswerTest, ARefusalOfTheGatewayKeepsItsTextFromTheDevice) {
  EXPECT_THAT(shown(Operation::describe,
                    R"({"success":false,"error":{"code":"FORBIDDEN","message":"key K1"}})", 403),
              Not(HasSubstr("K1")));
}

}  // namespace
}  // namespace jobs_bridge
