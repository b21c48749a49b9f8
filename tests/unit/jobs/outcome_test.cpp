#include "bridge/jobs/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "tests/unit/jobs/fixtures.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing_support::answer_to;
using testing_support::request_of;
using testing_support::response;

Outcome outcome_of(const HttpOutcome& outcome) {
  return read_outcome(request_of(Operation::update), outcome);
}

Rejection aws_error(int status, const std::string& error_type, const std::string& body) {
  return std::get<Rejection>(outcome_of(response(status, body, error_type)).answer);
}

Rejection enveloped_error(int status, const std::string& body) {
  return aws_error(status, {}, body);
}

std::string code_of(const Rejection& rejection) {
  return std::string(to_string(rejection.code));
}

std::string said(std::string_view message) {
  return R"({"message":")" + std::string(message) + "\"}";
}

struct Row {
  int status;
  std::string error_type;
  std::string message;
  std::string code;
};

TEST(AwsErrorTest, WhatConcernsTheRequestKeepsItsMeaningAndMessage) {
  for (const auto& row : {
           Row{400, "InvalidRequestException", "bad details", "InvalidRequest"},
           Row{400, "ValidationException", "bad details", "InvalidRequest"},
           Row{400, "SerializationException", "bad details", "InvalidRequest"},
           Row{404, "ResourceNotFoundException", "no such job", "ResourceNotFound"},
           Row{409, "InvalidStateTransitionException", "SUCCEEDED to FAILED",
               "InvalidStateTransition"},
           Row{409, "InvalidStateTransitionException", "Expected version 99 but found version 1",
               "VersionMismatch"},
           Row{400, "InvalidStateTransitionException", "Expected version 99 but found version 1",
               "VersionMismatch"},
           Row{409, "ConflictException", "conflict", "InvalidStateTransition"},
           Row{409, "VersionConflictException", "conflict", "VersionMismatch"},
           Row{409, "SomethingNewException", "conflict", "InvalidStateTransition"},
           Row{410, "TerminalStateException", "over", "TerminalStateReached"},
           Row{429, "ThrottlingException", "Rate exceeded", "RequestThrottled"},
           Row{429, "", "Rate exceeded", "RequestThrottled"},
           Row{429, "InvalidRequestException", "Rate exceeded", "RequestThrottled"},
           Row{400, "ThrottlingException", "Rate exceeded", "RequestThrottled"},
           Row{503, "Throttling", "Rate exceeded", "RequestThrottled"},
           Row{400, "TooManyRequestsException", "Rate exceeded", "RequestThrottled"},
       }) {
    const auto rejection = aws_error(row.status, row.error_type, said(row.message));
    EXPECT_EQ(code_of(rejection), row.code) << row.status << " " << row.error_type;
    EXPECT_EQ(rejection.message, row.message) << row.status << " " << row.error_type;
  }
}

TEST(AwsErrorTest, WhatIsTheGatewaysOrTheEndpointsFaultIsInternalErrorWithoutItsText) {
  const std::string secret = "User: arn:aws:sts::123456789012:assumed-role/gw is not authorized";
  for (const auto& row : {
           Row{400, "CertificateValidationException", secret, ""},
           Row{401, "", secret, ""},
           Row{401, "InvalidRequestException", secret, ""},
           Row{403, "AccessDeniedException", secret, ""},
           Row{403, "UnrecognizedClientException", secret, ""},
           Row{403, "InvalidSignatureException", secret, ""},
           Row{403, "ExpiredTokenException", secret, ""},
           Row{403, "MissingAuthenticationTokenException", secret, ""},
           Row{403, "IncompleteSignatureException", secret, ""},
           Row{400, "UnrecognizedClientException", secret, ""},
           Row{400, "IncompleteSignatureException", secret, ""},
           Row{403, "ResourceNotFoundException", secret, ""},
           Row{404, "UnknownOperationException", secret, ""},
           Row{404, "", secret, ""},
           Row{409, "", secret, ""},
           Row{410, "", secret, ""},
           Row{400, "", secret, ""},
           Row{402, "ServiceQuotaExceededException", secret, ""},
           Row{500, "InternalServerException", secret, ""},
           Row{500, "InvalidRequestException", secret, ""},
           Row{502, "", secret, ""},
           Row{503, "ServiceUnavailableException", secret, ""},
           Row{503, "ResourceNotFoundException", secret, ""},
           Row{504, "", secret, ""},
           Row{301, "", secret, ""},
           Row{100, "", secret, ""},
       }) {
    const auto rejection = aws_error(row.status, row.error_type, said(secret));
    EXPECT_EQ(code_of(rejection), "InternalError") << row.status << " " << row.error_type;
    EXPECT_THAT(rejection.message, Not(HasSubstr("arn:"))) << row.status << " " << row.error_type;
    EXPECT_THAT(rejection.message, HasSubstr(std::to_string(row.status)));
    EXPECT_THAT(rejection.message, HasSubstr(row.error_type));
    EXPECT_EQ(rejection.detail, secret);
  }
}

TEST(AwsErrorTest, ARefusalThrottledTooNeverPassesItsTextOn) {
  for (const int status : {401, 403}) {
    const auto rejection = aws_error(status, "ThrottlingException", said("account 123456789012"));
    EXPECT_EQ(code_of(rejection), "RequestThrottled");
    EXPECT_THAT(rejection.message, Not(HasSubstr("123456789012")));
    EXPECT_THAT(rejection.detail, HasSubstr("123456789012"));
  }
}

/// AWS tells what it signed when a signature is wrong, the token among it.
TEST(AwsErrorTest, SessionTokenThatARefusalRepeatsReachesNeitherDeviceNorOperator) {
  for (const auto* header : {"x-amz-security-token:", "X-Amz-Security-Token="}) {
    const auto body = std::string(R"({"message":)") +
                      R"("The signature does not match. The Canonical String is 'PUT\n)" + header +
                      R"(IQoJb3JpZ2lu\n\n'"})";
    for (const int status : {400, 403, 409, 429}) {
      const auto rejection = aws_error(status, "InvalidSignatureException", body);
      EXPECT_THAT(rejection.message + rejection.detail, Not(HasSubstr("IQoJb3JpZ2lu"))) << status;
    }
    EXPECT_THAT(aws_error(403, "InvalidSignatureException", body).detail,
                HasSubstr("The signature does not match."));
  }
}

TEST(AwsErrorTest, TheNameIsLookedForInHeaderThenCodeThenType) {
  const auto code = [](const std::string& header, const std::string& body) {
    return code_of(aws_error(400, header, body));
  };
  const std::string all =
      R"({"__type":"ThrottlingException","Code":"ValidationException","code":"ResourceNotFoundException"})";
  EXPECT_EQ(code("InvalidRequestException", all), "InvalidRequest");
  EXPECT_EQ(code("", all), "ResourceNotFound");
  EXPECT_EQ(code("", R"({"__type":"ThrottlingException","Code":"ValidationException"})"),
            "InvalidRequest");
  EXPECT_EQ(code("", R"({"__type":"ThrottlingException"})"), "RequestThrottled");
  EXPECT_EQ(code("", R"({"__type":"ThrottlingException","code":null})"), "RequestThrottled");
  EXPECT_EQ(code("", R"({"__type":"ThrottlingException","code":17})"), "RequestThrottled");
}

TEST(AwsErrorTest, TheNameIsStrippedOfNamespaceAndAddress) {
  for (const auto* name : {"ResourceNotFoundException", "aws.iot.jobs#ResourceNotFoundException",
                           "ResourceNotFoundException:http://internal.amazon.com/coral/com.amazon/",
                           "com.amazon#ResourceNotFoundException:http://internal.amazon.com/x#y"}) {
    EXPECT_EQ(code_of(aws_error(404, name, "{}")), "ResourceNotFound") << name;
    EXPECT_EQ(code_of(aws_error(404, "", R"({"__type":")" + std::string(name) + "\"}")),
              "ResourceNotFound")
        << name;
    EXPECT_EQ(code_of(aws_error(404, "", R"({"code":")" + std::string(name) + "\"}")),
              "ResourceNotFound")
        << name;
  }
}

TEST(AwsErrorTest, TheMessageIsInEitherSpellingOrMissing) {
  const auto message = [](const std::string& body) {
    return aws_error(400, "InvalidRequestException", body).message;
  };
  EXPECT_EQ(message(R"({"message":"m"})"), "m");
  EXPECT_EQ(message(R"({"Message":"M"})"), "M");
  EXPECT_EQ(message(R"({"message":null,"Message":"M"})"), "M");
  EXPECT_EQ(message(R"({"message":"a\u00e9\n"})"), "a\xC3\xA9\n");
  for (const auto* body : {"", "{}", R"({"message":null})", R"({"message":""})",
                           R"({"message":{"a":1}})", "<html>Bad Request</html>"}) {
    EXPECT_EQ(message(body), "the endpoint gave no reason") << body;
  }
}

TEST(AwsErrorTest, LongTextsAreCutBetweenCharacters) {
  std::string text = "a";
  for (int i = 0; i < 3000; ++i) text += "\xE2\x82\xAC";
  for (const auto& rejection :
       {aws_error(400, "InvalidRequestException", said(text)),
        enveloped_error(200, R"({"success":false,"error":{"code":"VALIDATION_ERROR","message":")" +
                                 text + "\"}}")}) {
    EXPECT_LE(rejection.message.size(), 1024U);
    EXPECT_GT(rejection.message.size(), 1000U);
    EXPECT_EQ(text.compare(0, rejection.message.size(), rejection.message), 0);
    EXPECT_EQ(rejection.message.size() % 3, 1U) << "half a character at the end";
  }
  const auto named = aws_error(500, std::string(5000, 'X'), "");
  EXPECT_LT(named.message.size(), 256U);
}

std::string error_body(std::string_view code, std::string_view message = "because") {
  return R"({"success":false,"error":{"code":")" + std::string(code) + R"(","message":")" +
         std::string(message) + "\"}}";
}

TEST(EnvelopedErrorTest, CodesAreMappedIntoTheClosedSet) {
  const std::pair<const char*, const char*> rows[] = {
      {"VALIDATION_ERROR", "InvalidRequest"},
      {"NOT_FOUND", "ResourceNotFound"},
      {"JOB_NOT_FOUND", "ResourceNotFound"},
      {"NOT_FOUND_ERROR", "ResourceNotFound"},
      {"job_not_found", "ResourceNotFound"},
      {"THROTTLED", "RequestThrottled"},
      {"REQUEST_THROTTLED", "RequestThrottled"},
      {"THROTTLING", "RequestThrottled"},
      {"RATE_LIMITED", "RequestThrottled"},
      {"RATE_LIMIT_EXCEEDED", "RequestThrottled"},
      {"UNAUTHORIZED", "InternalError"},
      {"FORBIDDEN", "InternalError"},
      {"INTERNAL", "InternalError"},
      {"INTERNAL_ERROR", "InternalError"},
      {"SOMETHING_ELSE", "InternalError"},
      {"SEPARATE", "InternalError"},
      {"", "InternalError"},
      // The nine codes and AWS's names mean what they say, in either spelling.
      {"InvalidRequest", "InvalidRequest"},
      {"INVALID_REQUEST", "InvalidRequest"},
      {"InvalidStateTransition", "InvalidStateTransition"},
      {"INVALID_STATE_TRANSITION", "InvalidStateTransition"},
      {"VersionMismatch", "VersionMismatch"},
      {"VERSION_MISMATCH", "VersionMismatch"},
      {"TERMINAL_STATE_REACHED", "TerminalStateReached"},
      {"ResourceNotFound", "ResourceNotFound"},
      {"ResourceNotFoundException", "ResourceNotFound"},
      {"InvalidStateTransitionException", "InvalidStateTransition"},
      {"TerminalStateException", "TerminalStateReached"},
      {"ThrottlingException", "RequestThrottled"},
  };
  for (const auto& [given, expected] : rows) {
    const auto rejection = enveloped_error(200, error_body(given));
    EXPECT_EQ(code_of(rejection), expected) << given;
    EXPECT_EQ(rejection.message, "because") << given;
  }
}

TEST(EnvelopedErrorTest, TheCodeCountsWhateverTheStatus) {
  for (const int status : {200, 400, 404, 409, 422, 500}) {
    EXPECT_EQ(code_of(enveloped_error(status, error_body("VALIDATION_ERROR"))), "InvalidRequest");
    EXPECT_EQ(code_of(enveloped_error(status, error_body("INTERNAL"))), "InternalError");
  }
}

TEST(EnvelopedErrorTest, Status429IsThrottledWhateverTheCode) {
  EXPECT_EQ(code_of(enveloped_error(429, error_body("INTERNAL"))), "RequestThrottled");
  EXPECT_EQ(code_of(enveloped_error(429, error_body("VALIDATION_ERROR"))), "RequestThrottled");
  EXPECT_EQ(code_of(enveloped_error(429, "{}")), "RequestThrottled");
}

TEST(EnvelopedErrorTest, ARefusalOfTheGatewayKeepsItsTextFromTheDevice) {
  for (const int status : {401, 403}) {
    for (const auto* code :
         {"UNAUTHORIZED", "FORBIDDEN", "VALIDATION_ERROR", "JOB_NOT_FOUND", "X"}) {
      const auto rejection =
          enveloped_error(status, error_body(code, "key AKIDEXAMPLE is unknown"));
      EXPECT_EQ(code_of(rejection), "InternalError") << status << code;
      EXPECT_THAT(rejection.message, Not(HasSubstr("AKIDEXAMPLE")));
      EXPECT_THAT(rejection.detail, HasSubstr("AKIDEXAMPLE"));
    }
    EXPECT_THAT(enveloped_error(status, error_body("RATE_LIMITED", "AKIDEXAMPLE")).message,
                Not(HasSubstr("AKIDEXAMPLE")));
  }
}

TEST(EnvelopedErrorTest, AnErrorWithoutCodeOrMessageIsInternalError) {
  for (const auto* body :
       {R"({"success":false})", R"({"success":false,"error":null})",
        R"({"success":false,"error":"broken"})", R"({"success":false,"error":[]})",
        R"({"success":false,"error":{}})", R"({"success":false,"error":{"code":5,"message":7}})"}) {
    const auto rejection = enveloped_error(200, body);
    EXPECT_EQ(code_of(rejection), "InternalError") << body;
    EXPECT_FALSE(rejection.message.empty()) << body;
  }
}

/// All but the answer's text: "InternalError may_help maybe failing".
std::string shown(const Outcome& outcome) {
  const auto* rejection = std::get_if<Rejection>(&outcome.answer);
  std::string text = rejection == nullptr ? "accepted" : code_of(*rejection);
  constexpr std::array repeats = {" useless", " may_help", " helps_when_fixed"};
  constexpr std::array applied = {" no", " maybe", " yes"};
  constexpr std::array throttled = {"", " account", " thing"};
  constexpr std::array refusals = {"", " credentials", " access", " unexplained"};
  constexpr std::array healths = {" healthy", " throttling", " failing", " unknown"};
  text += repeats.at(static_cast<std::size_t>(outcome.repeat));
  text += applied.at(static_cast<std::size_t>(outcome.applied));
  text += throttled.at(static_cast<std::size_t>(outcome.throttled));
  text += refusals.at(static_cast<std::size_t>(outcome.refusal));
  text += healths.at(static_cast<std::size_t>(outcome.health));
  EXPECT_EQ(outcome.health == Health::failing || outcome.access_denied, !outcome.fault.empty());
  return text;
}

/// An error of that name wherever a name can stand; the envelope's last.
std::vector<HttpResponse> shapes_of(int status, const std::string& name) {
  const auto in_body = [&](const std::string& key) {
    return response(status, "{\"" + key + R"(":")" + name + R"(","message":"m"})");
  };
  return {
      response(status, R"({"message":"m"})", name),
      response(status, "<html>m</html>", name + ":http://internal"),
      response(status, "", "aws#" + name),
      in_body("__type"),
      in_body("code"),
      response(status, R"({"success":false,"error":{"code":")" + name + R"(","message":"m"}})")};
}

struct Named {
  int status;
  std::string name;
  std::string outcome;
  std::string enveloped = {};  ///< where it differs
};

TEST(OutcomeTest, AnErrorWithANameMeansTheSameInEveryShape) {
  const std::string throttled = "RequestThrottled may_help no account throttling";
  const std::string busy = "RequestThrottled may_help no thing healthy";
  const std::string timed_out = "InternalError may_help maybe failing";
  const std::string away = "InternalError may_help maybe failing";
  const std::string unknown = "InternalError useless no healthy";
  const std::string credentials = "InternalError helps_when_fixed no credentials failing";
  std::vector<Named> rows = {
      // What the Jobs API says is never repeated.
      {400, "InvalidRequestException", "InvalidRequest useless no healthy"},
      {400, "ValidationException", "InvalidRequest useless no healthy"},
      {400, "SerializationException", "InvalidRequest useless no healthy"},
      {404, "ResourceNotFoundException", "ResourceNotFound useless no healthy"},
      {400, "ResourceNotFoundException", "ResourceNotFound useless no healthy"},
      {409, "InvalidStateTransitionException", "InvalidStateTransition useless no healthy"},
      {400, "InvalidStateTransitionException", "InvalidStateTransition useless no healthy"},
      {409, "ConflictException", "InvalidStateTransition useless no healthy"},
      {409, "VersionConflictException", "VersionMismatch useless no healthy"},
      {410, "TerminalStateException", "TerminalStateReached useless no healthy"},
      {408, "InvalidRequestException", "InvalidRequest useless no healthy"},
      {421, "ResourceNotFoundException", "ResourceNotFound useless no healthy"},
      // Nor another name that no SDK repeats.
      {400, "SomethingNewException", unknown},
      {402, "ServiceQuotaExceededException", unknown},
      {404, "UnknownOperationException", unknown},
      {409, "SomethingNewException", "InvalidStateTransition useless no healthy", unknown},
      {410, "SomethingNewException", "TerminalStateReached useless no healthy", unknown},
      {403, "AccessDeniedException", "InternalError useless no access healthy"},
      {403, "ForbiddenException", "InternalError useless no unexplained healthy"},
      {403, "ResourceNotFoundException", "InternalError useless no unexplained healthy"},
      {401, "AccessDeniedException", "InternalError useless no access healthy"},
      // The gateway's credentials.
      {401, "UnauthorizedException", "InternalError helps_when_fixed no unexplained failing"},
      {403, "ExpiredTokenException", credentials},
      {403, "ExpiredToken", credentials},
      {403, "UnrecognizedClientException", credentials},
      {403, "InvalidSignatureException", credentials},
      {403, "SignatureDoesNotMatch", credentials},
      {403, "RequestTimeTooSkewed", credentials},
      {403, "MissingAuthenticationTokenException", credentials},
      {400, "IncompleteSignatureException", credentials},
      {400, "CertificateValidationException", credentials},
      // Timeouts.
      {408, "RequestTimeoutException", timed_out},
      {400, "RequestTimeout", timed_out},
      {400, "TimeoutError", timed_out},
      {408, "SomethingNewException", timed_out},
      {421, "SomethingNewException", "InternalError may_help no failing"},
      {425, "TooEarlyException", "InternalError may_help no failing"},
      // An endpoint that fails; of an envelope the code counts.
      {500, "InternalServerException", away},
      {503, "ServiceUnavailableException", away},
      {503, "ResourceNotFoundException", away, "ResourceNotFound useless no healthy"},
      {500, "InvalidRequestException", away, "InvalidRequest useless no healthy"},
      {503, "ExpiredTokenException", away},
      {302, "SomethingNewException", away},
  };
  // botocore, aws-sdk-go-v2 and smithy-typescript agree on these.
  for (const auto* name :
       {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
        "TooManyRequestsException", "ProvisionedThroughputExceededException",
        "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException",
        "RequestThrottled", "SlowDown", "EC2ThrottledException"}) {
    for (const int status : {400, 403, 404, 409, 410, 429, 500, 503, 509}) {
      rows.push_back({status, name, throttled});
    }
  }
  for (const auto* name : {"PriorRequestNotComplete", "TransactionInProgressException"}) {
    for (const int status : {400, 409, 503}) rows.push_back({status, name, busy});
    rows.push_back({429, name, throttled});
  }
  rows.push_back({429, "SomethingNewException", throttled});
  rows.push_back({429, "InvalidRequestException", throttled});
  for (const auto& row : rows) {
    const auto shapes = shapes_of(row.status, row.name);
    for (std::size_t shape = 0; shape < shapes.size(); ++shape) {
      const bool enveloped = shape + 1 == shapes.size() && !row.enveloped.empty();
      EXPECT_EQ(shown(outcome_of(shapes[shape])), enveloped ? row.enveloped : row.outcome)
          << row.status << " " << row.name << " " << shapes[shape].body;
    }
  }
}

TEST(OutcomeTest, AnErrorWithoutANameIsOfSomebodyElseUnlessItJudgesTheRequest) {
  const std::string away = "InternalError may_help maybe failing";
  const std::string refused = "InternalError useless no healthy";
  const std::vector<std::string> pages = {"", "<html>404 Not Found</html>", "[]", "null", "not {"};
  const std::vector<std::string> objects = {"{}",
                                            R"({"message":"no"})",
                                            R"({"code":404,"message":"no"})",
                                            R"({"code":null,"error":{"code":"x"}})",
                                            R"({"success":false})",
                                            R"({"error":{"message":"no"},"success":false})",
                                            R"({"success":"no"})"};
  struct Bare {
    int status;
    std::string page;
    std::string object;
  };
  const std::string fixable = "InternalError helps_when_fixed no unexplained failing";
  const std::string throttled = "RequestThrottled may_help no account throttling";
  for (const auto& row : {
           Bare{400, away, refused},
           Bare{401, fixable, fixable},
           Bare{402, away, refused},
           Bare{403, fixable, fixable},
           Bare{404, away, away},
           Bare{405, away, away},
           Bare{408, away, away},
           Bare{409, away, away},
           Bare{410, away, away},
           Bare{412, away, refused},
           Bare{413, refused, refused},
           Bare{415, away, refused},
           Bare{421, "InternalError may_help no failing", "InternalError may_help no failing"},
           Bare{422, away, refused},
           Bare{425, "InternalError may_help no failing", "InternalError may_help no failing"},
           Bare{429, throttled, throttled},
           Bare{451, away, refused},
           Bare{500, away, away},
           Bare{502, away, away},
           Bare{503, away, away},
           Bare{504, away, away},
           Bare{599, away, away},
           Bare{302, away, away},
           Bare{307, away, away},
       }) {
    for (const auto& body : pages) {
      EXPECT_EQ(shown(outcome_of(response(row.status, body))), row.page) << row.status << body;
    }
    for (const auto& body : objects) {
      EXPECT_EQ(shown(outcome_of(response(row.status, body))), row.object) << row.status << body;
    }
  }
}

TEST(OutcomeTest, ASuccessIsAppliedAndNonsenseMayBe) {
  for (const int status : {200, 201, 204, 299}) {
    for (const auto* body :
         {"{}", R"({"executionState":{"status":"FAILED"}})", R"({"success":true,"data":{}})",
          R"({"data":{"jobDocument":"{}"},"note":"x","success":true})"}) {
      EXPECT_EQ(shown(outcome_of(response(status, body))), "accepted useless yes healthy") << body;
    }
    for (const auto* body : {"", "<html>", "[]", R"({"Output":{"__type":"x#UnknownOperation"}})",
                             R"({"__type":"ResourceNotFoundException"})", R"({"success":"yes"})",
                             R"({"success":true,"data":[]})"}) {
      EXPECT_EQ(shown(outcome_of(response(status, body))), "InternalError may_help maybe healthy")
          << body;
    }
    EXPECT_EQ(shown(outcome_of(response(status, "{}", "ThrottlingException"))),
              "InternalError may_help maybe healthy");
  }
  EXPECT_EQ(shown(outcome_of(response(404, R"({"success":true})"))),
            "InternalError useless no healthy");
  EXPECT_EQ(shown(outcome_of(response(503, R"({"success":true})"))),
            "InternalError may_help maybe failing");
}

/// However far from the beginning.
TEST(OutcomeTest, AnEnvelopeIsRecognisedWhereverItsSuccessStands) {
  const auto padding = R"({"a":")" + std::string(5000, 'x') + R"(",)";
  EXPECT_EQ(shown(outcome_of(response(
                200, padding + R"("error":{"code":"RATE_LIMITED"},"succes\u0073":false})"))),
            "RequestThrottled may_help no account throttling");
  EXPECT_EQ(shown(outcome_of(
                response(200, padding + R"("error":{"code":"JOB_NOT_FOUND"},"success":false})"))),
            "ResourceNotFound useless no healthy");
  EXPECT_EQ(shown(outcome_of(response(200, padding + R"("success":true})"))),
            "accepted useless yes healthy");
  EXPECT_EQ(shown(outcome_of(response(200, R"({"success":true,"success":false})"))),
            "InternalError may_help maybe healthy")
      << "the last of two counts";
}

TEST(OutcomeTest, ACodeOfAnEnvelopeCountsWithAnyStatusThatIsNoRefusal) {
  for (const int status : {200, 301, 400, 404, 408, 409, 422, 500, 503}) {
    const auto read = [&](const std::string& code) {
      return shown(
          outcome_of(response(status, R"({"success":false,"error":{"code":")" + code + "\"}}")));
    };
    EXPECT_EQ(read("VALIDATION_ERROR"), "InvalidRequest useless no healthy") << status;
    EXPECT_EQ(read("VERSION_MISMATCH"), "VersionMismatch useless no healthy") << status;
    EXPECT_EQ(read("SLOW_DOWN"), "RequestThrottled may_help no account throttling") << status;
    EXPECT_EQ(read("RATE_LIMITED"), "RequestThrottled may_help no account throttling") << status;
  }
  const auto internal = [](int status) {
    return shown(outcome_of(
        response(status, R"({"success":false,"error":{"code":"INTERNAL","message":"db"}})")));
  };
  EXPECT_EQ(internal(200), "InternalError may_help maybe healthy");
  EXPECT_EQ(internal(404), "InternalError useless no healthy");
  EXPECT_EQ(internal(500), "InternalError may_help maybe failing");
}

TEST(OutcomeTest, NoAnswerMeansWhatItsKindAndItsTraceSay) {
  using Kind = HttpFailure::Kind;
  struct Row {
    Kind kind;
    std::string health;
    std::string repeat = " may_help";
  };
  for (const auto& row :
       {Row{Kind::resolve, " failing"}, Row{Kind::connect, " failing"}, Row{Kind::tls, " failing"},
        Row{Kind::timeout, " failing"}, Row{Kind::broken, " failing"},
        Row{Kind::credentials, " failing"}, Row{Kind::stopped, " unknown", " useless"}}) {
    for (const bool maybe_sent : {false, true}) {
      const auto outcome =
          read_outcome(request_of(Operation::update),
                       HttpFailure{.kind = row.kind, .maybe_sent = maybe_sent, .detail = "d"});
      EXPECT_EQ(outcome.maybe_sent, maybe_sent);
      if (row.kind == Kind::stopped) continue;
      EXPECT_EQ(shown(outcome),
                "InternalError" + row.repeat + (maybe_sent ? " maybe" : " no") + row.health);
    }
  }
}

TEST(OutcomeTest, RetryAfterCountsOnlyWhereHttpGivesItAMeaning) {
  const auto asked = [](int status, const std::string& name, const std::string& body = "{}") {
    auto answer = response(status, body, name);
    answer.retry_after = "7";
    return outcome_of(answer).retry_after;
  };
  EXPECT_EQ(asked(429, ""), Duration(7s));
  EXPECT_EQ(asked(400, "ThrottlingException"), Duration(7s));
  EXPECT_EQ(asked(409, "TransactionInProgressException"), Duration(7s));
  EXPECT_EQ(asked(503, ""), Duration(7s));
  EXPECT_EQ(asked(404, "", "<html>"), Duration(7s));
  EXPECT_EQ(asked(408, ""), Duration(7s));
  EXPECT_EQ(asked(302, ""), Duration(7s));
  EXPECT_EQ(asked(200, ""), std::nullopt);
  EXPECT_EQ(asked(200, "", "<html>"), std::nullopt);
  EXPECT_EQ(asked(404, "ResourceNotFoundException"), std::nullopt);
  EXPECT_EQ(asked(409, "InvalidStateTransitionException"), std::nullopt);
  EXPECT_EQ(asked(403, "AccessDeniedException"), std::nullopt);
  EXPECT_EQ(asked(403, "ExpiredTokenException"), std::nullopt);
}

TEST(OutcomeTest, RetryAfterIsSecondsOrADateBesideTheAnswersOwn) {
  const auto asked = [](const std::string& retry_after, const std::string& date = {}) {
    auto answer = response(503, "{}");
    answer.retry_after = retry_after;
    answer.date = date;
    return outcome_of(answer).retry_after;
  };
  const std::string now = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(asked("0"), Duration::zero());
  EXPECT_EQ(asked("120"), Duration(2min));
  EXPECT_EQ(asked("-5"), Duration::zero());
  EXPECT_EQ(asked("Sun, 06 Nov 1994 08:49:47 GMT", now), Duration(10s));
  EXPECT_EQ(asked("Sun, 06 Nov 1994 08:49:27 GMT", now), std::nullopt) << "it is over";
  for (const auto* odd : {"", " ", "soon", "1.5", "1e3", "99999999999999999999", "+5", "0x10",
                          "06 Nov 1994", "Sun, 31 Feb 1994 08:49:47 GMT"}) {
    EXPECT_EQ(asked(odd, now), std::nullopt) << odd;
  }
  EXPECT_EQ(asked("Sun, 06 Nov 1994 08:49:47 GMT"), std::nullopt) << "beside nothing";
  EXPECT_EQ(asked("Sun, 06 Nov 1994 08:49:47 GMT", "yesterday"), std::nullopt);
}

TEST(OutcomeTest, WhoSignsHearsOfTheSameRefusal) {
  for (const int status : {400, 401, 403, 404, 409, 429, 500, 503, 200}) {
    for (const auto* name : {"ExpiredTokenException", "IncompleteSignatureException",
                             "AccessDeniedException", "ResourceNotFoundException", "X"}) {
      for (const auto& answer : shapes_of(status, name)) {
        auto read = answer;
        EXPECT_EQ(read_refusal(read), outcome_of(answer).refusal) << status << name;
        EXPECT_EQ(shown(outcome_of(read)), shown(outcome_of(answer))) << status << name;
      }
    }
    for (const auto* body : {"", "<html>", "{}", "[]"}) {
      const auto answer = response(status, body);
      auto read = answer;
      EXPECT_EQ(read_refusal(read), outcome_of(answer).refusal) << status << body;
      EXPECT_EQ(shown(outcome_of(read)), shown(outcome_of(answer))) << status << body;
    }
  }
}

TEST(OutcomeTest, WhatIsWrongWithTheEndpointNamesNothingOfTheGatewayToDevices) {
  const auto outcome =
      outcome_of(response(403, R"({"message":"key AKIDEXAMPLE"})", "ExpiredTokenException"));
  EXPECT_EQ(outcome.fault, "the endpoint refuses the gateway: HTTP 403 ExpiredTokenException");
  EXPECT_EQ(outcome.fault_detail, outcome.fault + ": key AKIDEXAMPLE");
  const auto enveloped = outcome_of(
      response(500, R"({"success":false,"error":{"code":"DB","message":"thing-7 is locked"}})"));
  EXPECT_EQ(enveloped.fault, "the endpoint failed: HTTP 500 DB")
      << "what is said of one thing is not for others";
}

TEST(OutcomeTest, ALongMessageOfTheEndpointIsCutBetweenCharacters) {
  for (std::size_t before = 0; before < 4; ++before) {
    for (const std::string character : {"x", "\u00e9", "\u20ac", "\U0001f600"}) {
      std::string message(before, '.');
      while (message.size() < 3000) message += character;
      const auto cut = aws_error(400, "InvalidRequestException", said(message)).message;
      EXPECT_LE(cut.size(), 1024U);
      EXPECT_GT(cut.size() + character.size(), 1024U);
      EXPECT_TRUE(message.starts_with(cut));
      EXPECT_NO_THROW(static_cast<void>(nlohmann::json(cut).dump())) << "it is UTF-8";
    }
  }
}

TEST(OutcomeTest, WhatFailsForEveryThingIsToldFromWhatMayFailForOne) {
  using Kind = HttpFailure::Kind;
  for (const auto kind : {Kind::resolve, Kind::connect, Kind::refused, Kind::proxy, Kind::tls,
                          Kind::certificate, Kind::client_certificate, Kind::credentials}) {
    EXPECT_TRUE(outcome_of(HttpFailure{.kind = kind, .detail = "d"}).fails_for_all);
  }
  for (const auto kind : {Kind::timeout, Kind::broken, Kind::too_large, Kind::stopped}) {
    EXPECT_FALSE(outcome_of(HttpFailure{.kind = kind, .detail = "d"}).fails_for_all);
  }
  EXPECT_TRUE(outcome_of(response(403, "{}", "ExpiredTokenException")).fails_for_all);
  EXPECT_FALSE(outcome_of(response(403, "{}", "AccessDeniedException")).fails_for_all);
  EXPECT_FALSE(outcome_of(response(503, "")).fails_for_all);
}

TEST(OutcomeTest, TheKindOfAFaultOfTheEndpointIsToldAndAHintFollowsFromIt) {
  using Kind = HttpFailure::Kind;
  const auto failed = [](Kind kind) { return HttpFailure{.kind = kind, .detail = "d"}; };
  struct Row {
    HttpOutcome outcome;
    EndpointFault fault;
  };
  for (const auto& row :
       {Row{failed(Kind::resolve), EndpointFault::name},
        Row{failed(Kind::connect), EndpointFault::connection},
        Row{failed(Kind::refused), EndpointFault::refused},
        Row{failed(Kind::proxy), EndpointFault::proxy}, Row{failed(Kind::tls), EndpointFault::tls},
        Row{failed(Kind::certificate), EndpointFault::certificate},
        Row{failed(Kind::client_certificate), EndpointFault::client_certificate},
        Row{failed(Kind::credentials), EndpointFault::no_credentials},
        Row{failed(Kind::timeout), EndpointFault::no_answer},
        Row{failed(Kind::broken), EndpointFault::no_answer},
        Row{response(403, "{}", "MissingAuthenticationTokenException"), EndpointFault::not_signed},
        Row{response(403, "{}", "InvalidSignatureException"), EndpointFault::signature},
        Row{response(400, "{}", "ExpiredTokenException"), EndpointFault::signature},
        Row{response(403, "{}", "AccessDeniedException"), EndpointFault::access},
        Row{response(403, "{}", "ForbiddenException"), EndpointFault::access},
        Row{response(403, "<html>"), EndpointFault::forbidden},
        Row{response(404, "<html>"), EndpointFault::not_the_api},
        Row{response(302, ""), EndpointFault::not_the_api},
        Row{response(503, ""), EndpointFault::server_error}}) {
    const auto outcome = outcome_of(row.outcome);
    EXPECT_EQ(outcome.fault_kind, row.fault) << to_string(row.fault);
    EXPECT_FALSE(to_string(row.fault).empty());
    EXPECT_FALSE(hint_of(row.fault).empty());
    EXPECT_FALSE(hint_of(row.fault).ends_with('.')) << hint_of(row.fault);
    EXPECT_EQ(outcome.access_denied, row.fault == EndpointFault::access);
  }
  for (const HttpOutcome& fine :
       {HttpOutcome(response(200, "{}")), HttpOutcome(failed(Kind::stopped)),
        HttpOutcome(response(404, "{}", "ResourceNotFoundException")),
        HttpOutcome(response(429, "{}"))}) {
    EXPECT_EQ(outcome_of(fine).fault_kind, EndpointFault::none);
    EXPECT_FALSE(outcome_of(fine).access_denied);
  }
}

TEST(NoAnswerTest, IsAnErrorThatDevicesRepeatAndNamesNoHost) {
  using Kind = HttpFailure::Kind;
  for (const auto kind : {Kind::resolve, Kind::connect, Kind::tls, Kind::timeout, Kind::broken,
                          Kind::too_large, Kind::stopped, Kind::credentials}) {
    const auto rejection = no_answer({.kind = kind, .detail = "connect to internal.example:443"});
    EXPECT_EQ(code_of(rejection), "InternalError");
    EXPECT_FALSE(rejection.message.empty());
    EXPECT_THAT(rejection.message, Not(HasSubstr("internal.example")));
    EXPECT_EQ(rejection.detail, "connect to internal.example:443");
  }
}

}  // namespace
}  // namespace jobs_bridge
