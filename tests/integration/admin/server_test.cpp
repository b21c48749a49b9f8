#include "adapters/admin/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "adapters/admin/status_text.h"
#include "tests/integration/admin/admin_site.h"

namespace jobs_bridge::testing_support {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* token = "0123456789abcdef0123";

/// A client that connects and sends nothing.
class SilentClient {
 public:
  explicit SilentClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  SilentClient(SilentClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  SilentClient(const SilentClient&) = delete;
  SilentClient& operator=(const SilentClient&) = delete;
  ~SilentClient() {
    if (socket_ >= 0) close(socket_);
  }

 private:
  int socket_;
};

TEST(AdminServerTest, HealthyBridgeIsHealthyAndReadyAndTellsItsStatus) {
  const AdminSite site;
  EXPECT_EQ(site.get("/healthz").body, "ok\n");
  const auto ready = site.get("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, R"({"ready":true,"reasons":[],"warnings":[]})"
                        "\n");
  const auto status = nlohmann::json::parse(site.get("/api/status").body);
  EXPECT_EQ(status.at("ready"), true);
  EXPECT_EQ(status.at("broker").at("connected"), true);
  EXPECT_EQ(status.at("quota").at("reads").at("configured_per_second"), 200);
  EXPECT_EQ(status.at("credentials").at("access_key_ends"), "7QXA");
  EXPECT_GT(status.at("process").at("resident_bytes"), 1000000);
}

TEST(AdminServerTest, OfSeveralAddressesStatusAndMetricsTellWhichOneIsConnected) {
  auto status = healthy_status();
  status.broker.urls = {"mqtts://away.gateway.local:8883", status.broker.url};
  const AdminSite site(status);
  const auto json = site.get("/api/status").body;
  EXPECT_THAT(json, HasSubstr(R"("urls":["mqtts://away.gateway.local:8883","mqtts://broker.)"));
  const auto text = admin::status_text(json);
  ASSERT_TRUE(text);
  EXPECT_THAT(text->text, HasSubstr("mqtts://broker.gateway.local:8883 (of 2): messages flow"));
  EXPECT_THAT(site.get("/metrics").body,
              AllOf(HasSubstr("jobs_bridge_broker_address_connected{url=\"mqtts://"
                              "away.gateway.local:8883\"} 0"),
                    HasSubstr("jobs_bridge_broker_address_connected{url=\"mqtts://"
                              "broker.gateway.local:8883\"} 1")));
}

TEST(AdminServerTest, StatusClaimsNoMoreOfTheEndpointAndOfRepliesThanIsKnown) {
  const auto text_of = [](const admin::Status& status) {
    const AdminSite site(status);
    const auto text = admin::status_text(site.get("/api/status").body);
    return text ? text->text : text.error();
  };
  auto status = healthy_status();
  EXPECT_THAT(text_of(status), HasSubstr("amazonaws.com: answers: "));
  EXPECT_THAT(text_of(status), HasSubstr("4120 rejected since the start\n"));
  status.broker.unanswered = 2;
  status.endpoint.answered = false;
  EXPECT_THAT(text_of(status), HasSubstr("amazonaws.com: no call has succeeded yet"));
  EXPECT_THAT(text_of(status), HasSubstr("since the start, 2 of them without a reply, which the "
                                         "broker refused\n"));
  status.endpoint.called = false;
  EXPECT_THAT(text_of(status), HasSubstr("amazonaws.com: not called yet\n"));
}

TEST(AdminServerTest, EndpointDownIsNotReadyWithReasonAndCureAndStillHealthy) {
  const AdminSite site(endpoint_down_status());
  EXPECT_EQ(site.get("/healthz").status, 200);
  const auto ready = site.get("/readyz");
  EXPECT_EQ(ready.status, 503);
  const auto reasons = nlohmann::json::parse(ready.body).at("reasons");
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons[0].at("code"), "endpoint_down");
  EXPECT_THAT(reasons[0].at("message").get<std::string>(), HasSubstr("for 12 minutes"));
  EXPECT_THAT(reasons[0].at("cure").get<std::string>(), HasSubstr("128 updates are held"));
  const auto text = site.get("/readyz", {{"Accept", "text/plain"}});
  EXPECT_THAT(text.body,
              StartsWith("not ready\nendpoint_down: No call to the endpoint has succeeded"));
}

TEST(AdminServerTest, MetricsAreInPrometheusFormatWithTheNamesThatAreFixed) {
  const AdminSite site;
  const auto reply = site.get("/metrics");
  EXPECT_EQ(reply.headers.at("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const auto* line :
       {"# TYPE jobs_bridge_requests_total counter",
        "jobs_bridge_requests_total{operation=\"start-next\",outcome=\"accepted\"} 0",
        "# TYPE jobs_bridge_request_duration_seconds histogram",
        "# TYPE jobs_bridge_endpoint_duration_seconds histogram", "jobs_bridge_requests_waiting 1",
        "jobs_bridge_calls_in_flight 3", "jobs_bridge_journal_entries 4",
        "jobs_bridge_journal_bytes 3480", "jobs_bridge_broker_connected 1",
        "jobs_bridge_circuit_open 0",
        "# TYPE jobs_bridge_credentials_expiry_timestamp_seconds gauge",
        "jobs_bridge_build_info{version=\"0.1.0\"} 1"}) {
    EXPECT_THAT(reply.body, HasSubstr(line));
  }
}

TEST(AdminServerTest, UnknownPathNamesThoseThatThereAre) {
  const AdminSite site;
  const auto reply = site.get("/status");
  EXPECT_EQ(reply.status, 404);
  EXPECT_THAT(reply.body, AllOf(HasSubstr("/api/status"), HasSubstr("/metrics")));
}

TEST(AdminServerTest, OtherMethodsAreRefusedAndHeadHasNoBody) {
  const AdminSite site;
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    const auto reply = ask(site.port(), "/api/status", {}, method);
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_EQ(reply.headers.at("Allow"), "GET, HEAD");
  }
  const auto head = ask(site.port(), "/readyz", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST(AdminServerTest, RequestsThatNameAnotherHostAreRefusedOnALoopbackListener) {
  const AdminSite site;
  const auto rebound = site.get("/api/status", {{"Host", "attacker.example"}});
  EXPECT_EQ(rebound.status, 421);
  EXPECT_THAT(rebound.body, Not(HasSubstr("broker")));
  EXPECT_EQ(site.get("/api/status", {{"Host", "localhost:9464"}}).status, 200);
}

TEST(AdminServerTest, WithATokenAllButHealthAndTheEmptyPageAskForIt) {
  const AdminSite site(healthy_status(), {.token = token});
  EXPECT_EQ(site.get("/healthz").status, 200);
  EXPECT_EQ(site.get("/").status, 200);
  for (const auto* path : {"/readyz", "/metrics", "/api/status", "/anything"}) {
    EXPECT_EQ(site.get(path).status, 401) << path;
    EXPECT_EQ(site.get(path, {{"Authorization", "Bearer 0123456789abcdef0124"}}).status, 401);
  }
  EXPECT_EQ(site.get("/metrics", {{"Authorization", std::string("Bearer ") + token}}).status, 200);
}

TEST(AdminServerTest, ListeningForOthersWithoutATokenIsAnError) {
  RecordingLog log;
  const admin::Metrics metrics;
  const auto server = admin::Server::start(
      {.host = "0.0.0.0", .loopback = false}, [] { return healthy_status(); }, metrics, log);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error(),
            "admin.listen: 0.0.0.0:0 can be reached from other machines: a token is required");
}

TEST(AdminServerTest, ListeningForOthersSaysThatTheTokenTravelsInTheClear) {
  AdminSite site(healthy_status(), {.host = "0.0.0.0", .loopback = false, .token = token});
  EXPECT_EQ(site.log().count("can be reached from other machines", Severity::warning), 1U);
  EXPECT_EQ(site.log().count(token), 0U);
  EXPECT_EQ(site.get("/healthz", {{"Host", "gateway.local"}}).status, 200);
}

TEST(AdminServerTest, AddressInUseIsAnErrorThatNamesIt) {
  const AdminSite site;
  RecordingLog log;
  const admin::Metrics metrics;
  const auto second = admin::Server::start(
      {.port = site.port()}, [] { return healthy_status(); }, metrics, log);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "admin.listen: cannot listen on 127.0.0.1:" +
                                std::to_string(site.port()) + ": Address already in use");
}

TEST(AdminServerTest, StatusThatCannotBeHadIsUnhealthy) {
  RecordingLog log;
  const admin::Metrics metrics;
  const auto server = admin::Server::start(
      {}, []() -> admin::Status { throw std::runtime_error("the engine does not respond"); },
      metrics, log);
  ASSERT_TRUE(server);
  const auto reply = ask((*server)->port(), "/healthz");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body, "The status is not available: the engine does not respond\n");
}

TEST(AdminServerTest, SilentClientsDelayOthersForSecondsAtMost) {
  const AdminSite site;
  std::vector<SilentClient> silent;
  for (int count = 0; count < 8; ++count) silent.emplace_back(site.port());
  // The threads are taken twice over; ask() waits for longer than those are suffered.
  EXPECT_EQ(site.get("/healthz").status, 200);
}

TEST(AdminServerTest, EndOfTheServerWaitsForNoSilentClientForLong) {
  auto site = std::make_unique<AdminSite>();
  const SilentClient silent(site->port());
  EXPECT_EQ(site->get("/healthz").status, 200) << "so that the silent one has been accepted too";
  const auto began = std::chrono::steady_clock::now();
  site.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(AdminServerTest, AnswersAreNeitherStoredNorFramedNorReadByOtherOrigins) {
  const AdminSite site;
  for (const auto* path : {"/", "/api/status", "/nothing"}) {
    const auto headers = site.get(path, {{"Origin", "https://attacker.example"}}).headers;
    EXPECT_EQ(headers.at("Cache-Control"), "no-store") << path;
    EXPECT_EQ(headers.at("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_THAT(headers.at("Content-Security-Policy"),
                AllOf(HasSubstr("default-src 'none'"), HasSubstr("frame-ancestors 'none'")))
        << path;
    EXPECT_FALSE(headers.contains("Access-Control-Allow-Origin")) << path;
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
