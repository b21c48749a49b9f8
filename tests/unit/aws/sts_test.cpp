#include "adapters/aws/sts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "adapters/aws/sts_answer.h"
#include "adapters/aws/web_identity_source.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/aws/fakes.h"

namespace jobs_bridge::aws {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* when_issued = "Wed, 01 Jan 2020 00:00:00 GMT";

std::string role_answer(const std::string& id, const std::string& action = "AssumeRole") {
  return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n <" +
         action +
         "Result>\n  "
         "<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/x/y</Arn></AssumedRoleUser>\n"
         "  <Credentials>\n   <AccessKeyId>" +
         id + "</AccessKeyId>\n   <SecretAccessKey>s/" + id +
         "</SecretAccessKey>\n   <SessionToken>t+" + id +
         "==</SessionToken>\n   <Expiration>2020-01-01T01:00:00Z</Expiration>\n  </Credentials>\n "
         "</" +
         action + "Result>\n</" + action + "Response>\n";
}

class StsTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(directory_.file(name)) << text;
    return directory_.file(name);
  }
  Result<Credentials, SourceFault> of_web_identity(std::map<std::string, std::string> values) {
    return WebIdentitySource(variables(std::move(values)), sts_at(server_)).fetch(soon());
  }
  /// Of a profile of these files.
  Result<Credentials, SourceFault> of_profile(const std::string& profile,
                                              const std::string& credentials,
                                              const std::string& configuration,
                                              ProfileSource::Part part = ProfileSource::Part::all) {
    const auto environment = variables({{"AWS_CONFIG_FILE", write("config", configuration)}});
    return ProfileSource(profile, write("credentials", credentials), environment, sts_at(server_),
                         part)
        .fetch(soon());
  }
  std::vector<ScriptedServer::Asked> asked() const { return server_.asked(); }

  testing_support::TemporaryDirectory directory_;
  ScriptedServer server_;
};

TEST_F(StsTest, WebIdentityOfAPodIsExchangedForItsRoleUnsigned) {
  const auto token = write("token", "ey.J+/=\n");
  server_.will_answer(200, role_answer("ASIA1", "AssumeRoleWithWebIdentity"), when_issued);
  const auto credentials = found(of_web_identity({{"AWS_WEB_IDENTITY_TOKEN_FILE", token},
                                                  {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"},
                                                  {"AWS_ROLE_SESSION_NAME", "me"}}));
  EXPECT_EQ(credentials.access_key_id, "ASIA1");
  EXPECT_EQ(credentials.secret_access_key, "s/ASIA1");
  EXPECT_EQ(credentials.session_token, "t+ASIA1==");
  EXPECT_EQ(credentials.expiration, clock_of_2020() + 3600);
  ASSERT_EQ(asked().size(), 1U);
  const auto question = asked().front();
  EXPECT_EQ(question.origin.host, "sts.eu-central-1.amazonaws.com");
  EXPECT_EQ(question.request.method, "POST");
  EXPECT_EQ(question.request.body,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
            "role%2Fpod&RoleSessionName=me&WebIdentityToken=ey.J%2B%2F%3D");
  EXPECT_EQ(header_of(question.request, "Content-Type"),
            "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_EQ(header_of(question.request, "Authorization"), "none");
}

TEST_F(StsTest, TokenReplacedOnDiskIsReadAnew) {
  const auto token = write("token", "first");
  WebIdentitySource source(variables({{"AWS_WEB_IDENTITY_TOKEN_FILE", token},
                                      {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"}}),
                           sts_at(server_));
  for (const std::string text : {"first", "second"}) {
    write("token", text);
    server_.will_answer(200, role_answer("ASIA1", "AssumeRoleWithWebIdentity"), when_issued);
    found(source.fetch(soon()));
    EXPECT_THAT(asked().back().request.body,
                AllOf(HasSubstr("RoleSessionName=jobs-bridge-1577836800"),
                      EndsWith("WebIdentityToken=" + text)));
  }
}

TEST_F(StsTest, WebIdentityThatIsHalfThereIsAFaultAndNoneIsAbsent) {
  const auto none = fault_of(of_web_identity({{"AWS_ROLE_ARN", "arn"}}));
  EXPECT_TRUE(none.absent);
  const auto no_role = fault_of(of_web_identity({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/x"}}));
  EXPECT_FALSE(no_role.absent);
  EXPECT_THAT(no_role.cause, HasSubstr("AWS_ROLE_ARN is not"));
  const auto pipe = directory_.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const auto& [file, cause] :
       std::map<std::string, std::string>{{directory_.file("missing"), "does not exist"},
                                          {write("empty", "\n"), "is empty"},
                                          {pipe, "is not a regular file"}}) {
    const auto fault =
        fault_of(of_web_identity({{"AWS_WEB_IDENTITY_TOKEN_FILE", file}, {"AWS_ROLE_ARN", "arn"}}));
    EXPECT_FALSE(fault.absent) << "the node's role must not take over";
    EXPECT_THAT(fault.cause, AllOf(HasSubstr(file), HasSubstr(cause)));
  }
  EXPECT_TRUE(asked().empty());
}

TEST_F(StsTest, RefusalSaysWhyAndWhichRole) {
  server_.will_answer(403,
                      "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                      "<Message>not &lt;you&gt;\n</Message></Error></ErrorResponse>");
  const auto fault = fault_of(of_web_identity({{"AWS_WEB_IDENTITY_TOKEN_FILE", write("t", "x")},
                                               {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"}}));
  EXPECT_FALSE(fault.absent);
  EXPECT_EQ(fault.cause,
            "sts.eu-central-1.amazonaws.com, role arn:aws:iam::1:role/pod: HTTP 403: AccessDenied: "
            "not <you> ");
}

TEST_F(StsTest, TokenThatARefusalRepeatsIsLeftOut) {
  server_.will_answer(403, "<Code>InvalidIdentityToken</Code><Message>eyJ.hush is odd</Message>");
  const auto fault =
      fault_of(of_web_identity({{"AWS_WEB_IDENTITY_TOKEN_FILE", write("t", "eyJ.hush\n")},
                                {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"}}));
  EXPECT_THAT(fault.cause, AllOf(HasSubstr("(a secret) is odd"), Not(HasSubstr("hush"))));
}

TEST_F(StsTest, RoleOfAProfileIsAssumedWithItsSourcesKeysSigned) {
  server_.will_answer(200, role_answer("ASIA1"), when_issued);
  const auto credentials = found(
      of_profile("gateway", "[base]\naws_access_key_id=AKIA1\naws_secret_access_key=B\n",
                 "[profile gateway]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\n"
                 "role_session_name = me\nexternal_id = e x\nduration_seconds = 900\n"));
  EXPECT_EQ(credentials.access_key_id, "ASIA1");
  ASSERT_EQ(asked().size(), 1U);
  const auto request = asked().front().request;
  EXPECT_EQ(request.body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"
            "&RoleSessionName=me&ExternalId=e%20x&DurationSeconds=900");
  EXPECT_THAT(header_of(request, "Authorization"),
              StartsWith("AWS4-HMAC-SHA256 "
                         "Credential=AKIA1/20200101/eu-central-1/sts/aws4_request, "
                         "SignedHeaders=accept;content-type;host;x-amz-date, Signature="));
}

TEST_F(StsTest, RolesAreChainedEachAssumedByTheOneBefore) {
  server_.will_answer(200, role_answer("ASIA1"), when_issued);
  server_.will_answer(200, role_answer("ASIA2"), when_issued);
  const std::string files =
      "[profile top]\nrole_arn = top\nsource_profile = middle\n"
      "[profile middle]\nrole_arn = middle\nsource_profile = base\n"
      "[profile base]\naws_access_key_id=AKIA1\naws_secret_access_key=B\n";
  EXPECT_EQ(found(of_profile("top", "", files)).access_key_id, "ASIA2");
  ASSERT_EQ(asked().size(), 2U);
  EXPECT_THAT(asked()[0].request.body, HasSubstr("RoleArn=middle"));
  EXPECT_THAT(asked()[1].request.body, HasSubstr("RoleArn=top"));
  EXPECT_THAT(header_of(asked()[1].request, "Authorization"), HasSubstr("Credential=ASIA1/"));
  EXPECT_EQ(header_of(asked()[1].request, "X-Amz-Security-Token"), "t+ASIA1==");
}

TEST_F(StsTest, ProfileMayBeItsOwnSourceForItsKeysAndRolesBeforeKeys) {
  server_.will_answer(200, role_answer("ASIA1"), when_issued);
  const std::string own =
      "[default]\nrole_arn = x\nsource_profile = default\naws_access_key_id=AKIA1\n"
      "aws_secret_access_key=B\n";
  EXPECT_EQ(found(of_profile("default", own, "")).access_key_id, "ASIA1");
  EXPECT_THAT(header_of(asked().back().request, "Authorization"), HasSubstr("Credential=AKIA1/"));
}

TEST_F(StsTest, SourceThatHasKeysAndNamesARoleGivesItsKeysAsInBotocore) {
  server_.will_answer(200, role_answer("ASIA1"), when_issued);
  const std::string files =
      "[profile top]\nrole_arn = top\nsource_profile = middle\n"
      "[profile middle]\nrole_arn = middle\nsource_profile = base\n"
      "aws_access_key_id=AKIA2\naws_secret_access_key=B\n"
      "[profile base]\naws_access_key_id=AKIA1\naws_secret_access_key=B\n";
  EXPECT_EQ(found(of_profile("top", "", files)).access_key_id, "ASIA1");
  ASSERT_EQ(asked().size(), 1U);
  EXPECT_THAT(asked()[0].request.body, HasSubstr("RoleArn=top"));
  EXPECT_THAT(header_of(asked()[0].request, "Authorization"), HasSubstr("Credential=AKIA2/"));
}

TEST_F(StsTest, SourceMayBeAWebIdentityOfAnotherProfile) {
  server_.will_answer(200, role_answer("ASIA1", "AssumeRoleWithWebIdentity"), when_issued);
  server_.will_answer(200, role_answer("ASIA2"), when_issued);
  const auto files =
      "[profile top]\nrole_arn = top\nsource_profile = pod\n[profile pod]\nrole_arn = "
      "pod\nweb_identity_token_file = " +
      write("token", "x") + "\n";
  EXPECT_EQ(found(of_profile("top", "", files)).access_key_id, "ASIA2");
  EXPECT_THAT(header_of(asked()[1].request, "Authorization"), HasSubstr("Credential=ASIA1/"));
}

TEST_F(StsTest, RoleWithoutASourceThatLeadsToKeysIsAFaultThatNamesTheProfile) {
  const std::pair<std::string, std::string> cases[] = {
      {"[default]\nrole_arn = x\n", "profile default: role_arn is set, but source_profile"},
      {"[default]\nrole_arn = x\nsource_profile = other\n",
       "its source_profile other does not exist"},
      {"[default]\nrole_arn = x\nsource_profile = default\n", "leads back to it"},
      {"[default]\nrole_arn = x\nsource_profile = b\n[profile b]\nrole_arn = y\n"
       "source_profile = default\n",
       "profile b: its source_profile default leads back to it"},
      {"[default]\nrole_arn = x\nsource_profile = b\n[profile b]\nregion = y\n",
       "no keys for profile b"},
      {"[default]\nrole_arn = x\ncredential_source = Ec2InstanceMetadata\n",
       "credential_source is not supported"},
      {"[default]\nrole_arn = x\nsource_profile = b\nmfa_serial = 1\n",
       "mfa_serial is not supported"},
      {"[default]\nrole_arn = x\nsource_profile = b\n[profile b]\ncredential_process = x\n",
       "profile b: credential_process is not supported"},
  };
  for (const auto& [configuration, cause] : cases) {
    const auto fault = fault_of(of_profile("default", "", configuration));
    EXPECT_FALSE(fault.absent) << "another identity must not take over: " << configuration;
    EXPECT_THAT(fault.cause, HasSubstr(cause)) << configuration;
  }
  EXPECT_TRUE(asked().empty());
}

TEST_F(StsTest, SourceWithNothingInItExistsAndLacksKeys) {
  const auto fault = fault_of(
      of_profile("default", "[base]\n", "[default]\nrole_arn = x\nsource_profile = base\n"));
  EXPECT_THAT(fault.cause, HasSubstr("no keys for profile base in "));
}

TEST_F(StsTest, OfAProfileEachPartHasItsOwn) {
  using Part = ProfileSource::Part;
  const std::string role =
      "[default]\nrole_arn = x\nsource_profile = default\n"
      "aws_access_key_id=AKIA1\naws_secret_access_key=B\n";
  EXPECT_TRUE(fault_of(of_profile("default", role, "", Part::rest)).absent);
  const std::string keys = "[default]\naws_access_key_id=AKIA1\naws_secret_access_key=B\n";
  EXPECT_TRUE(fault_of(of_profile("default", keys, "", Part::role)).absent);
  EXPECT_EQ(found(of_profile("default", keys, "", Part::rest)).access_key_id, "AKIA1");
}

TEST(StsAnswerTest, ElementsAreReadWithWhatXmlEscapes) {
  EXPECT_EQ(element_text("<a><b>x &amp;&lt;&gt;&quot;&apos; y</b></a>", "b"), "x &<>\"' y");
  EXPECT_EQ(element_text("<a></a>", "a"), "");
}

TEST(StsAnswerTest, WhatIsNoPlainTextIsNoElement) {
  for (const char* xml : {"", "<a>", "</a><a>", "<a>x<b/></a>", "<a>&</a>", "<a>&#65;</a>",
                          "<a>&amp</a>", "<a>&unknown;</a>", "<A>x</A>", "<a >x</a >"}) {
    EXPECT_EQ(element_text(xml, "a"), std::nullopt) << xml;
  }
}

TEST(StsAnswerTest, AnswerWithoutWholeCredentialsIsAFaultThatQuotesNone) {
  const auto whole = role_answer("hush");
  for (const char* missing : {"Credentials", "AccessKeyId", "SecretAccessKey", "Expiration"}) {
    auto body = whole;
    const auto at = body.find(std::string("<") + missing + ">");
    body.replace(at + 1, 1, "x");
    HttpResponse response;
    response.status = 200;
    response.body = body;
    response.date = when_issued;
    const auto fault = fault_of(read_sts_answer(response, "sts", soon(), clock_of_2020()));
    EXPECT_FALSE(fault.absent);
    EXPECT_THAT(fault.cause, AllOf(StartsWith("sts: "), Not(HasSubstr("hush")))) << missing;
  }
}

TEST(StsAnswerTest, HostileDocumentsEndInAFault) {
  const std::string deep(64 * 1024, '<');
  for (const auto& body : {deep, std::string("<Credentials>") + deep + "</Credentials>",
                           std::string("<Credentials></Credentials>"), std::string(1, '\0')}) {
    HttpResponse response;
    response.status = 200;
    response.body = body;
    EXPECT_FALSE(fault_of(read_sts_answer(response, "sts", soon(), clock_of_2020())).cause.empty());
  }
}

}  // namespace
}  // namespace jobs_bridge::aws
