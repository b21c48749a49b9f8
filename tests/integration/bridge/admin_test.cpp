#include <httplib.h>

#include <string>

#include "bridge/jobs/operation.h"
#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

/// What a running bridge tells of itself.
namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class AdminTest : public ::testing::Test {
 protected:
  static httplib::Result get(const Site& site, const std::string& path) {
    httplib::Client client(site.bridge->admin_url());
    return client.Get(path);
  }
  static bool ready(const Site& site) { return get(site, "/readyz")->status == 200; }
  static json status(const Site& site) { return json::parse(get(site, "/api/status")->body); }
  /// The first reason for not being ready.
  static std::string reason(const Site& site) {
    const auto reasons = json::parse(get(site, "/readyz")->body).at("reasons");
    return reasons.empty() ? "" : reasons[0].at("code");
  }
};

TEST_F(AdminTest, ReadyOnceACanaryHasComeBackAndCountsWhatIsDone) {
  Site site;
  // That is what the line means.
  EXPECT_THAT(site.bridge->log(), HasSubstr("ready for requests"));
  EXPECT_TRUE(ready(site)) << get(site, "/readyz")->body;
  EXPECT_EQ(status(site).at("endpoint").at("called"), false);
  EXPECT_THAT(site.bridge->log(), HasSubstr("endpoint=\"not called yet\""));
  site.endpoint->create_job("job-1", {"lamp"});
  EXPECT_TRUE(payload_of(site.start_next("lamp", "{}")).contains("execution"));
  EXPECT_EQ(payload_of(site.start_next("lamp", "[]"))["code"], "InvalidJson");
  ASSERT_TRUE(wait_until([&] { return status(site).at("requests").at("rejected") == 1; }));

  const auto now = status(site);
  EXPECT_EQ(now.at("requests").at("accepted"), 1);
  EXPECT_EQ(now.at("requests").at("operations").at("start-next").at("count"), 2);
  EXPECT_EQ(now.at("busiest")[0].at("thing"), "lamp");
  EXPECT_EQ(now.at("errors")[0].at("code"), "InvalidJson");
  EXPECT_EQ(now.at("broker").at("flowing"), true);
  EXPECT_EQ(now.at("endpoint").at("answered"), true);
  EXPECT_EQ(now.at("journal").at("enabled"), false);
  const auto metrics = get(site, "/metrics")->body;
  for (const auto* line :
       {"jobs_bridge_requests_total{operation=\"start-next\",outcome=\"accepted\"} 1",
        "jobs_bridge_requests_total{operation=\"start-next\",outcome=\"InvalidJson\"} 1",
        "jobs_bridge_endpoint_calls_total{operation=\"start-next\",status=\"200\"} 1",
        "jobs_bridge_broker_connected 1", "jobs_bridge_broker_flowing 1"}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
}

TEST_F(AdminTest, TheEndpointsFirstAnswerIsLoggedOnce) {
  Site site({.settings = {"log.level=info"}});
  for (const auto* thing : {"lamp", "pump"}) site.start_next(thing, "{}");
  const std::string event = "the endpoint has answered for the first time since the start";
  const auto log = site.bridge->log();
  const auto at = log.find(event + " operation=start-next");
  ASSERT_NE(at, std::string::npos) << log;
  EXPECT_EQ(log.find(event, at + 1), std::string::npos) << log;
}

/// What is missing may also be no matter of the broker's.
TEST_F(AdminTest, ReadyIsLoggedWhenWhatWasMissingIsThereAndNotBefore) {
  const TemporaryDirectory directory;
  const auto file = directory.file("credentials");
  std::ofstream(file) << "[default]\n";
  Site site({.settings = {"credentials.source=profile", "credentials.credentials_file=" + file,
                          "endpoint.region=eu-central-1"},
             .wait = BridgeProcess::Wait::until_subscribed});
  ASSERT_TRUE(wait_until([&] { return reason(site) == "credentials_missing"; }))
      << get(site, "/readyz")->body;
  EXPECT_THAT(site.bridge->log(), Not(HasSubstr("ready for requests")));
  std::ofstream(file) << "[default]\naws_access_key_id = AKIAEXAMPLE\n"
                         "aws_secret_access_key = secret\n";
  site.bridge->process().signal(SIGHUP);
  EXPECT_TRUE(site.bridge->wait_until_ready()) << site.bridge->log();
  EXPECT_TRUE(ready(site));
}

TEST_F(AdminTest, EveryOperationIsCarriedOutAndCountedUnderItsName) {
  Site site;
  site.endpoint->create_job("job-1", {"lamp"});
  site.device->subscribe("$aws/things/+/jobs/+/#");
  for (const auto operation : every_operation) {
    const auto facts = facts_of(operation);
    const auto topic = "$aws/things/lamp/jobs/" +
                       std::string(facts.job == NamedJob::none ? "" : "job-1/") +
                       std::string(facts.verb);
    site.device->publish(topic, R"({"status":"IN_PROGRESS"})");
    EXPECT_TRUE(site.device->take([&](const auto& heard) {
      return heard.topic == topic + "/accepted";
    })) << site.bridge->log();
  }
  ASSERT_TRUE(
      wait_until([&] { return status(site).at("requests").at("accepted") == operation_count; }));
  const auto now = status(site).at("requests");
  const auto metrics = get(site, "/metrics")->body;
  EXPECT_EQ(now.at("operations").size(), operation_count);
  for (const auto operation : every_operation) {
    const std::string name(to_string(operation));
    EXPECT_EQ(now.at("operations").at(name).at("count"), 1) << name;
    const auto labels = "{operation=\"" + name + "\",";
    EXPECT_THAT(metrics, HasSubstr("requests_total" + labels + "outcome=\"accepted\"} 1"));
    EXPECT_THAT(metrics, HasSubstr("endpoint_calls_total" + labels + "status=\"200\"} 1"));
  }
}

TEST_F(AdminTest, EndpointThatIsDownIsNotReadyAndWhatIsHeldIsShownUntilItIsBack) {
  Site site({.settings = {"limits.deadline=1s", "endpoint.answer_timeout=500ms"}});
  site.endpoint->create_job("job-1", {"lamp"});
  site.start_next("lamp", "{}");
  site.endpoint->stop();
  site.device->publish("$aws/things/lamp/jobs/job-1/update", R"({"status":"SUCCEEDED"})");
  // The circuit opens after several calls have failed.
  ASSERT_TRUE(wait_until([&] { return reason(site) == "endpoint_down"; })) << site.bridge->log();
  ASSERT_TRUE(wait_until([&] { return status(site).at("requests").at("held") == 1; }));
  EXPECT_EQ(get(site, "/healthz")->status, 200);
  EXPECT_THAT(get(site, "/metrics")->body, HasSubstr("jobs_bridge_circuit_open 1"));
  site.endpoint->start();
  EXPECT_TRUE(wait_until([&] { return ready(site); })) << get(site, "/readyz")->body;
  EXPECT_TRUE(wait_until([&] { return status(site).at("requests").at("held") == 0; }));
}

TEST_F(AdminTest, AnEndpointThatDeniesAccessIsNotReadyAndIsSaidOnceWithWhatToAllow) {
  // Without polls, so that one operation is all that is tried.
  Site site({.settings = {"notify.enabled=false"}});
  ASSERT_TRUE(wait_until([&] { return ready(site); }));
  site.endpoint->set_fault(
      {{"kind", "status"}, {"status", 403}, {"error_type", "AccessDeniedException"}});
  for (const auto* thing : {"lamp", "pump", "lamp"}) {
    EXPECT_THAT(site.start_next(thing, "{}").topic, ::testing::EndsWith("/rejected"));
  }
  ASSERT_TRUE(wait_until([&] { return reason(site) == "access_denied"; })) << site.bridge->log();
  const auto denied = status(site).at("endpoint").at("denied");
  ASSERT_EQ(denied.size(), 1U);
  EXPECT_EQ(denied[0].at("operation"), "start-next");
  EXPECT_EQ(denied[0].at("action"), "iotjobsdata:StartNextPendingJobExecution");
  EXPECT_THAT(get(site, "/metrics")->body,
              HasSubstr("jobs_bridge_endpoint_access_denied{operation=\"start-next\"} 1"));
  const std::string event = "the endpoint denies the gateway access: requests are rejected";
  const auto log = site.bridge->log();
  EXPECT_THAT(log, HasSubstr(event + " operation=start-next"));
  EXPECT_EQ(log.find(event, log.find(event) + 1), std::string::npos) << "it is said once";
  site.endpoint->clear_faults();
  EXPECT_THAT(site.start_next("lamp", "{}").topic, ::testing::EndsWith("/accepted"));
  EXPECT_TRUE(wait_until([&] { return ready(site); })) << get(site, "/readyz")->body;
  EXPECT_TRUE(site.bridge->process().wait_for_line("the endpoint allows the gateway access again"));
}

TEST_F(AdminTest, BrokerThatGoesAwayIsTheReasonUntilMessagesFlowAgain) {
  Site site;
  ASSERT_TRUE(wait_until([&] { return ready(site); }));
  site.broker->stop(SIGTERM);
  ASSERT_TRUE(wait_until([&] { return reason(site) == "broker_disconnected"; }));
  EXPECT_EQ(get(site, "/healthz")->status, 200);
  site.broker->start();
  EXPECT_TRUE(wait_until([&] { return ready(site); })) << get(site, "/readyz")->body;
  EXPECT_EQ(status(site).at("broker").at("reconnects"), 1);
}

TEST_F(AdminTest, TokenFromItsFileIsAskedForAndStandsNowhere) {
  const TemporaryDirectory directory;
  const std::string token = "correct-horse-battery-staple";
  std::ofstream(directory.file("token")) << token << "\n";
  Site site({.settings = {"admin.token_file=" + directory.file("token")}});
  EXPECT_EQ(get(site, "/api/status")->status, 401);
  httplib::Client client(site.bridge->admin_url());
  client.set_bearer_token_auth(token.c_str());
  const auto allowed = client.Get("/api/status");
  EXPECT_EQ(allowed->status, 200);
  EXPECT_THAT(allowed->body, Not(HasSubstr(token)));
  EXPECT_THAT(site.bridge->log(), Not(HasSubstr(token)));
}

TEST_F(AdminTest, PortThatIsTakenIsNoStart) {
  Site site;
  const auto taken = site.bridge->admin_url().substr(std::string("http://").size());
  BridgeProcess second({"broker.url=" + site.broker->url(), "endpoint.url=" + site.endpoint->url(),
                        "broker.client_id=second", "admin.listen=" + taken},
                       BridgeProcess::Wait::not_at_all);
  EXPECT_EQ(second.process().wait(), 1);
  EXPECT_THAT(second.log(), HasSubstr("cannot listen on " + taken + ": Address already in use"));
}

TEST_F(AdminTest, PauseThatTheEndpointAsksForIsSeenEverywhereAndATrialEndsIt) {
  Site site({.settings = {"log.level=info"}});
  ASSERT_TRUE(wait_until([&] { return ready(site); })) << site.bridge->log();
  site.endpoint->set_fault({{"kind", "status"},
                            {"status", 429},
                            {"count", 1},
                            {"operation", "StartNextPendingJobExecution"},
                            {"headers", {{"Retry-After", "120"}}}});
  site.device->publish(start_next_topic("lamp-1"), R"({"clientToken":"first"})");
  ASSERT_TRUE(site.bridge->process().wait_for_output("asked for a pause")) << site.bridge->log();
  EXPECT_THAT(site.bridge->log(), HasSubstr("quota=writes for_up_to=120s"));
  // A snapshot is reused for a tenth of a second.
  const std::string paused = "jobs_bridge_quota_paused{quota=\"writes\"} 1";
  ASSERT_TRUE(
      wait_until([&] { return get(site, "/metrics")->body.find(paused) != std::string::npos; }));
  const auto metrics = get(site, "/metrics")->body;
  for (const auto* line : {"jobs_bridge_quota_paused{quota=\"writes\"} 1",
                           "jobs_bridge_quota_paused{quota=\"reads\"} 0",
                           "jobs_bridge_quota_allowed_per_second{quota=\"writes\"} 0",
                           "jobs_bridge_pauses_total{quota=\"writes\"} 1"}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
  const auto quota = status(site).at("quota");
  EXPECT_GT(quota.at("writes").at("paused_for_seconds"), 100);
  EXPECT_EQ(quota.at("writes").at("allowed_per_second"), 0);
  EXPECT_TRUE(quota.at("reads").at("paused_for_seconds").is_null());
  EXPECT_THAT(get(site, "/readyz")->body, HasSubstr("writes_paused"));
  EXPECT_EQ(status(site).at("errors")[0].at("code"), "paused");

  const auto read = site.ask("$aws/things/lamp-2/jobs/get", "{}");
  EXPECT_TRUE(read.topic.ends_with("/get/accepted")) << "another quota";
  const auto reply = site.start_next("lamp-3");
  EXPECT_TRUE(reply.topic.ends_with("/accepted")) << reply.payload;
  EXPECT_TRUE(site.bridge->process().wait_for_output("pause is over")) << site.bridge->log();
  EXPECT_THAT(get(site, "/readyz")->body, Not(HasSubstr("writes_paused")));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
