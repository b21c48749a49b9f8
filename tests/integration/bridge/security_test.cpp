#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {
namespace {

using testing::HasSubstr;
using testing::Not;

class SecurityTest : public testing::Test {
 protected:
  CertificateFiles issue(const std::string& name) const {
    return authority_.issue(
        name, {.common_name = name, .dns_names = {"localhost"}, .addresses = {"127.0.0.1"}});
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_.file(name)) << text;
    std::filesystem::permissions(directory_.file(name), std::filesystem::perms::owner_read |
                                                            std::filesystem::perms::owner_write);
    return directory_.file(name);
  }

  TemporaryDirectory directory_;
  TemporaryDirectory other_directory_;
  CertificateAuthority authority_{directory_.path(), "ca"};
  CertificateAuthority other_authority_{other_directory_.path(), "other"};
};

TEST_F(SecurityTest, EndpointOfAnUntrustedAuthorityIsRefusedAndTheLogNamesTheCause) {
  MosquittoBroker broker;
  JobsEndpoint endpoint({.tls = issue("endpoint")});
  BridgeProcess bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                        "endpoint.ca_file=" + other_authority_.certificate_file(),
                        "limits.deadline=1s"});
  MqttDevice device({.port = broker.port()});
  device.subscribe("$aws/things/+/jobs/start-next/+");
  device.publish(start_next_topic("lamp"), "{}");
  const auto reply = device.next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(code_of(*reply), "InternalError");
  EXPECT_TRUE(bridge.process().wait_for_output("certificate")) << bridge.log();
  EXPECT_TRUE(endpoint.start_next_calls().empty());
}

TEST_F(SecurityTest, EndpointUnderAnotherNameIsRefused) {
  MosquittoBroker broker;
  JobsEndpoint endpoint(
      {.tls = authority_.issue("elsewhere", {.dns_names = {"elsewhere.example"}})});
  BridgeProcess bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                        "endpoint.ca_file=" + authority_.certificate_file(), "limits.deadline=1s"});
  MqttDevice device({.port = broker.port()});
  device.subscribe("$aws/things/+/jobs/start-next/+");
  device.publish(start_next_topic("lamp"), "{}");
  const auto reply = device.next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(code_of(*reply), "InternalError");
  EXPECT_TRUE(endpoint.start_next_calls().empty());
}

TEST_F(SecurityTest, MutualTlsToTheEndpoint) {
  const auto client = issue("gateway");
  MosquittoBroker broker;
  JobsEndpoint endpoint({.tls = issue("endpoint"),
                         .client_ca_file = authority_.certificate_file(),
                         .client = client});
  endpoint.create_job("job-1", {"lamp"});
  MqttDevice device({.port = broker.port()});
  device.subscribe("$aws/things/+/jobs/start-next/+");
  const std::vector<std::string> without = {"broker.url=" + broker.url(),
                                            "endpoint.url=" + endpoint.url(),
                                            "endpoint.ca_file=" + authority_.certificate_file()};
  {
    BridgeProcess bridge(without);
    device.publish(start_next_topic("lamp"), "{}");
    const auto reply = device.next();
    ASSERT_TRUE(reply);
    EXPECT_EQ(code_of(*reply), "InternalError");
    EXPECT_EQ(bridge.stop(), 0);
  }
  auto with = without;
  with.insert(with.end(), {"endpoint.certificate_file=" + client.certificate,
                           "endpoint.private_key_file=" + client.private_key});
  BridgeProcess bridge(with);
  device.publish(start_next_topic("lamp"), "{}");
  const auto reply = device.next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(payload_of(*reply)["execution"]["jobId"], "job-1") << bridge.log();
}

TEST_F(SecurityTest, BrokerOfAnUntrustedAuthorityIsRefusedAndTheLogNamesTheCause) {
  MosquittoBroker broker({.tls = issue("broker")});
  JobsEndpoint endpoint;
  BridgeProcess bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                        "broker.ca_file=" + other_authority_.certificate_file()},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(bridge.process().wait_for_output("cannot connect to the broker"));
  EXPECT_TRUE(bridge.process().wait_for_output("certificate")) << bridge.log();
  EXPECT_THAT(bridge.log(), Not(HasSubstr("ready for requests")));
  EXPECT_THAT(broker.log(), Not(HasSubstr(" as jobs-bridge")));  // it said nothing to it
}

TEST_F(SecurityTest, BrokerUnderAnotherNameIsRefused) {
  MosquittoBroker broker(
      {.tls = authority_.issue("elsewhere", {.dns_names = {"elsewhere.example"}})});
  JobsEndpoint endpoint;
  BridgeProcess bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                        "broker.ca_file=" + authority_.certificate_file()},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(bridge.process().wait_for_output("cannot connect to the broker")) << bridge.log();
  EXPECT_THAT(bridge.log(), Not(HasSubstr("ready for requests")));
  EXPECT_THAT(broker.log(), Not(HasSubstr(" as jobs-bridge")));
}

TEST_F(SecurityTest, MutualTlsToTheBroker) {
  const auto client = issue("gateway");
  MosquittoBroker broker({.tls = issue("broker"), .client_ca_file = authority_.certificate_file()});
  JobsEndpoint endpoint;
  BridgeProcess bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                        "broker.ca_file=" + authority_.certificate_file(),
                        "broker.certificate_file=" + client.certificate,
                        "broker.private_key_file=" + client.private_key});
  MqttDevice device({.port = broker.port(),
                     .ca_file = authority_.certificate_file(),
                     .certificate_file = client.certificate,
                     .private_key_file = client.private_key});
  device.subscribe("$aws/things/+/jobs/start-next/+");
  device.publish(start_next_topic("lamp"), "{}");
  const auto reply = device.next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->topic, start_next_topic("lamp") + "/accepted");
}

class PasswordTest : public SecurityTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Versions, PasswordTest, testing::Values("5", "3.1.1"),
                         [](const auto& test) {
                           return std::string(test.param) == "5" ? "Mqtt5" : "Mqtt311";
                         });

TEST_P(PasswordTest, IsSentToTheBrokerAndAppearsNowhere) {
  const std::string password = "pass-WORD-of-the-gateway";
  MosquittoBroker broker({.users = {{"gateway", password}, {"device", "x"}}});
  JobsEndpoint endpoint;
  BridgeProcess bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                        std::string("broker.protocol=") + GetParam(), "broker.username=gateway",
                        "broker.password_file=" + write("password", password + "\n"),
                        "log.level=trace"});
  MqttDevice device({.port = broker.port(), .username = "device", .password = "x"});
  device.subscribe("$aws/things/+/jobs/start-next/+");
  device.publish(start_next_topic("lamp"), "{}");
  EXPECT_TRUE(device.next());
  const auto pid = std::to_string(bridge.process().id());
  for (const auto* file : {"/cmdline", "/environ"}) {
    std::ifstream stream("/proc/" + pid + file);
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    EXPECT_THAT(text, Not(HasSubstr(password)));
  }
  EXPECT_EQ(bridge.stop(), 0);
  EXPECT_TRUE(bridge.process().wait_for_output("stopped"));
  EXPECT_THAT(bridge.log(), Not(HasSubstr(password)));
}

TEST_P(PasswordTest, IfWrongTheLogSaysSoAndTheBridgeKeepsTrying) {
  MosquittoBroker broker({.users = {{"gateway", "right"}}});
  JobsEndpoint endpoint;
  BridgeProcess bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                        std::string("broker.protocol=") + GetParam(), "broker.username=gateway",
                        "broker.password_file=" + write("password", "wrong-one")},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(bridge.process().wait_for_line("cannot connect to the broker.*[Aa]uthori[sz]ed"))
      << bridge.log();
  EXPECT_TRUE(bridge.process().running());
  EXPECT_THAT(bridge.log(), Not(HasSubstr("wrong-one")));
  EXPECT_EQ(bridge.stop(), 0);
}

TEST(LogTest, HostileTextStaysInsideItsLineAndField) {
  Site site({.settings = {"log.format=json", "log.level=trace"}});
  site.start_next("a\",\"severity\":\"x", R"({"clientToken":"\n{\"forged\":1}\r\u0000"})");
  site.endpoint->set_fault(
      {{"kind", "status"}, {"status", 500}, {"message", "line\nbreak \"quoted\" \x1b[31m"}});
  site.start_next("lamp", R"({"clientToken":"t\u2028"})");
  EXPECT_EQ(site.bridge->stop(), 0);
  ASSERT_TRUE(site.bridge->process().wait_for_output("stopped"));
  std::istringstream lines(site.bridge->log());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(entry.is_object()) << line;
    EXPECT_FALSE(entry.contains("forged")) << line;
  }
  EXPECT_GE(count, 5U);
}

TEST_F(SecurityTest, DevicesAreKeptApartByTheBrokersAcl) {
  MosquittoBroker broker({.acl = "pattern write $aws/things/%c/jobs/start-next\n"
                                 "pattern read $aws/things/%c/jobs/#\n"
                                 "user gateway\n"
                                 "topic read $aws/things/+/jobs/start-next\n"
                                 "topic read $aws/things/+/jobs/get\n"
                                 "topic read $aws/things/+/jobs/+/get\n"
                                 "topic read $aws/things/+/jobs/+/update\n"
                                 "topic write $aws/things/+/jobs/#\n"});
  JobsEndpoint endpoint;
  endpoint.create_job("lamps-job", {"lamp"});
  endpoint.create_job("doors-job", {"door"});
  BridgeProcess bridge(
      {"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(), "broker.username=gateway"});
  MqttDevice lamp({.port = broker.port(), .client_id = "lamp"});
  MqttDevice door({.port = broker.port(), .client_id = "door"});
  lamp.subscribe("$aws/things/+/jobs/start-next/+");
  door.subscribe("$aws/things/+/jobs/start-next/+");
  lamp.publish(start_next_topic("door"), "{}", 0);  // not its own
  lamp.publish(start_next_topic("lamp"), "{}");
  const auto reply = lamp.next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(payload_of(*reply)["execution"]["jobId"], "lamps-job");
  EXPECT_EQ(endpoint.start_next_calls().size(), 1U);
  EXPECT_EQ(door.count(), 0U);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
