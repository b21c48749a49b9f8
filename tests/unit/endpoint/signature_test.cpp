#include "tests/endpoint/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/endpoint/driver.h"

namespace jobs_endpoint::testing {
namespace {

using ::testing::HasSubstr;

constexpr Instant signed_at = Instant(std::chrono::seconds(1440938160));
const std::string host = "data.jobs.iot.us-east-1.amazonaws.com";

KeyRing ring(const std::string& token = {}) {
  KeyRing keys;
  keys.add({.access_key_id = "AKIDEXAMPLE",
            .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            .token = token});
  return keys;
}

HttpRequest request(const std::string& method, const std::string& target, const std::string& body,
                    const std::string& signed_headers, const std::string& signature) {
  HttpRequest made{.method = method, .target = target, .body = body};
  made.headers = {{"Host", host},
                  {"X-Amz-Date", "20150830T123600Z"},
                  {"Authorization",
                   "AWS4-HMAC-SHA256 "
                   "Credential=AKIDEXAMPLE/20150830/us-east-1/iot-jobs-data/aws4_request, "
                   "SignedHeaders=" +
                       signed_headers + ", Signature=" + signature}};
  if (!body.empty()) made.headers.emplace_back("Content-Type", "application/json");
  return made;
}

HttpRequest good() {
  return request("PUT", "/things/MyThing/jobs/$next", "{}", "content-type;host;x-amz-date",
                 "b92bc43839b433244fdf573b222b47754935dcb1f61256caab141a12b1ca11bd");
}

/// What AWS would say; "taken" if nothing.
std::string verdict(const HttpRequest& made, const KeyRing& keys = ring(),
                    const SignatureScope& scope = {.service = "iot-jobs-data"},
                    Instant now = signed_at) {
  try {
    require_signature(made, keys, scope, now);
    return "taken";
  } catch (const ServiceError& error) {
    EXPECT_EQ(error.status(), 403);
    return error.type() + ": " + error.what();
  }
}

TEST(SignatureTest, WhatBotocoreSignedIsTaken) {
  EXPECT_EQ(verdict(good()), "taken");
  EXPECT_EQ(verdict(request("GET", "/things/MyThing/jobs/%24next?includeJobDocument=true", "",
                            "host;x-amz-date",
                            "00f13af3e3b62857981265e80f30399f3cd3df875df86a579ce8a11eb4ff61b4")),
            "taken");
  EXPECT_EQ(
      verdict(request("PUT", "/things/MyThing/jobs/%24next", "{}", "content-type;host;x-amz-date",
                      "b432ad52776b1303fdeb321369fa09dfd20fb455c83a0d878f1e2dbb7b46a6fe")),
      "taken");
  auto with_token = request("PUT", "/things/MyThing/jobs/$next", "{}",
                            "content-type;host;x-amz-date;x-amz-security-token",
                            "b387e09f1e830ba02b7cc12af3aa43b641d1caad44a6ce91f682501afb84f4b0");
  with_token.headers.emplace_back("X-Amz-Security-Token", "TOKEN/EXAMPLE==");
  EXPECT_EQ(verdict(with_token, ring("TOKEN/EXAMPLE==")), "taken");
}

TEST(SignatureTest, AnyChangeOnTheWayIsNoticed) {
  auto body = good();
  body.body = "{ }";
  auto target = good();
  target.target = "/things/MyThing/jobs/%24next";
  auto method = good();
  method.method = "POST";
  auto header = good();
  header.headers[0].second = "elsewhere";
  auto type = good();
  type.headers.back().second = "text/plain";
  for (const auto& changed : {body, target, method, header, type}) {
    EXPECT_THAT(verdict(changed), HasSubstr("InvalidSignatureException: The request signature"));
  }
  auto added = good();
  added.headers.emplace_back("X-Amz-Target", "x");
  EXPECT_THAT(verdict(added), HasSubstr("must be signed"));
  auto hash = good();
  hash.headers.emplace_back("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
  EXPECT_THAT(verdict(hash), HasSubstr("InvalidSignatureException"));
}

TEST(SignatureTest, EachRefusalHasTheNameThatAwsGivesIt) {
  EXPECT_THAT(verdict({.method = "GET", .target = "/"}),
              HasSubstr("MissingAuthenticationTokenException"));
  auto incomplete = good();
  incomplete.headers[2].second = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE, Signature=x";
  EXPECT_THAT(verdict(incomplete), HasSubstr("IncompleteSignatureException"));
  EXPECT_THAT(verdict(good(), KeyRing()), HasSubstr("UnrecognizedClientException"));
  EXPECT_THAT(verdict(good(), ring("another token")), HasSubstr("UnrecognizedClientException"));
  auto revoked = ring();
  revoked.revoke("all");
  EXPECT_THAT(verdict(good(), revoked), HasSubstr("UnrecognizedClientException"));
  KeyRing expired;
  expired.add({.access_key_id = "AKIDEXAMPLE",
               .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
               .expires = signed_at});
  EXPECT_THAT(verdict(good(), expired), HasSubstr("ExpiredTokenException"));
}

TEST(SignatureTest, TimeAndScopeCount) {
  const SignatureScope scope{.service = "iot-jobs-data"};
  using std::chrono::seconds;
  EXPECT_EQ(verdict(good(), ring(), scope, signed_at + seconds(300)), "taken");
  EXPECT_EQ(verdict(good(), ring(), scope, signed_at - seconds(300)), "taken");
  EXPECT_THAT(verdict(good(), ring(), scope, signed_at + seconds(301)), HasSubstr("expired"));
  EXPECT_THAT(verdict(good(), ring(), scope, signed_at - seconds(301)),
              HasSubstr("not yet current"));
  EXPECT_THAT(verdict(good(), ring(), {.service = "iot"}), HasSubstr("service"));
  EXPECT_THAT(verdict(good(), ring(), {.service = "iot-jobs-data", .region = "eu-west-1"}),
              HasSubstr("region"));
}

TEST(SignatureTest, RefusedCallChangesNothingAndIsInTheLog) {
  Driver driver({.keys = {{.access_key_id = "A", .secret = "B"}}});
  const auto answer = driver.start_next("T");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.error_type, "MissingAuthenticationTokenException");
  const auto calls = driver.call("GET", "/_calls").body;
  EXPECT_EQ(calls.at("calls").at(0).at("status"), 403);
}

TEST(CredentialProviderTest, HandsOutCredentialsForACertificateOnly) {
  Endpoint endpoint({.credentials_lifetime = std::chrono::seconds(60)});
  HttpRequest ask{.method = "GET", .target = "/role-aliases/gateway/credentials"};
  EXPECT_EQ(endpoint.receive(ask, 1, start).answer.status, 403);
  ask.client_name = "gateway";
  const auto first = Json::parse(endpoint.receive(ask, 1, start).answer.body);
  const auto second = Json::parse(endpoint.receive(ask, 1, start).answer.body);
  EXPECT_EQ(first.at("credentials").at("expiration"), "2026-01-01T00:01:00Z");
  EXPECT_NE(first.at("credentials").at("accessKeyId"), second.at("credentials").at("accessKeyId"));
}

}  // namespace
}  // namespace jobs_endpoint::testing
