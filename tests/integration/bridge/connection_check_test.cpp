#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/integration/bridge/site.h"

/// `jobs-bridge check --connect`: each finding with its hint.
namespace jobs_bridge::testing_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Checked {
  int status = -1;
  std::string output;
};

class ConnectionCheckTest : public ::testing::Test {
 protected:
  /// With settings that suit the site but for `changes`.
  Checked check(const std::vector<std::string>& changes, Process::Environment environment = {}) {
    std::ofstream(directory_.file("jobs-bridge.toml")) << "[log]\n";
    std::map<std::string, std::string> settings = {{"broker.url", broker_.url()},
                                                   {"endpoint.url", endpoint_.url()},
                                                   {"credentials.source", "none"},
                                                   {"journal.path", directory_.file("journal")},
                                                   {"admin.listen", "127.0.0.1:0"}};
    for (const auto& change : changes) {
      const auto equals = change.find('=');
      settings[change.substr(0, equals)] = change.substr(equals + 1);
    }
    std::vector<std::string> command = {JOBS_BRIDGE_PROGRAM, "check", "--connect", "--config",
                                        directory_.file("jobs-bridge.toml")};
    for (const auto& [key, value] : settings) {
      command.insert(command.end(), {"--set", key + "=" + value});
    }
    Process bridge(command, environment);
    const auto status = bridge.wait();
    return {.status = status.value_or(-1), .output = bridge.output()};
  }

  TemporaryDirectory directory_;
  MosquittoBroker broker_;
  JobsEndpoint endpoint_;
};

TEST_F(ConnectionCheckTest, AllWellIsSaidOfEachAndExitsWithZero) {
  const auto checked = check({});
  EXPECT_EQ(checked.status, 0) << checked.output;
  for (const auto* line : {"broker       ok", "topics       ok", "endpoint     ok",
                           "journal      ok", "queue        ok"}) {
    EXPECT_THAT(checked.output, HasSubstr(line));
  }
  EXPECT_THAT(checked.output, Not(HasSubstr("FAULT")));
  if (geteuid() != 0) return;
  // Of the same configuration.
  EXPECT_THAT(checked.output,
              HasSubstr("hint:  to check as the service's user: runuser -u jobs-bridge -- "
                        "jobs-bridge check --connect --config " +
                        directory_.file("jobs-bridge.toml") + " --set admin.listen=127.0.0.1:0 "));
}

TEST_F(ConnectionCheckTest, TokenThatTheListenerWouldRefuseIsAFault) {
  const auto token = directory_.file("token");
  std::ofstream(token) << "short\n";
  std::filesystem::permissions(token, std::filesystem::perms::owner_read);
  const auto checked = check({"admin.token_file=" + token});
  EXPECT_EQ(checked.status, 1) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("16 or more visible ASCII characters"));
}

TEST_F(ConnectionCheckTest, NothingIsMadeAndNoJobIsStarted) {
  endpoint_.create_job("job-1", {"jobs-bridge-check"});
  EXPECT_EQ(check({}).status, 0);
  EXPECT_FALSE(std::ifstream(directory_.file("journal")).is_open());
  EXPECT_TRUE(endpoint_.start_next_calls().empty());
}

TEST_F(ConnectionCheckTest, BrokerThatIsNotThereIsAFaultWithACureAndTheRestIsStillTried) {
  const auto checked = check({"broker.url=mqtt://127.0.0.1:1"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(
      checked.output,
      HasSubstr("broker       FAULT  mqtt://127.0.0.1:1: no TCP "
                "connection: nothing listens on this port (Connection refused) [unreachable]"
                "\n             hint:  start the broker"));
  EXPECT_THAT(checked.output, HasSubstr("endpoint     ok"));
}

TEST_F(ConnectionCheckTest, EachAddressOfTheBrokerHasALineAndOneThatIsAwayIsAFault) {
  const auto checked = check({"broker.url=mqtt://127.0.0.1:1," + broker_.url()});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.output, HasSubstr("broker       FAULT  mqtt://127.0.0.1:1: no TCP"));
  EXPECT_THAT(checked.output,
              HasSubstr("broker       ok     " + broker_.url() + ": a canary message"));
}

TEST_F(ConnectionCheckTest, TlsToAPlainPortAndTheReverseNameTheCure) {
  const auto tls = check({"broker.url=mqtts://127.0.0.1:" + std::to_string(broker_.port())});
  EXPECT_EQ(tls.status, 1) << tls.output;
  EXPECT_THAT(tls.output, HasSubstr("not TLS [plain_port]"));
  const CertificateAuthority authority(directory_.path());
  MosquittoBroker secure({.tls = authority.issue("broker", {.addresses = {"127.0.0.1"}})});
  const auto plain = check({"broker.url=mqtt://127.0.0.1:" + std::to_string(secure.port())});
  EXPECT_EQ(plain.status, 1) << plain.output;
  EXPECT_THAT(plain.output, HasSubstr("not plain MQTT [tls_port]"));
  EXPECT_THAT(plain.output, HasSubstr("hint:  set broker.url to mqtts://"));
}

TEST_F(ConnectionCheckTest, ClientCertificateThatTheEndpointWantsIsTheCureOfItsFault) {
  const CertificateAuthority authority(directory_.path());
  JobsEndpoint closed({.tls = authority.issue("endpoint", {.dns_names = {"localhost"}}),
                       .client_ca_file = authority.certificate_file(),
                       .client = authority.issue("client", {.common_name = "client"})});
  const auto missing =
      check({"endpoint.url=" + closed.url(), "endpoint.ca_file=" + authority.certificate_file()});
  EXPECT_EQ(missing.status, 1) << missing.output;
  EXPECT_THAT(missing.output, HasSubstr("the server requires a client certificate"));
  EXPECT_THAT(missing.output, HasSubstr("hint:  set endpoint.certificate_file"));
}

TEST_F(ConnectionCheckTest, BrokerOfQos0IsServedAndSaidToBeOneInEitherVersion) {
  MosquittoBroker poor({.configuration = "max_qos 0"});
  for (const auto* protocol : {"broker.protocol=5", "broker.protocol=3.1.1"}) {
    const auto checked = check({"broker.url=" + poor.url(), protocol});
    EXPECT_EQ(checked.status, 0) << checked.output;
    EXPECT_THAT(checked.output, HasSubstr("[qos_0_only]"));
    EXPECT_THAT(checked.output, HasSubstr("Jobs requests come in"));
  }
}

TEST_F(ConnectionCheckTest, BrokerThatRefusesCanariesIsNoFaultButHasACure) {
  MosquittoBroker closed({.acl = "topic readwrite $aws/things/+/jobs/#\n"});
  const auto checked = check({"broker.url=" + closed.url()});
  EXPECT_EQ(checked.status, 0) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("cannot tell whether messages flow"));
  EXPECT_THAT(checked.output, HasSubstr("hint:  allow the bridge's user to publish and subscribe"));
  EXPECT_THAT(checked.output,
              HasSubstr("topics       ok     Jobs requests come in; replies go out"));
}

TEST_F(ConnectionCheckTest, BrokerThatRefusesRepliesIsAFaultOfTheTopics) {
  MosquittoBroker closed({.acl = "topic readwrite jobs-bridge/canary/#\n"
                                 "topic read $aws/things/+/jobs/#\n"});
  for (const auto* group : {"", "broker.share_group=bridges"}) {
    std::vector<std::string> changes = {"broker.url=" + closed.url()};
    if (*group != 0) changes.emplace_back(group);
    const auto checked = check(changes);
    EXPECT_EQ(checked.status, 1) << checked.output;
    EXPECT_THAT(checked.output, HasSubstr("broker       ok"));
    EXPECT_THAT(checked.output, HasSubstr("topics       FAULT"));
    EXPECT_THAT(checked.output, HasSubstr("replies do not go out"));
    EXPECT_THAT(checked.output, HasSubstr("topic write $aws/things/+/jobs/#"));
  }
}

TEST_F(ConnectionCheckTest, TopicsOfAGroupAreTriedAsThoseOfAGroup) {
  const auto plain = check({"broker.share_group=bridges", "topics.base=fleet/{thing}/jobs"});
  EXPECT_EQ(plain.status, 0) << plain.output;
  EXPECT_THAT(plain.output, HasSubstr("topics       ok     Jobs requests come in; replies go out"));
  // mosquitto delivers nothing below $ to a group.
  const auto dollar = check({"broker.share_group=bridges"});
  EXPECT_EQ(dollar.status, 1) << dollar.output;
  EXPECT_THAT(dollar.output, HasSubstr("topics       FAULT  Jobs requests do not come in"));
}

TEST_F(ConnectionCheckTest, WrongSecretKeyIsAFaultOfTheEndpointThatNamesTheCredentials) {
  JobsEndpoint signing({.arguments = {"--sigv4", "AKIDEXAMPLE:right"}});
  const std::vector<std::string> settings = {"endpoint.url=" + signing.url(),
                                             "endpoint.region=us-east-1",
                                             "credentials.source=environment"};
  const auto with_secret = [](const char* secret) {
    return Process::Environment{{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                                {"AWS_SECRET_ACCESS_KEY", secret}};
  };
  const auto wrong = check(settings, with_secret("wrong-one"));
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.output, HasSubstr("hint:  check the credentials, endpoint.region"));
  EXPECT_THAT(wrong.output, Not(HasSubstr("wrong-one")));
  EXPECT_EQ(check(settings, with_secret("right")).status, 0);
}

TEST_F(ConnectionCheckTest, CredentialsThatAreNotThereAreAFaultOfTheirOwn) {
  const auto checked =
      check({"credentials.source=profile", "endpoint.region=us-east-1",
             "credentials.credentials_file=" + directory_.file("jobs-bridge.toml")});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.output, HasSubstr("credentials  FAULT  profile default"));
}

TEST_F(ConnectionCheckTest, EndpointOfAnUnknownAuthorityIsAFaultThatNamesTheSetting) {
  const CertificateAuthority authority(directory_.path());
  JobsEndpoint tls({.tls = authority.issue("endpoint", {.dns_names = {"localhost"}})});
  const auto unknown = check({"endpoint.url=" + tls.url()});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.output, HasSubstr("hint:  set endpoint.ca_file"));
  EXPECT_EQ(check({"endpoint.url=" + tls.url(), "endpoint.ca_file=" + authority.certificate_file()})
                .status,
            0);
}

TEST_F(ConnectionCheckTest, WhatIsNoJobsEndpointIsAFault) {
  const auto checked = check({"endpoint.url=http://127.0.0.1:" + std::to_string(broker_.port())});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.output, HasSubstr("the server there is not a Jobs endpoint"));
}

TEST_F(ConnectionCheckTest, JournalThatCannotBeWrittenIsAFault) {
  const auto checked = check({"journal.path=/proc/journal"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.output, HasSubstr("journal      FAULT  /proc/journal: "));
}

TEST_F(ConnectionCheckTest, JournalThatIsADirectoryIsAFault) {
  std::filesystem::create_directory(directory_.file("journal"));
  const auto checked = check({});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(
      checked.output,
      HasSubstr(
          "/journal: is a directory\n             hint:  journal.path must name a file, such as "));
}

TEST_F(ConnectionCheckTest, WhatTheRunningBridgeUsesIsInOrderAndItsBridgeGoesOn) {
  BridgeProcess running({"broker.url=" + broker_.url(), "endpoint.url=" + endpoint_.url(),
                         "journal.path=" + directory_.file("journal")});
  const auto line = running.process().wait_for_line("admin listener url=http://").value();
  const auto begin = line.find("http://") + std::string("http://").size();
  const auto checked =
      check({"admin.listen=" + line.substr(begin, line.find_first_of("/ \n", begin) - begin)});
  EXPECT_EQ(checked.status, 0) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("/journal: is in use by a running bridge"));
  EXPECT_THAT(checked.output, HasSubstr(" is in use by a running bridge, which is ready"));
  EXPECT_EQ(running.stop(), 0);
  const auto afterwards = check({});
  EXPECT_EQ(afterwards.status, 0) << afterwards.output;
}

TEST_F(ConnectionCheckTest, ARunningBridgeThatIsNotReadyIsAFaultWithItsCause) {
  const auto no_keys = directory_.file("credentials");
  std::ofstream(no_keys) << "[default]\n";
  BridgeProcess running({"broker.url=" + broker_.url(), "endpoint.url=" + endpoint_.url(),
                         "credentials.source=profile", "endpoint.region=us-east-1",
                         "credentials.credentials_file=" + no_keys},
                        BridgeProcess::Wait::until_subscribed);
  const auto line = running.process().wait_for_line("admin listener url=http://").value();
  const auto begin = line.find("http://") + std::string("http://").size();
  const auto checked =
      check({"admin.listen=" + line.substr(begin, line.find_first_of("/ \n", begin) - begin)});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.output, HasSubstr("in use by a running bridge, which is not ready: There "
                                        "are no credentials to sign with"));
  EXPECT_THAT(checked.output, HasSubstr("hint:  Check where they come from"));
}

TEST_F(ConnectionCheckTest, AJournalThatAnotherBridgeUsesIsAFault) {
  const BridgeProcess running({"broker.url=" + broker_.url(), "endpoint.url=" + endpoint_.url(),
                               "journal.path=" + directory_.file("journal")});
  const auto checked = check({});
  EXPECT_EQ(checked.status, 1) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("/journal: is in use by another bridge"));
}

TEST_F(ConnectionCheckTest, AnAdminAddressThatIsNoBridgesIsAFault) {
  const auto checked = check({"admin.listen=127.0.0.1:" + std::to_string(endpoint_.port())});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.output, HasSubstr("Address already in use"));
}

TEST_F(ConnectionCheckTest, AJournalThatIsNotADatabaseIsAFault) {
  std::ofstream(directory_.file("journal")) << "something else";
  const auto checked = check({});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.output, HasSubstr("/journal: is not a database"));
}

TEST_F(ConnectionCheckTest, RunningBridgeKeepsItsConnection) {
  BridgeProcess running({"broker.url=" + broker_.url(), "endpoint.url=" + endpoint_.url()});
  EXPECT_EQ(check({}).status, 0);
  EXPECT_THAT(running.log(), Not(HasSubstr("the connection to the broker")));
  EXPECT_EQ(running.stop(), 0);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
