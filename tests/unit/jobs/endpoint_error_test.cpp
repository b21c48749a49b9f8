#include "bridge/jobs/endpoint_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobs/fixtures.h"

namespace jobs_bridge {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::response;

std::vector<json_text::Member> members_of(const std::string& body) {
  const auto members = json_text::members_of(body);
  return members ? *members : std::vector<json_text::Member>();
}

Rejection aws_error(int status, const std::string& error_type, const std::string& body) {
  return read_aws_error(response(status, body, error_type), members_of(body));
}

Rejection enveloped_error(int status, const std::string& body) {
  return read_enveloped_error(response(status, body), members_of(body));
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
           Row{409, "", "conflict", "InvalidStateTransition"},
           Row{410, "TerminalStateException", "over", "TerminalStateReached"},
           Row{410, "", "over", "TerminalStateReached"},
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
        enveloped_error(200,
                        R"({"error":{"code":"VALIDATION_ERROR","message":")" + text + "\"}}")}) {
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

TEST(RefusedCredentialsTest, AreToldByTheErrorsNameWhereverItStands) {
  const auto refuses = [](int status, std::string type, std::string body = "{}") {
    HttpResponse response;
    response.status = status;
    response.error_type = std::move(type);
    response.body = std::move(body);
    return refuses_credentials(response);
  };
  for (const char* name :
       {"ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException:http://x",
        "aws#InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed"}) {
    EXPECT_TRUE(refuses(403, name)) << name;
  }
  EXPECT_TRUE(refuses(400, "", R"({"__type":"IncompleteSignatureException"})"));
  EXPECT_TRUE(refuses(400, "CertificateValidationException"));
  EXPECT_FALSE(refuses(403, "AccessDeniedException"));
  EXPECT_FALSE(refuses(403, ""));
  EXPECT_FALSE(refuses(401, "", "no"));
  EXPECT_FALSE(refuses(200, "ExpiredTokenException"));
  EXPECT_FALSE(refuses(503, "ExpiredTokenException"));
  EXPECT_FALSE(refuses_credentials(HttpFailure{}));
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
