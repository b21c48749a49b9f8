#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "adapters/aws/container_source.h"
#include "adapters/aws/credential_document.h"
#include "adapters/aws/environment_source.h"
#include "adapters/aws/instance_source.h"
#include "adapters/aws/iot_source.h"
#include "adapters/aws/profile_source.h"
#include "adapters/aws/source_chain.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/aws/fakes.h"

namespace jobs_bridge::aws {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::TemporaryDirectory;

constexpr const char* date_of_2018 = "Thu, 18 Jan 2018 08:18:06 GMT";
constexpr const char* instance_document =
    R"({"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s3","Token":"t/+=","Expiration":"2018-01-18T09:18:06Z"})";
constexpr const char* iot_document =
    R"({"credentials":{"accessKeyId":"ASIA1","secretAccessKey":"s3","sessionToken":"t/+=","expiration":"2018-01-18T09:18:06Z"}})";

TEST(EnvironmentSourceTest, ThreeVariablesAreTheCredentials) {
  EnvironmentSource source(variables(
      {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "B"}, {"AWS_SESSION_TOKEN", "C"}}));
  const auto credentials = found(source.fetch(soon()));
  EXPECT_EQ(credentials.access_key_id, "A");
  EXPECT_EQ(credentials.secret_access_key, "B");
  EXPECT_EQ(credentials.session_token, "C");
  EXPECT_FALSE(credentials.expires);
}

TEST(EnvironmentSourceTest, NoneIsAbsentAndHalfIsAFault) {
  EXPECT_TRUE(fault_of(EnvironmentSource(variables({})).fetch(soon())).absent);
  const auto half =
      fault_of(EnvironmentSource(variables({{"AWS_SECRET_ACCESS_KEY", "x"}})).fetch(soon()));
  EXPECT_FALSE(half.absent);
  EXPECT_THAT(half.cause, HasSubstr("AWS_ACCESS_KEY_ID is not"));
}

TEST(EnvironmentSourceTest, KeyThatNoHeaderCanHoldIsAFaultThatDoesNotQuoteIt) {
  const auto fault =
      fault_of(EnvironmentSource(variables({{"AWS_ACCESS_KEY_ID", "A"},
                                            {"AWS_SECRET_ACCESS_KEY", "hush\r\nX: 1"}}))
                   .fetch(soon()));
  EXPECT_THAT(fault.cause, AllOf(HasSubstr("secret access key"), Not(HasSubstr("hush"))));
}

class ProfileSourceTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(directory_.file(name)) << text;
    return directory_.file(name);
  }
  TemporaryDirectory directory_;
};

TEST_F(ProfileSourceTest, ProfileOfTheCredentialsFileCounts) {
  const auto file = write("credentials",
                          "# comment\n[default]\naws_access_key_id=D\naws_secret_access_key=E\n\n"
                          "[gateway]\naws_access_key_id = A\naws_secret_access_key = B/+\n"
                          "aws_session_token = C==\n");
  const auto credentials = found(profile_source("gateway", file, variables({})).fetch(soon()));
  EXPECT_EQ(credentials.access_key_id, "A");
  EXPECT_EQ(credentials.secret_access_key, "B/+");
  EXPECT_EQ(credentials.session_token, "C==");
  EXPECT_EQ(found(profile_source("default", file, variables({})).fetch(soon())).access_key_id, "D");
  EXPECT_EQ(
      found(profile_source("default", file, variables({{"AWS_PROFILE", "gateway"}})).fetch(soon()))
          .access_key_id,
      "A");
}

TEST_F(ProfileSourceTest, LongTokenIsWhole) {
  const std::string token(8000, 'x');
  const auto file = write("credentials",
                          "[default]\naws_access_key_id=D\naws_secret_access_key=E\n"
                          "aws_session_token=" +
                              token + "\n");
  EXPECT_EQ(found(profile_source("default", file, variables({})).fetch(soon())).session_token,
            token);
}

TEST_F(ProfileSourceTest, ConfigurationFileCallsProfilesByTheirWord) {
  const auto file =
      write("config", "[profile gateway]\naws_access_key_id=A\naws_secret_access_key=B\n");
  const auto environment = variables(
      {{"AWS_CONFIG_FILE", file}, {"AWS_SHARED_CREDENTIALS_FILE", directory_.file("missing")}});
  EXPECT_EQ(found(profile_source("gateway", "", environment).fetch(soon())).access_key_id, "A");
  const auto fault = fault_of(profile_source("other", "", environment).fetch(soon()));
  EXPECT_TRUE(fault.absent);
  EXPECT_THAT(fault.cause, HasSubstr("no keys for profile other"));
}

TEST_F(ProfileSourceTest, HomeIsWhereTheFilesAreUnlessSaidOtherwise) {
  std::filesystem::create_directory(directory_.path() / ".aws");
  write(".aws/credentials", "[default]\naws_access_key_id=A\naws_secret_access_key=B\n");
  EXPECT_EQ(found(profile_source("default", "", variables({{"HOME", directory_.path().string()}}))
                      .fetch(soon()))
                .access_key_id,
            "A");
  EXPECT_TRUE(fault_of(profile_source("default", "", variables({})).fetch(soon())).absent);
}

TEST_F(ProfileSourceTest, FileReplacedOnDiskIsReadAnew) {
  const auto file = write("c", "[default]\naws_access_key_id=A\naws_secret_access_key=B\n");
  ProfileSource source("default", file, variables({}), nobody_to_ask());
  EXPECT_TRUE(source.can_change());
  EXPECT_EQ(found(source.fetch(soon())).access_key_id, "A");
  write("c", "[default]\naws_access_key_id=N\naws_secret_access_key=B\n");
  EXPECT_EQ(found(source.fetch(soon())).access_key_id, "N");
}

TEST_F(ProfileSourceTest, ProfileThatAsksSomebodyElseIsAFaultThatNamesTheKey) {
  for (const char* key : {"credential_process", "sso_session", "sso_start_url", "login_session"}) {
    const auto file = write("c", std::string("[default]\n") + key + " = x\n");
    const auto fault = fault_of(profile_source("default", file, variables({})).fetch(soon()));
    EXPECT_FALSE(fault.absent) << key;
    EXPECT_THAT(fault.cause, HasSubstr(std::string(key) + " is not supported"));
  }
}

TEST_F(ProfileSourceTest, KeysCountInAnyCase) {
  const auto file = write("c", "[default]\nAWS_ACCESS_KEY_ID=A\nAws_Secret_Access_Key=B\n");
  EXPECT_EQ(found(profile_source("default", file, variables({})).fetch(soon())).access_key_id, "A");
}

TEST_F(ProfileSourceTest, OlderNameOfTheSessionTokenCounts) {
  const auto file = write("c",
                          "[default]\naws_access_key_id=A\naws_secret_access_key=B\n"
                          "aws_security_token=C\n");
  EXPECT_EQ(found(profile_source("default", file, variables({})).fetch(soon())).session_token, "C");
}

TEST_F(ProfileSourceTest, ConfigurationFileMayQuoteNamesAndSpellTheDefaultOut) {
  const std::string pair = "\naws_access_key_id=A\naws_secret_access_key=B\n";
  const std::pair<std::string, std::string> sections[] = {
      {"[profile default]", "default"},
      {"[default]", "default"},
      {"[profile \"my gateway\"]", "my gateway"},
      {"[profile 'my gateway']", "my gateway"},
      {"[profile \t gateway ]", "gateway"}};
  for (const auto& [section, name] : sections) {
    const auto file = write("config", section + pair);
    const auto environment = variables({{"AWS_CONFIG_FILE", file}});
    EXPECT_EQ(found(profile_source(name, "", environment).fetch(soon())).access_key_id, "A")
        << section;
  }
  for (const std::string section : {"[gateway]", "[profile my gateway]", "[profilegateway]",
                                    "[profile \"gateway]", "[sso-session gateway]"}) {
    const auto file = write("config", section + pair);
    const auto environment = variables({{"AWS_CONFIG_FILE", file}});
    EXPECT_TRUE(fault_of(profile_source("gateway", "", environment).fetch(soon())).absent)
        << section;
  }
}

TEST_F(ProfileSourceTest, OlderVariableForTheProfileWinsAsInBotocore) {
  const auto file = write("c",
                          "[old]\naws_access_key_id=O\naws_secret_access_key=B\n"
                          "[new]\naws_access_key_id=N\naws_secret_access_key=B\n");
  const auto id = [&](std::map<std::string, std::string> values) {
    return found(profile_source("default", file, variables(std::move(values))).fetch(soon()))
        .access_key_id;
  };
  EXPECT_EQ(id({{"AWS_DEFAULT_PROFILE", "old"}}), "O");
  EXPECT_EQ(id({{"AWS_PROFILE", "new"}}), "N");
  EXPECT_EQ(id({{"AWS_DEFAULT_PROFILE", "old"}, {"AWS_PROFILE", "new"}}), "O");
}

TEST_F(ProfileSourceTest, TildeIsTheHomeDirectory) {
  write("mine", "[default]\naws_access_key_id=A\naws_secret_access_key=B\n");
  const auto environment =
      variables({{"HOME", directory_.path().string()}, {"AWS_SHARED_CREDENTIALS_FILE", "~/mine"}});
  EXPECT_EQ(found(profile_source("default", "", environment).fetch(soon())).access_key_id, "A");
}

TEST_F(ProfileSourceTest, PipeIsAFaultAndNobodyWaitsForItsWriter) {
  const auto pipe = directory_.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(fault_of(profile_source("default", pipe, variables({})).fetch(soon())).cause,
              HasSubstr("is not a regular file"));
}

TEST_F(ProfileSourceTest, HalfAPairIsAFaultThatDoesNotQuoteIt) {
  const auto file = write("c", "[default]\naws_secret_access_key=hush\n");
  EXPECT_THAT(fault_of(profile_source("default", file, variables({})).fetch(soon())).cause,
              AllOf(HasSubstr("access key id is empty"), Not(HasSubstr("hush"))));
}

TEST(IotSourceTest, AsksForTheRoleAliasAndNamesTheThing) {
  ScriptedServer server;
  server.will_answer(200, iot_document, date_of_2018);
  IotSource source({.provider = {.host = "c1.example.com", .certificate_file = "c.pem"},
                    .role_alias = "gateway",
                    .thing_name = "gw-1"},
                   server.opener(), clock_of_2020);
  const auto before = std::chrono::steady_clock::now();
  const auto credentials = found(source.fetch(soon()));
  EXPECT_EQ(credentials.access_key_id, "ASIA1");
  EXPECT_EQ(credentials.session_token, "t/+=");
  EXPECT_EQ(credentials.expiration, 1516267086);
  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].request.target, "/role-aliases/gateway/credentials");
  EXPECT_EQ(header_of(asked[0].request, "x-amzn-iot-thingname"), "gw-1");
  EXPECT_EQ(asked[0].origin.certificate_file, "c.pem");
  // An hour by the provider's clock, although by ours they ended two years ago.
  ASSERT_TRUE(credentials.expires);
  EXPECT_GE(*credentials.expires, before + 3599s);
  EXPECT_LT(*credentials.expires, before + 3700s);
}

TEST(IotSourceTest, RefusalNamesHostStatusAndMessage) {
  ScriptedServer server;
  server.will_answer(403, R"({"message":"Access Denied","traceId":"x"})");
  IotSource source({.provider = {.host = "c1.example.com"}, .role_alias = "a", .thing_name = ""},
                   server.opener(), clock_of_2020);
  EXPECT_THAT(fault_of(source.fetch(soon())).cause,
              AllOf(HasSubstr("c1.example.com"), HasSubstr("403"), HasSubstr("Access Denied")));
}

TEST(IotSourceTest, MessageOfARefusalIsKeptReadableOnOneLineAndCutBetweenCharacters) {
  const std::string long_text = std::string(199, 'x') + "üü";
  for (const auto& [said, kept] :
       {std::pair<std::string, std::string>("nicht für\nSie", "HTTP 403: nicht für Sie"),
        std::pair<std::string, std::string>(long_text, "HTTP 403: " + std::string(199, 'x'))}) {
    ScriptedServer server;
    server.will_answer(403, nlohmann::json{{"message", said}}.dump());
    IotSource source({.provider = {.host = "c1.example.com"}, .role_alias = "a", .thing_name = ""},
                     server.opener(), clock_of_2020);
    EXPECT_THAT(fault_of(source.fetch(soon())).cause, ::testing::EndsWith(kept));
  }
}

TEST(CredentialDocumentTest, NonsenseIsAFaultThatQuotesNoSecret) {
  for (
      const char* body :
      {"", "[]", "{", "{}", R"({"credentials":[]})", R"({"credentials":{"accessKeyId":"A"}})",
       R"({"credentials":{"accessKeyId":"A","secretAccessKey":"hush hush","sessionToken":"t"}})",
       R"({"credentials":{"accessKeyId":"A","secretAccessKey":"hush","expiration":"tomorrow"}})",
       R"({"credentials":{"accessKeyId":"A","secretAccessKey":"hush","expiration":5}})",
       R"({"credentials":{"accessKeyId":"A","secretAccessKey":"hush","expiration":"1999-01-01T00:00:00Z"}})"}) {
    HttpResponse response;
    response.status = 200;
    response.body = body;
    const auto fault =
        fault_of(read_document(response, DocumentForm::iot, "there", soon(), clock_of_2020()));
    EXPECT_THAT(fault.cause, AllOf(HasSubstr("there"), Not(HasSubstr("hush")))) << body;
  }
}

TEST(CredentialDocumentTest, TimestampsAreReadWithAFractionOrAnOffset) {
  EXPECT_EQ(read_timestamp("2018-01-18T09:18:06Z"), 1516267086);
  EXPECT_EQ(read_timestamp("2018-01-18T09:18:06.123Z"), 1516267086);
  EXPECT_EQ(read_timestamp("2018-01-18T10:18:06+01:00"), 1516267086);
  EXPECT_EQ(read_timestamp("2018-01-18T05:48:06.5-0330"), 1516267086);
  EXPECT_EQ(read_timestamp("2018-01-18T09:18:06+00:00"), 1516267086);
  for (const char* offset : {"+1:00", "+24:00", "+01:60", "+01", "+01:00x", "+0a:00", "01:00"}) {
    EXPECT_FALSE(read_timestamp(std::string("2018-01-18T09:18:06") + offset)) << offset;
  }
  EXPECT_FALSE(read_timestamp("2018-01-18T09:18:06"));
  EXPECT_FALSE(read_timestamp("2018-01-18"));
  EXPECT_FALSE(read_timestamp(""));
}

TEST(ContainerSourceTest, RelativeUriMeansTheAgentOfEcs) {
  ScriptedServer server;
  server.will_answer(200, instance_document, date_of_2018);
  ContainerSource source(variables({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"},
                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic q"}}),
                         server.opener(), clock_of_2020);
  EXPECT_EQ(found(source.fetch(soon())).access_key_id, "ASIA1");
  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].origin.host, "169.254.170.2");
  EXPECT_FALSE(asked[0].origin.tls);
  EXPECT_FALSE(asked[0].origin.through_proxy);
  EXPECT_EQ(asked[0].request.target, "/v2/x");
  EXPECT_EQ(header_of(asked[0].request, "Authorization"), "Basic q");
}

TEST(ContainerSourceTest, FullUriAndTokenFileMeanTheAgentOfEks) {
  const TemporaryDirectory directory;
  const auto file = directory.file("token");
  std::ofstream(file) << "fresh\n";
  ScriptedServer server;
  server.will_answer(200, instance_document, date_of_2018);
  ContainerSource source(
      variables({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::23]:81/v1/credentials"},
                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file}}),
      server.opener(), clock_of_2020);
  EXPECT_EQ(found(source.fetch(soon())).access_key_id, "ASIA1");
  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].origin.host, "fd00:ec2::23");
  EXPECT_EQ(asked[0].origin.port, 81);
  EXPECT_EQ(asked[0].request.target, "/v1/credentials");
  EXPECT_EQ(header_of(asked[0].request, "Authorization"), "fresh");
}

TEST(ContainerSourceTest, TokenThatTheAgentRepeatsIsLeftOutAlsoWhereTheTextIsCut) {
  const std::string token(150, 'h');
  for (const auto& said :
       {"bad token " + token + ", and " + token, std::string(190, 'x') + token}) {
    ScriptedServer server;
    server.will_answer(400, nlohmann::json{{"message", said}}.dump());
    ContainerSource source(variables({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"},
                                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", token}}),
                           server.opener(), clock_of_2020);
    const auto cause = fault_of(source.fetch(soon())).cause;
    EXPECT_THAT(cause, HasSubstr("(a secre"));
    EXPECT_THAT(cause, ::testing::Not(HasSubstr("hhhh")));
  }
}

TEST(ContainerSourceTest, PlainHttpToAnotherHostAndWhatIsNoUrlAreRefused) {
  ScriptedServer server;
  for (const char* url :
       {"http://evil.example.com/x", "http://127.0.0.1.example.com/x", "http://169.254.170.3/x",
        "ftp://a/x", "http://", "http://a b/", "https://h:0/", "https://h:x/"}) {
    ContainerSource source(variables({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}}),
                           server.opener(), clock_of_2020);
    EXPECT_FALSE(fault_of(source.fetch(soon())).absent) << url;
  }
  EXPECT_TRUE(server.asked().empty());
  EXPECT_TRUE(fault_of(ContainerSource(variables({}), server.opener(), clock_of_2020).fetch(soon()))
                  .absent);
}

TEST(InstanceSourceTest, GetsASessionThenTheRoleThenItsCredentials) {
  ScriptedServer server;
  server.will_answer(200, "session");
  server.will_answer(200, "gateway-role\n");
  server.will_answer(200, instance_document, date_of_2018);
  InstanceSource source(variables({}), server.opener(), clock_of_2020);
  EXPECT_EQ(found(source.fetch(soon())).access_key_id, "ASIA1");
  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_EQ(asked[0].origin.host, "169.254.169.254");
  EXPECT_EQ(asked[0].request.method, "PUT");
  EXPECT_EQ(asked[0].request.target, "/latest/api/token");
  EXPECT_EQ(asked[2].request.target, "/latest/meta-data/iam/security-credentials/gateway-role");
  EXPECT_EQ(header_of(asked[2].request, "X-aws-ec2-metadata-token"), "session");
}

TEST(InstanceSourceTest, MachineThatIsNoInstanceAndOneWithoutARoleHaveNone) {
  ScriptedServer nobody;
  EXPECT_TRUE(
      fault_of(InstanceSource(variables({}), nobody.opener(), clock_of_2020).fetch(soon())).absent);
  ScriptedServer roleless;
  roleless.will_answer(200, "session");
  roleless.will_answer(404, "");
  EXPECT_TRUE(
      fault_of(InstanceSource(variables({}), roleless.opener(), clock_of_2020).fetch(soon()))
          .absent);
  ScriptedServer off;
  for (const char* word : {"true", "TRUE", "True"}) {
    const auto disabled = variables({{"AWS_EC2_METADATA_DISABLED", word}});
    EXPECT_TRUE(
        fault_of(InstanceSource(disabled, off.opener(), clock_of_2020).fetch(soon())).absent);
  }
  EXPECT_TRUE(off.asked().empty());
}

TEST(InstanceSourceTest, AnswerThatDoesNotComeThroughNamesTheHopLimit) {
  const auto cause_after = [](HttpFailure::Kind kind, bool maybe_sent) {
    ScriptedServer server;
    server.will_answer(HttpOutcome(HttpFailure{kind, maybe_sent, "no answer within 2 s"}));
    const auto fault =
        fault_of(InstanceSource(variables({}), server.opener(), clock_of_2020).fetch(soon()));
    EXPECT_TRUE(fault.absent);
    return fault.cause;
  };
  EXPECT_THAT(cause_after(HttpFailure::Kind::timeout, true),
              AllOf(HasSubstr("no answer within 2 s"), HasSubstr("hop-limit 2")));
  EXPECT_THAT(cause_after(HttpFailure::Kind::timeout, false), Not(HasSubstr("hop")));
  EXPECT_THAT(cause_after(HttpFailure::Kind::connect, true), Not(HasSubstr("hop")));
}

/// A source that says what a test tells it to.
class ToldSource final : public CredentialSource {
 public:
  using Outcome = Result<Credentials, SourceFault>;
  explicit ToldSource(std::string name, std::deque<Outcome>& outcomes)
      : name_(std::move(name)), outcomes_(outcomes) {}
  [[nodiscard]] std::string name() const override { return name_; }
  Outcome fetch(MonotonicTime) override {
    auto outcome = outcomes_.front();
    outcomes_.pop_front();
    return outcome;
  }
  bool is_there() override {
    return !outcomes_.empty() && (outcomes_.front() || !outcomes_.front().error().absent);
  }

 private:
  const std::string name_;
  std::deque<Outcome>& outcomes_;
};

TEST(SourceChainTest, FirstThatHasCredentialsStaysWhileItIsThere) {
  const Failure absent{SourceFault{.absent = true, .cause = "not here"}};
  const Failure broken{SourceFault{.absent = false, .cause = "down"}};
  std::deque<ToldSource::Outcome> first{absent, absent, absent};
  std::deque<ToldSource::Outcome> second{keys("B"), broken, keys("B"), absent, absent};
  std::vector<std::unique_ptr<CredentialSource>> sources;
  sources.push_back(std::make_unique<ToldSource>("one", first));
  sources.push_back(std::make_unique<ToldSource>("two", second));
  SourceChain chain(std::move(sources));
  EXPECT_EQ(found(chain.fetch(soon())).access_key_id, "B");
  EXPECT_EQ(chain.name(), "two");
  EXPECT_EQ(fault_of(chain.fetch(soon())).cause, "down");
  EXPECT_EQ(first.size(), 2U) << "its troubles must not let another take over";
  EXPECT_EQ(found(chain.fetch(soon())).access_key_id, "B");
  const auto gone = fault_of(chain.fetch(soon()));
  EXPECT_EQ(gone.cause, "one: not here; two: not here");
  EXPECT_EQ(chain.name(), "the default sources") << "none of them is in use any more";
}

TEST(SourceChainTest, OneThatIsThereButDoesNotWorkIsNotPassedOver) {
  const Failure broken{SourceFault{.absent = false, .cause = "down"}};
  std::deque<ToldSource::Outcome> first{broken, keys("A")};
  std::deque<ToldSource::Outcome> second{keys("B")};
  std::vector<std::unique_ptr<CredentialSource>> sources;
  sources.push_back(std::make_unique<ToldSource>("one", first));
  sources.push_back(std::make_unique<ToldSource>("two", second));
  SourceChain chain(std::move(sources));
  const auto fault = fault_of(chain.fetch(soon()));
  EXPECT_FALSE(fault.absent);
  EXPECT_EQ(fault.cause, "one: down");
  EXPECT_EQ(second.size(), 1U) << "it would be another identity than the one that is meant";
  EXPECT_EQ(found(chain.fetch(soon())).access_key_id, "A");
}

TEST(SourceChainTest, OneThatComesFirstAndIsThereAgainTakesOver) {
  const Failure absent{SourceFault{.absent = true, .cause = "is empty"}};
  const Failure broken{SourceFault{.absent = false, .cause = "down"}};
  std::deque<ToldSource::Outcome> first{keys("A"), absent, absent, broken, keys("A")};
  std::deque<ToldSource::Outcome> second{keys("B"), keys("B")};
  std::vector<std::unique_ptr<CredentialSource>> sources;
  sources.push_back(std::make_unique<ToldSource>("file", first));
  sources.push_back(std::make_unique<ToldSource>("instance", second));
  SourceChain chain(std::move(sources));
  EXPECT_EQ(found(chain.fetch(soon())).access_key_id, "A");
  EXPECT_FALSE(chain.has_returned());
  EXPECT_EQ(found(chain.fetch(soon())).access_key_id, "B") << "the file is empty";
  EXPECT_TRUE(chain.has_returned());
  EXPECT_EQ(found(chain.fetch(soon())).access_key_id, "B") << "the file is there, and broken";
  EXPECT_TRUE(chain.has_returned());
  EXPECT_EQ(found(chain.fetch(soon())).access_key_id, "A");
  EXPECT_EQ(chain.name(), "file");
  EXPECT_FALSE(chain.has_returned());
}

TEST_F(ProfileSourceTest, IsThereOnceItsFileHasItsKeys) {
  const auto file = write("c", "");
  ProfileSource source("default", file, variables({}), nobody_to_ask(), ProfileSource::Part::rest);
  ProfileSource role("default", file, variables({}), nobody_to_ask(), ProfileSource::Part::role);
  EXPECT_FALSE(source.is_there());
  write("c", "[default]\naws_access_key_id=A\n");
  EXPECT_FALSE(source.is_there());
  write("c", "[default]\naws_access_key_id=A\naws_secret_access_key=B\n");
  EXPECT_TRUE(source.is_there());
  EXPECT_FALSE(role.is_there());
  write("c", "[default]\nrole_arn=arn:aws:iam::1:role/x\nsource_profile=other\n");
  EXPECT_FALSE(source.is_there());
  EXPECT_TRUE(role.is_there());
}

}  // namespace
}  // namespace jobs_bridge::aws
