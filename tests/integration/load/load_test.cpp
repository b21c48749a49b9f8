#include <csignal>

#include "tests/integration/bridge/site.h"
#include "tests/support/process.h"

/// jobs-load against a real broker, a real bridge and the emulator.
namespace jobs_bridge::testing_support {
namespace {

using testing::HasSubstr;

struct Loaded {
  int status = -1;
  std::string output;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(output); }
};

std::vector<std::string> command(const MosquittoBroker& broker,
                                 const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {JOBS_LOAD_PROGRAM, "--broker", broker.url(), "--warm-up", "0"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

Loaded load(const MosquittoBroker& broker, const std::vector<std::string>& arguments) {
  Process process(command(broker, arguments));
  const auto status = process.wait();
  return {status.value_or(-1), process.output()};
}

struct LoadTest : testing::Test {
  Site site{{.settings = {"limits.writes_per_second=0", "limits.reads_per_second=0"}}};
};

TEST_F(LoadTest, ClosedLoopAsksAsOftenAsToldAndHearsEveryReply) {
  const auto loaded = load(*site.broker, {"--json", "--things", "300", "--in-flight", "50",
                                          "--connections", "3", "--requests", "900"});
  EXPECT_EQ(loaded.status, 0) << loaded.output;
  const auto result = loaded.json();
  EXPECT_EQ(result.at("requests"), 900);
  EXPECT_EQ(result.at("replies"), 900);
  EXPECT_EQ(result.at("lost"), 0);
  EXPECT_EQ(result.at("duplicates"), 0);
  EXPECT_TRUE(result.at("rejections").empty()) << result;
  const auto calls = site.endpoint->calls();
  EXPECT_EQ(calls.at("total"), 900);
  EXPECT_EQ(calls.at("things").size(), 300U);
  for (const auto& [thing, counts] : calls.at("things").items()) {
    // The longest idle asks next; replies come in an order of their own, so not exactly 3 each.
    EXPECT_GE(counts.at("StartNextPendingJobExecution"), 2) << thing;
  }
}

TEST_F(LoadTest, OpenLoopKeepsItsRateAndCountsTheWaitOfWhatCameLate) {
  // The first call holds the only connection, so whatever is due meanwhile waits behind it.
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 700}, {"count", 1}});
  site.bridge.reset();
  site.bridge.emplace(site.bridge_settings({"endpoint.connections=1"}));
  const auto loaded = load(*site.broker, {"--json", "--things", "100", "--rate", "100",
                                          "--requests", "100", "--operation", "get"});
  EXPECT_EQ(loaded.status, 0) << loaded.output;
  const auto result = loaded.json();
  EXPECT_EQ(result.at("replies"), 100);
  EXPECT_GE(result.at("seconds"), 0.99) << result;
  // 70 requests were due in those 0.7 s: a tenth of all waited for longer than 0.5 s.
  EXPECT_GE(result.at("latency_ms").at("p90"), 500) << result;
}

TEST_F(LoadTest, RejectionsAreCountedByTheirCodes) {
  site.endpoint->set_fault({{"kind", "status"}, {"status", 404}});
  const auto loaded = load(*site.broker, {"--things", "10", "--in-flight", "10", "--requests", "20",
                                          "--operation", "describe-next"});
  EXPECT_EQ(loaded.status, 0) << loaded.output;
  EXPECT_THAT(loaded.output, HasSubstr("rejected with ResourceNotFound: 20\n"));
}

TEST_F(LoadTest, RequestsThatNobodyAnswersAreLost) {
  site.bridge.reset();
  const auto loaded = load(*site.broker, {"--json", "--things", "10", "--in-flight", "10",
                                          "--duration", "0.5", "--patience", "0.2"});
  EXPECT_EQ(loaded.status, 1) << loaded.output;
  const auto result = loaded.json();
  EXPECT_GE(result.at("lost"), 10) << result;
  EXPECT_EQ(result.at("lost"), result.at("requests"));
  EXPECT_EQ(result.at("replies"), 0);
}

TEST_F(LoadTest, ReplyThatTakesLongerThanThePatienceIsNone) {
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 400}});
  const auto loaded = load(*site.broker, {"--json", "--things", "20", "--rate", "20", "--requests",
                                          "20", "--patience", "0.3"});
  EXPECT_EQ(loaded.status, 1) << loaded.output;
  const auto result = loaded.json();
  EXPECT_EQ(result.at("replies"), 0) << result;
  EXPECT_EQ(result.at("lost"), 20) << result;
  EXPECT_GE(result.at("late"), 5) << result;
  EXPECT_EQ(result.at("latency_ms").at("p50"), 300) << result;
}

TEST_F(LoadTest, InterruptedRunTellsWhatItHasSeen) {
  Process process(command(*site.broker, {"--duration", "600", "--things", "200"}));
  ASSERT_TRUE(site.endpoint->wait_for_calls(200));
  process.signal(SIGINT);
  EXPECT_EQ(process.wait(), 0) << process.output();
  EXPECT_THAT(process.output(), HasSubstr(" replies/s\n"));
  EXPECT_THAT(process.output(), HasSubstr("lost 0, "));
}

TEST_F(LoadTest, ThingsMayBeAnywhereInTheTopic) {
  site.bridge.reset();
  site.bridge.emplace(site.bridge_settings({"topics.base=site/{thing}/work"}));
  const auto loaded =
      load(*site.broker, {"--base", "site/{thing}/work", "--things", "2", "--requests", "10"});
  EXPECT_EQ(loaded.status, 0) << loaded.output;
  EXPECT_THAT(loaded.output, HasSubstr("10 requests, 10 replies"));
}

TEST_F(LoadTest, BrokerThatGoesAwayIsSaid) {
  Process process(command(*site.broker, {"--duration", "60", "--things", "200"}));
  ASSERT_TRUE(site.endpoint->wait_for_calls(200));
  site.broker->process().signal(SIGKILL);
  EXPECT_EQ(process.wait(), 1);
  EXPECT_THAT(process.output(), HasSubstr("jobs-load: "));
}

TEST(LoadWithoutSiteTest, ReconnectingLoadOutlivesTheBrokerAndHearsWhatWasKeptForIt) {
  Site site({.broker = {.persistence = true}});
  site.endpoint->create_job("job-1", {"device-1", "device-2"});
  Process process(command(*site.broker, {"--things", "2", "--connections", "2", "--rate", "50",
                                         "--requests", "300", "--operation", "start-next,update",
                                         "--job", "job-1", "--reconnect", "--progress", "0.1"}));
  ASSERT_TRUE(site.endpoint->wait_for_calls(50));
  site.broker->stop(SIGTERM);
  site.broker->start();
  EXPECT_EQ(process.wait(), 0) << process.output();
  EXPECT_THAT(process.output(), HasSubstr("300 requests, 300 replies"));
  EXPECT_THAT(process.output(), HasSubstr(R"("event":"progress")"));
}

TEST(LoadWithoutSiteTest, BrokerThatIsNotThereIsSaid) {
  Process process({JOBS_LOAD_PROGRAM, "--broker", "mqtt://127.0.0.1:1"});
  EXPECT_EQ(process.wait(), 1);
  EXPECT_THAT(process.output(), HasSubstr("cannot connect to 127.0.0.1:1"));
}

TEST(LoadWithoutSiteTest, BrokerOverTlsIsVerifiedAndAsked) {
  Site site({.wires = {.broker_tls = true, .endpoint_tls = true}});
  const auto untrusted = load(*site.broker, {"--requests", "10"});
  EXPECT_EQ(untrusted.status, 1) << untrusted.output;
  const auto trusted =
      load(*site.broker, {"--requests", "200", "--ca-file", site.authority().certificate_file()});
  EXPECT_EQ(trusted.status, 0) << trusted.output;
  EXPECT_THAT(trusted.output, HasSubstr("200 requests, 200 replies"));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
