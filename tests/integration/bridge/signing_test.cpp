#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/integration/bridge/site.h"
#include "tests/support/accepts_connections.h"
#include "tests/support/free_port.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

class SigningTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    // Atomically, as a file in use should be replaced.
    const auto path = directory_.file(name);
    std::ofstream(path + ".new") << text;
    std::filesystem::permissions(
        path + ".new", std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::rename(path + ".new", path);
    return path;
  }
  std::string profile(const std::string& secret_key, const std::string& token = {}) {
    return write("credentials",
                 "[default]\naws_access_key_id = AKIDEXAMPLE\n"
                 "aws_secret_access_key = " +
                     secret_key + "\n" +
                     (token.empty() ? "" : "aws_session_token = " + token + "\n"));
  }
  CertificateFiles issue(const std::string& name, const std::string& common_name) const {
    return authority_.issue(
        name, {.common_name = common_name, .dns_names = {"localhost"}, .addresses = {"127.0.0.1"}});
  }
  /// Broker, bridge and a device; the emulator must be there.
  void start_bridge(const std::vector<std::string>& settings,
                    BridgeProcess::Wait wait = BridgeProcess::Wait::until_ready) {
    broker_.emplace();
    std::vector<std::string> all = {
        "broker.url=" + broker_->url(), "endpoint.url=" + endpoint_->url(),
        "endpoint.region=eu-central-1", "endpoint.ca_file=" + authority_.certificate_file(),
        "log.level=trace"};
    all.insert(all.end(), settings.begin(), settings.end());
    bridge_.emplace(all, wait);
    device_ = std::make_unique<MqttDevice>(MqttDevice::Options{.port = broker_->port()});
    for (const auto* filter :
         {"$aws/things/+/jobs/+/accepted", "$aws/things/+/jobs/+/rejected",
          "$aws/things/+/jobs/+/+/accepted", "$aws/things/+/jobs/+/+/rejected"}) {
      device_->subscribe(filter);
    }
  }
  void start_with_profile(const std::string& secret_key, const std::string& token = {}) {
    start_bridge({"credentials.source=profile",
                  "credentials.credentials_file=" + profile(secret_key, token)});
  }
  MqttDevice::Received ask(const std::string& topic, std::string_view payload = "{}") {
    device_->publish(topic, payload);
    auto reply = device_->next();
    EXPECT_TRUE(reply) << bridge_->log();
    return reply.value_or(MqttDevice::Received{});
  }
  static void expect_accepted(const MqttDevice::Received& reply) {
    EXPECT_TRUE(reply.topic.ends_with("/accepted")) << reply.topic << " " << reply.payload;
  }
  std::set<std::string> values_of(const char* member) {
    std::set<std::string> values;
    const auto log = endpoint_->calls();
    for (const auto& call : log.at("calls")) {
      if (call.contains(member)) values.insert(call.at(member));
    }
    return values;
  }

  TemporaryDirectory directory_;
  CertificateAuthority authority_{directory_.path()};
  std::optional<MosquittoBroker> broker_;
  std::optional<JobsEndpoint> endpoint_;
  std::optional<BridgeProcess> bridge_;
  std::unique_ptr<MqttDevice> device_;
};

std::string static_key(const std::string& token = {}) {
  return std::string("AKIDEXAMPLE:") + secret + (token.empty() ? "" : ":" + token);
}

TEST_F(SigningTest, EveryOperationIsSignedAndNoSecretIsLogged) {
  const std::string token = "SESSION/TOKEN+EXAMPLE==";
  endpoint_.emplace(
      JobsEndpoint::Options{.arguments = {"--sigv4", static_key(token), "--region", "eu-central-1",
                                          "--things", "my:1:1", "--strict-things"}});
  start_with_profile(secret, token);
  const std::string base = "$aws/things/my-1/jobs/";
  expect_accepted(ask(base + "get"));
  expect_accepted(ask(base + "$next/get", R"({"executionNumber":1})"));
  expect_accepted(ask(base + "start-next", R"({"statusDetails":{"a":"ü"}})"));
  expect_accepted(ask(base + "my-job-1/get"));
  expect_accepted(ask(base + "my-job-1/update", R"({"status":"SUCCEEDED"})"));
  EXPECT_EQ(code_of(ask("$aws/things/with:colon/jobs/get")), "ResourceNotFound");
  EXPECT_EQ(values_of("accessKeyId"), std::set<std::string>{"AKIDEXAMPLE"});
  EXPECT_THAT(bridge_->log(), Not(HasSubstr(secret)));
  EXPECT_THAT(bridge_->log(), Not(HasSubstr(token)));
  EXPECT_THAT(bridge_->log(), Not(HasSubstr("Signature=")));
}

TEST_F(SigningTest, RefusedCredentialsRejectRequestsAndHoldUpdatesUntilTheFileIsPutRight) {
  endpoint_.emplace(
      JobsEndpoint::Options{.arguments = {"--sigv4", static_key(), "--things", "my:1:1"}});
  start_with_profile("wrong");
  EXPECT_EQ(code_of(ask("$aws/things/my-1/jobs/start-next")), "InternalError");
  device_->publish("$aws/things/my-1/jobs/my-job-1/update", R"({"status":"SUCCEEDED"})");
  ASSERT_TRUE(bridge_->process().wait_for_output("the endpoint is down")) << bridge_->log();
  profile(secret);
  const auto reply = device_->next(std::chrono::seconds(40));
  ASSERT_TRUE(reply) << bridge_->log();
  EXPECT_TRUE(reply->topic.ends_with("/update/accepted")) << reply->topic << reply->payload;
  expect_accepted(ask("$aws/things/my-1/jobs/get"));
}

TEST_F(SigningTest, NoCredentialsAnywhereIsSaidWithItsCure) {
  endpoint_.emplace(JobsEndpoint::Options{.arguments = {"--sigv4", static_key()}});
  start_bridge({"credentials.source=profile", "credentials.profile=absent",
                "credentials.credentials_file=" + profile(secret), "limits.deadline=1s"},
               BridgeProcess::Wait::until_subscribed);
  // Until the first canary is back, a start-next may have waited at the broker, as far as the
  // bridge knows, and is rejected for that reason.
  ASSERT_TRUE(bridge_->process().wait_for_output("messages flow")) << bridge_->log();
  const auto reply = ask("$aws/things/my-1/jobs/start-next");
  EXPECT_EQ(code_of(reply), "InternalError");
  EXPECT_THAT(message_of(reply), HasSubstr("no credentials"));
  EXPECT_TRUE(bridge_->process().wait_for_output("no valid credentials")) << bridge_->log();
  EXPECT_THAT(bridge_->log(), HasSubstr("no keys for profile absent"));
  // What fails for several things fails for all.
  for (int thing = 2; thing <= 9; ++thing) {
    device_->publish("$aws/things/my-" + std::to_string(thing) + "/jobs/start-next", "{}");
  }
  EXPECT_TRUE(bridge_->process().wait_for_output("no call can be signed")) << bridge_->log();
  EXPECT_THAT(bridge_->log(), Not(HasSubstr("the endpoint is down"))) << "nothing was sent to it";
}

TEST_F(SigningTest, CredentialsOfAwsIotRenewThemselvesAndNoRequestNotices) {
  const auto gateway = issue("gateway", "gateway-1");
  endpoint_.emplace(
      JobsEndpoint::Options{.tls = issue("endpoint", "endpoint"),
                            .client_ca_file = authority_.certificate_file(),
                            .client = gateway,
                            .arguments = {"--credentials", "3", "--things", "my:1:1"}});
  start_bridge({"credentials.source=iot",
                "credentials.iot_endpoint=localhost:" + std::to_string(endpoint_->port()),
                "credentials.iot_role_alias=gateway", "credentials.iot_thing_name=gateway",
                "credentials.iot_certificate_file=" + gateway.certificate,
                "credentials.iot_private_key_file=" + gateway.private_key});
  while (values_of("accessKeyId").size() < 3) {
    const auto reply = ask("$aws/things/my-1/jobs/get");
    ASSERT_TRUE(reply.topic.ends_with("/accepted")) << reply.payload << bridge_->log();
  }
  // The certificate is replaced; the next renewal shows the new one.
  static_cast<void>(issue("gateway", "gateway-2"));
  while (!values_of("clientCommonName").contains("gateway-2")) {
    const auto reply = ask("$aws/things/my-1/jobs/get");
    ASSERT_TRUE(reply.topic.ends_with("/accepted")) << reply.payload << bridge_->log();
  }
}

TEST_F(SigningTest, RevokedCredentialsAreRenewedByTheRequestThatFindsOut) {
  const auto gateway = issue("gateway", "gateway-1");
  endpoint_.emplace(JobsEndpoint::Options{.tls = issue("endpoint", "endpoint"),
                                          .client_ca_file = authority_.certificate_file(),
                                          .client = gateway,
                                          .arguments = {"--credentials", "3600"}});
  start_bridge({"credentials.source=iot",
                "credentials.iot_endpoint=localhost:" + std::to_string(endpoint_->port()),
                "credentials.iot_role_alias=gateway",
                "credentials.iot_certificate_file=" + gateway.certificate,
                "credentials.iot_private_key_file=" + gateway.private_key});
  expect_accepted(ask("$aws/things/my-1/jobs/get"));
  endpoint_->revoke_credentials();
  expect_accepted(ask("$aws/things/my-1/jobs/get"));
  EXPECT_EQ(values_of("accessKeyId").size(), 2U);
}

TEST_F(SigningTest, MutualTlsTakesAReplacedCertificateWithoutARestart) {
  const auto gateway = issue("gateway", "gateway-1");
  endpoint_.emplace(JobsEndpoint::Options{.tls = issue("endpoint", "endpoint"),
                                          .client_ca_file = authority_.certificate_file(),
                                          .client = issue("tester", "tester")});
  start_bridge({"endpoint.certificate_file=" + gateway.certificate,
                "endpoint.private_key_file=" + gateway.private_key});
  expect_accepted(ask("$aws/things/my-1/jobs/get"));
  EXPECT_TRUE(values_of("clientCommonName").contains("gateway-1"));
  static_cast<void>(issue("gateway", "gateway-2"));
  const auto end = std::chrono::steady_clock::now() + wait_limit;
  while (!values_of("clientCommonName").contains("gateway-2")) {
    expect_accepted(ask("$aws/things/my-1/jobs/get"));
    ASSERT_LT(std::chrono::steady_clock::now(), end) << bridge_->log();
  }
  EXPECT_THAT(bridge_->log(), HasSubstr("certificate files were replaced"));
}

TEST_F(SigningTest, GatewayWhoseClockIsADayBehindIsServedAndSaysSo) {
  endpoint_.emplace(
      JobsEndpoint::Options{.arguments = {"--sigv4", static_key(), "--clock-offset", "86400"}});
  start_with_profile(secret);
  expect_accepted(ask("$aws/things/my-1/jobs/get"));
  expect_accepted(ask("$aws/things/my-1/jobs/get"));
  EXPECT_THAT(bridge_->log(), HasSubstr("this machine's clock differs from the endpoint's"));
  EXPECT_EQ(endpoint_->calls().at("total"), 3) << "one refusal, from which it learns";
}

TEST_F(SigningTest, RequestsGoThroughAProxyThatWantsAPassword) {
  const auto port = free_port();
  const auto configuration =
      write("proxy.conf", "Port " + std::to_string(port) +
                              "\nListen 127.0.0.1\nMaxClients 20\nBasicAuth gate hush99\n");
  Process proxy({"tinyproxy", "-d", "-c", configuration});
  ASSERT_TRUE(wait_until([&] { return accepts_connections(port); }, wait_limit)) << proxy.output();
  endpoint_.emplace(JobsEndpoint::Options{.tls = issue("endpoint", "endpoint"),
                                          .arguments = {"--sigv4", static_key()}});
  const auto url = "endpoint.proxy=http://gate@127.0.0.1:" + std::to_string(port);
  start_bridge({"credentials.source=profile", "credentials.credentials_file=" + profile(secret),
                url, "endpoint.proxy_password_file=" + write("password", "hush99\n"),
                "limits.deadline=2s"});
  expect_accepted(ask("$aws/things/my-1/jobs/get"));
  EXPECT_TRUE(proxy.wait_for_output("CONNECT localhost:" + std::to_string(endpoint_->port())))
      << proxy.output();
  EXPECT_THAT(bridge_->log(), Not(HasSubstr("hush99")));
  device_.reset();
  bridge_.reset();

  start_bridge({"credentials.source=profile", "credentials.credentials_file=" + profile(secret),
                url, "endpoint.proxy_password_file=" + write("password", "wrong\n"),
                "limits.deadline=2s"});
  EXPECT_EQ(code_of(ask("$aws/things/my-1/jobs/get")), "InternalError");
  EXPECT_TRUE(bridge_->process().wait_for_output("refused the tunnel with status 40"))
      << bridge_->log();
  proxy.signal(SIGTERM);
  EXPECT_TRUE(proxy.wait());
}

TEST_F(SigningTest, ProviderThatNeverAnswersDoesNotKeepTheBridgeFromEnding) {
  const auto gateway = issue("gateway", "gateway-1");
  endpoint_.emplace(JobsEndpoint::Options{.tls = issue("endpoint", "endpoint"),
                                          .client_ca_file = authority_.certificate_file(),
                                          .client = gateway,
                                          .arguments = {"--credentials", "60"}});
  endpoint_->set_fault({{"kind", "hang"}, {"operation", "AssumeRoleWithCertificate"}});
  start_bridge({"credentials.source=iot",
                "credentials.iot_endpoint=localhost:" + std::to_string(endpoint_->port()),
                "credentials.iot_role_alias=gateway",
                "credentials.iot_certificate_file=" + gateway.certificate,
                "credentials.iot_private_key_file=" + gateway.private_key,
                "endpoint.answer_timeout=60s", "limits.deadline=60s"},
               BridgeProcess::Wait::until_subscribed);
  device_->publish("$aws/things/my-1/jobs/get", "{}");
  ASSERT_TRUE(wait_until([&] { return endpoint_->calls().at("total") == 1; }));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(bridge_->stop(), 0) << bridge_->log();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  const auto reply = device_->next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(code_of(*reply), "InternalError");
}

TEST_F(SigningTest, ProcessLeavesNoCoreDumpBehind) {
  endpoint_.emplace();
  start_bridge({});
  std::ifstream limits("/proc/" + std::to_string(bridge_->process().id()) + "/limits");
  const std::string text(std::istreambuf_iterator<char>(limits), {});
  EXPECT_THAT(text, testing::ContainsRegex("Max core file size +0 +0 "));
}

// LeakSanitizer has to look into the process: see disable_core_dumps().
#if !defined(__SANITIZE_ADDRESS__)

/// With no more rights than any user has over processes of his own, even if the tests run as root.
std::vector<std::string> as_any_user(std::vector<std::string> command) {
  if (geteuid() == 0) {
    command.insert(command.begin(), {"setpriv", "--bounding-set=-sys_ptrace,-sys_admin,-perfmon"});
  }
  return command;
}

/// What another process of the same user reads there, or why it cannot.
std::string environment_of(const Process& process) {
  Process reader(as_any_user({"cat", "/proc/" + std::to_string(process.id()) + "/environ"}),
                 {{"LC_ALL", "C"}});
  EXPECT_TRUE(reader.wait());
  return reader.output();
}

TEST_F(SigningTest, OtherProcessesOfItsUserCannotLookIntoTheProcess) {
  const Process::Environment with_secret = {{"AWS_SECRET_ACCESS_KEY", secret}};
  const Process other(as_any_user({"sleep", "60"}), with_secret);
  EXPECT_TRUE(wait_until([&] { return environment_of(other).find(secret) != std::string::npos; }))
      << "of any other process it can be read";

  const auto config = write("jobs-bridge.toml", "");
  const Process bridge(
      as_any_user({JOBS_BRIDGE_PROGRAM, "run", "--config", config, "--set",
                   "admin.listen=", "--set", "credentials.source=none", "--set",
                   "broker.url=mqtt://127.0.0.1:9", "--set", "endpoint.url=http://127.0.0.1:9"}),
      with_secret);
  ASSERT_TRUE(bridge.wait_for_output("cannot connect to the broker")) << bridge.output();
  const auto environment = environment_of(bridge);
  EXPECT_THAT(environment, HasSubstr("Permission denied"));
  EXPECT_THAT(environment, Not(HasSubstr(secret)));
}

#endif

}  // namespace
}  // namespace jobs_bridge::testing_support
