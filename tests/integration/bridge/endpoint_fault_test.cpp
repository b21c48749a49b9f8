#include <chrono>
#include <csignal>
#include <functional>

#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

constexpr auto deadline = 2s;
/// The deadline, and what a loaded machine adds on the way to the device.
constexpr auto in_time = deadline + 1s;

const std::vector<std::string> short_limits = {"limits.deadline=2s", "endpoint.answer_timeout=1s",
                                               "endpoint.connect_timeout=500ms"};

std::vector<std::string> short_limits_and(const std::vector<std::string>& more) {
  auto all = short_limits;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// How long it takes.
std::chrono::steady_clock::duration time_of(const std::function<void()>& action) {
  const auto before = std::chrono::steady_clock::now();
  action();
  return std::chrono::steady_clock::now() - before;
}

using KindAndTls = std::tuple<const char*, bool>;
std::string name_of(const testing::TestParamInfo<KindAndTls>& info) {
  return std::string(std::get<0>(info.param)) + (std::get<1>(info.param) ? "_https" : "_http");
}

class EndpointFaultTest : public testing::TestWithParam<KindAndTls> {};

INSTANTIATE_TEST_SUITE_P(Kinds, EndpointFaultTest,
                         testing::Combine(testing::Values("hang", "reset", "truncate", "trickle",
                                                          "garbage"),
                                          testing::Bool()),
                         name_of);

TEST_P(EndpointFaultTest, DeviceHearsInternalErrorInTimeAndTheNextRequestWorks) {
  const auto& [kind, tls] = GetParam();
  Site site({.wires = {.endpoint_tls = tls}, .settings = short_limits});
  site.start_next("lamp");  // so that a connection that was kept alive meets the fault
  for (int round = 0; round < 3; ++round) {
    site.endpoint->set_fault({{"kind", kind}});
    EXPECT_LT(time_of([&] {
                const auto reply = site.start_next("lamp", R"({"clientToken":"t"})");
                EXPECT_EQ(code_of(reply), "InternalError") << reply.payload;
                EXPECT_EQ(token_of(reply), "t");
                EXPECT_FALSE(message_of(reply).empty());
              }),
              in_time);
    site.endpoint->clear_faults();
    const auto reply = site.start_next("lamp", R"({"clientToken":"u"})");
    EXPECT_EQ(reply.topic, start_next_topic("lamp") + "/accepted") << reply.payload;
    EXPECT_EQ(token_of(reply), "u");
  }
  EXPECT_TRUE(site.has_no_more_replies());
}

class EndpointNuisanceTest : public testing::TestWithParam<KindAndTls> {};

INSTANTIATE_TEST_SUITE_P(Kinds, EndpointNuisanceTest,
                         testing::Combine(testing::Values("close_idle", "extra_bytes"),
                                          testing::Bool()),
                         name_of);

/// Neither a connection that the endpoint closes while it is idle, nor unsolicited bytes (which
/// could be taken for the next answer), may affect a device.
TEST_P(EndpointNuisanceTest, IsNotNoticedByDevices) {
  const auto& [kind, tls] = GetParam();
  Site site({.wires = {.endpoint_tls = tls},
             .settings = short_limits_and({"endpoint.connections=2"}),
             .endpoint_arguments = {"--things", "lamp:40:1"}});
  site.endpoint->set_fault({{"kind", kind}});
  for (int i = 1; i <= 40; ++i) {
    const auto thing = "lamp-" + std::to_string(i);
    const auto reply = site.start_next(thing, asked_by(thing));
    EXPECT_EQ(reply.topic, start_next_topic(thing) + "/accepted") << reply.payload;
    EXPECT_EQ(payload_of(reply)["execution"]["statusDetails"]["asker"], thing) << reply.payload;
    EXPECT_EQ(token_of(reply), thing);
  }
  EXPECT_EQ(site.endpoint->calls()["malformed"], 0);
}

TEST(EndpointNuisanceTest, AnswersNeverReachAnotherThingAmongFaultsOfAllKinds) {
  Site site({.settings = short_limits_and({"endpoint.connections=8"}),
             .endpoint_arguments = {"--things", "lamp:400:1"}});
  json faults = json::array();
  for (const auto* kind : {"reset", "truncate", "garbage", "close_idle", "extra_bytes"}) {
    faults.push_back({{"kind", kind}, {"probability", 0.1}});
  }
  faults.push_back({{"kind", "none"}, {"delay_ms", 1}, {"jitter_ms", 5}});
  site.endpoint->set_fault(faults);
  constexpr std::size_t count = 400;
  for (std::size_t i = 1; i <= count; ++i) {
    const auto thing = "lamp-" + std::to_string(i);
    site.device->publish(start_next_topic(thing), asked_by(thing));
  }
  ASSERT_TRUE(site.device->wait_for(count)) << site.device->count();
  std::size_t accepted = 0;
  for (const auto& reply : site.device->received()) {
    const auto thing = token_of(reply);
    EXPECT_TRUE(reply.topic.starts_with(start_next_topic(thing) + "/")) << reply.topic;
    if (!reply.topic.ends_with("/accepted")) {
      EXPECT_EQ(code_of(reply), "InternalError");
      continue;
    }
    ++accepted;
    EXPECT_EQ(payload_of(reply)["execution"]["statusDetails"]["asker"], thing);
  }
  EXPECT_GT(accepted, count / 4);
}

TEST(EndpointRetryAfterTest, OfOneThingsFailureStopsNoOtherThing) {
  Site site({.settings = {"log.level=info"}, .endpoint_arguments = {"--things", "lamp:40:1"}});
  site.endpoint->set_fault({{"kind", "status"},
                            {"status", 503},
                            {"thing", "lamp-1"},
                            {"count", 1},
                            {"headers", {{"Retry-After", "300"}}}});
  site.device->publish(start_next_topic("lamp-1"), R"({"clientToken":"first"})");
  ASSERT_TRUE(site.endpoint->wait_for_calls(1));
  for (int i = 2; i <= 40; ++i) {
    const auto thing = "lamp-" + std::to_string(i);
    EXPECT_EQ(site.start_next(thing).topic, start_next_topic(thing) + "/accepted");
  }
  const auto reply = site.device->next();
  ASSERT_TRUE(reply) << site.bridge->log();
  EXPECT_EQ(reply->topic, start_next_topic("lamp-1") + "/accepted") << reply->payload;
}

/// A balancer's page, a bare refusal, and what an SDK would repeat under one name or another.
struct Passing {
  const char* name;
  int status;
  const char* type;
  const char* body;
};
void PrintTo(const Passing& passing, std::ostream* out) {
  *out << passing.name;
}

class PassingRefusalTest : public testing::TestWithParam<Passing> {};

INSTANTIATE_TEST_SUITE_P(
    Kinds, PassingRefusalTest,
    testing::Values(Passing{"Page404", 404, "", "<html>404 Not Found</html>"},
                    Passing{"Bare409", 409, "", "{}"}, Passing{"Bare410", 410, "", ""},
                    Passing{"Timeout408", 408, "", ""}, Passing{"Misdirected421", 421, "", ""},
                    Passing{"TooEarly425", 425, "", ""}, Passing{"Throttled429", 429, "", ""},
                    Passing{"ThrottledException", 400, "ThrottledException", "{}"},
                    Passing{"LimitExceeded", 410, "LimitExceededException", "{}"},
                    Passing{"RequestTimeout", 400, "RequestTimeoutException", "{}"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(PassingRefusalTest, HoldsAnUpdateUntilItIsCarriedOut) {
  const auto& [name, status, type, body] = GetParam();
  Site site({.settings = short_limits});
  site.device->subscribe("$aws/things/+/jobs/+/+/accepted");
  site.endpoint->create_job("job-1", {"lamp"});
  site.endpoint->set_fault({{"kind", "status"},
                            {"status", status},
                            {"error_type", type},
                            {"body", body},
                            {"thing", "lamp"}});
  site.device->publish("$aws/things/lamp/jobs/job-1/update", R"({"status":"SUCCEEDED"})");
  ASSERT_TRUE(wait_until([&] { return site.endpoint->calls().at("total") >= 3; }))
      << site.bridge->log();
  EXPECT_EQ(site.device->count(), 0U) << name;
  site.endpoint->clear_faults();
  const auto reply = site.device->next(20s);
  ASSERT_TRUE(reply) << site.bridge->log();
  EXPECT_EQ(reply->topic, "$aws/things/lamp/jobs/job-1/update/accepted") << reply->payload;
}

TEST(EndpointDownTest, DeviceHearsInternalErrorAndIsServedWhenItIsBack) {
  Site site({.settings = short_limits});
  site.start_next("lamp");
  site.endpoint->stop();
  EXPECT_LT(time_of([&] { EXPECT_EQ(code_of(site.start_next("lamp")), "InternalError"); }),
            in_time);
  EXPECT_TRUE(site.bridge->process().wait_for_output("refused")) << site.bridge->log();
  site.endpoint->start();
  EXPECT_EQ(site.start_next("lamp").topic, start_next_topic("lamp") + "/accepted");
}

TEST(EndpointDownTest, UnknownHostIsAnInternalErrorAndTheLogNamesIt) {
  Site site({.settings = short_limits_and({"endpoint.url=https://no-such-host.invalid"})});
  EXPECT_LT(time_of([&] { EXPECT_EQ(code_of(site.start_next("lamp")), "InternalError"); }),
            in_time);
  EXPECT_TRUE(site.bridge->process().wait_for_output("no-such-host.invalid")) << site.bridge->log();
}

TEST(EndpointHangsTest, EveryThingHearsInTimeWhenMoreAskThanThereAreConnections) {
  Site site({.settings = short_limits_and({"endpoint.connections=4"})});
  site.endpoint->set_fault({{"kind", "hang"}});
  constexpr std::size_t count = 200;
  const auto took = time_of([&] {
    for (std::size_t i = 0; i < count; ++i) {
      site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
    }
    EXPECT_TRUE(site.device->wait_for(count)) << site.device->count();
  });
  EXPECT_LT(took, in_time);
  for (const auto& reply : site.device->received()) {
    EXPECT_THAT(code_of(reply), testing::AnyOf("InternalError", "RequestThrottled"));
  }
  site.endpoint->clear_faults();
  while (!site.device->received().empty()) site.device->next();
  EXPECT_TRUE(site.has_no_more_replies());
}

TEST(QueueTest, PastAThingsLimitTheReplyIsRequestThrottled) {
  Site site({.settings = short_limits_and({"limits.queue_per_thing=3"})});
  site.endpoint->set_fault({{"kind", "hang"}});
  site.device->publish(start_next_topic("lamp"), "{}");
  ASSERT_TRUE(site.endpoint->wait_for_calls(1));  // now three may wait
  for (int i = 0; i < 9; ++i) site.device->publish(start_next_topic("lamp"), "{}");
  ASSERT_TRUE(site.device->wait_for(10));
  std::size_t refused = 0;
  for (const auto& reply : site.device->received()) {
    if (message_of(reply).find("queue is full") == std::string::npos) continue;
    EXPECT_EQ(code_of(reply), "RequestThrottled");
    ++refused;
  }
  EXPECT_EQ(refused, 6U);
}

TEST(QueueTest, PastTheLimitOfAllThingsTheReplyIsRequestThrottled) {
  Site site({.settings = short_limits_and(
                 {"limits.queue_per_thing=5", "limits.queue=5", "endpoint.connections=1"})});
  site.endpoint->set_fault({{"kind", "hang"}});
  site.device->publish(start_next_topic("first"), "{}");
  ASSERT_TRUE(site.endpoint->wait_for_calls(1));
  for (int i = 0; i < 10; ++i) {
    site.device->publish(start_next_topic("lamp-" + std::to_string(i)), "{}");
  }
  // The refused ones hear at once, long before any deadline.
  for (int i = 5; i < 10; ++i) {
    const auto reply = site.device->next(1s);
    ASSERT_TRUE(reply);
    EXPECT_EQ(code_of(*reply), "RequestThrottled");
    EXPECT_TRUE(reply->topic.starts_with(start_next_topic("lamp-" + std::to_string(i))));
  }
  EXPECT_TRUE(site.device->wait_for(11));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
