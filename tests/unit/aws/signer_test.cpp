#include "adapters/aws/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "adapters/aws/canonical_request.h"

namespace jobs_bridge::aws {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::int64_t moment = 1440938160;  // 2015-08-30T12:36:00Z
const std::string host = "data.jobs.iot.us-east-1.amazonaws.com";

Credentials example() {
  Credentials credentials;
  credentials.access_key_id = "AKIDEXAMPLE";
  credentials.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  return credentials;
}

HttpRequest start_next(std::string target = "/things/MyThing/jobs/$next") {
  return {.method = "PUT",
          .target = std::move(target),
          .body = "{}",
          .headers = {{"Content-Type", "application/json"}}};
}

std::string header(const HttpRequest& request, const std::string& name) {
  const auto found =
      std::ranges::find(request.headers, name, [](const auto& pair) { return pair.first; });
  return found == request.headers.end() ? "none" : found->second;
}

/// The four requests were also signed by botocore, with the same outcome but for the last, which it
/// never sends.
TEST(SignerTest, StartNextIsSignedAsBotocoreDoes) {
  const auto request = Signer("us-east-1").sign(start_next(), host, example(), moment);
  EXPECT_EQ(header(request, "Authorization"),
            "AWS4-HMAC-SHA256 "
            "Credential=AKIDEXAMPLE/20150830/us-east-1/iot-jobs-data/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=b92bc43839b433244fdf573b222b47754935dcb1f61256caab141a12b1ca11bd");
  EXPECT_EQ(header(request, "X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(header(request, "X-Amz-Security-Token"), "none");
}

TEST(SignerTest, SessionTokenIsSentAndSigned) {
  auto credentials = example();
  credentials.session_token = "TOKEN/EXAMPLE==";
  const auto request = Signer("us-east-1").sign(start_next(), host, credentials, moment);
  EXPECT_EQ(header(request, "X-Amz-Security-Token"), "TOKEN/EXAMPLE==");
  EXPECT_THAT(header(request, "Authorization"),
              AllOf(HasSubstr("x-amz-date;x-amz-security-token,"),
                    EndsWith("b387e09f1e830ba02b7cc12af3aa43b641d1caad44a6ce91f682501afb84f4b0")));
}

TEST(SignerTest, EscapedDescribeWithoutContentTypeIsSignedAsBotocoreDoes) {
  const HttpRequest describe{.method = "GET",
                             .target = "/things/MyThing/jobs/%24next?includeJobDocument=true",
                             .body = {},
                             .headers = {}};
  const auto request = Signer("us-east-1").sign(describe, host, example(), moment);
  EXPECT_THAT(header(request, "Authorization"),
              EndsWith("00f13af3e3b62857981265e80f30399f3cd3df875df86a579ce8a11eb4ff61b4"));
}

TEST(SignerTest, EscapedNextIsSignedAsItIsSent) {
  const auto request =
      Signer("us-east-1").sign(start_next("/things/MyThing/jobs/%24next"), host, example(), moment);
  EXPECT_THAT(header(request, "Authorization"),
              EndsWith("b432ad52776b1303fdeb321369fa09dfd20fb455c83a0d878f1e2dbb7b46a6fe"));
}

TEST(SignerTest, NothingOfTheRequestChangesAndHostIsLeftToTheTransport) {
  const auto before = start_next("/things/my%3Athing/jobs/$next");
  const auto after = Signer("us-east-1").sign(before, host, example(), moment);
  EXPECT_EQ(after.method, before.method);
  EXPECT_EQ(after.target, before.target);
  EXPECT_EQ(after.body, before.body);
  EXPECT_EQ(header(after, "Content-Type"), "application/json");
  EXPECT_EQ(header(after, "Host"), "none");
}

TEST(SignerTest, TwoDaysAndTwoSecretsInTurnGetTheSignaturesOfFreshSigners) {
  auto other = example();
  other.secret_access_key = "another";
  Signer lasting("us-east-1");
  for (const auto& credentials : {example(), other, example()}) {
    for (const auto time : {moment, moment + 86400, moment}) {
      EXPECT_EQ(
          header(lasting.sign(start_next(), host, credentials, time), "Authorization"),
          header(Signer("us-east-1").sign(start_next(), host, credentials, time), "Authorization"));
    }
  }
}

/// AWS's rule for a header's value, which whoever passes the request on may fold or trim.
TEST(SignerTest, SpaceAroundAHeadersValueIsNotSignedAndInItCountsOnce) {
  EXPECT_THAT(
      canonical_request("GET", "/", {{"My-Header", " \t a   b\r\n  c "}}, "hash", PathForm::as_sent)
          .text,
      HasSubstr("\nmy-header:a b c\n"));
}

TEST(SignerTest, TimeIsWrittenInUtc) {
  EXPECT_EQ(signing_time(0), "19700101T000000Z");
  EXPECT_EQ(signing_time(951782399), "20000228T235959Z");
  EXPECT_EQ(signing_time(951782400), "20000229T000000Z");
}

}  // namespace
}  // namespace jobs_bridge::aws
