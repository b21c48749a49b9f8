#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include "adapters/admin/pages.h"
#include "tests/integration/admin/admin_site.h"
#include "tests/integration/admin/browser.h"

namespace jobs_bridge::testing_support {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// What a real browser makes of the page. To see it, set JOBS_BRIDGE_SCREENSHOTS to a directory.
class DashboardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto found = find_chromium();
    ASSERT_TRUE(found) << "no Chromium here: deploy/dependencies test installs it";
    chromium_ = *found;
  }

  /// The text of the page some seconds after it was opened.
  [[nodiscard]] std::string text_of(const std::string& url) const {
    const auto run = browse(chromium_, url, {"--dump-dom"});
    EXPECT_TRUE(run.ended_well) << run.output;
    return visible_text(run.output);
  }

  /// Takes pictures if they are wanted.
  void picture(const std::string& name, const std::string& url) const {
    const auto* directory = std::getenv("JOBS_BRIDGE_SCREENSHOTS");
    if (directory == nullptr) return;
    std::filesystem::create_directories(directory);
    for (const auto* scheme : {"dark", "light"}) {
      for (const auto* size : {"360,1400", "1280,1000"}) {
        const auto file = std::string(directory) + "/" + name + "-" + scheme + "-" +
                          std::string(size).substr(0, std::string(size).find(',')) + ".png";
        const auto number = std::string(scheme) == "dark" ? "0" : "1";
        browse(chromium_, url,
               {"--screenshot=" + file, std::string("--window-size=") + size,
                std::string("--blink-settings=preferredColorScheme=") + number});
      }
    }
  }

  [[nodiscard]] std::string look_at(const std::string& name, const admin::Status& status) const {
    const AdminSite site(status);
    picture(name, site.url());
    return text_of(site.url());
  }

  std::string chromium_;
};

TEST_F(DashboardTest, HealthyBridgeSaysWorkingAndShowsEverything) {
  const auto text = look_at("healthy", healthy_status());
  EXPECT_THAT(text, HasSubstr("Working Messages flow to and from the broker"));
  EXPECT_THAT(text, HasSubstr("mqtts://broker.gateway.local:8883"));
  EXPECT_THAT(text, HasSubstr("messages flow"));
  EXPECT_THAT(text, HasSubstr("Calls in flight 3 of 32"));
  EXPECT_THAT(text, HasSubstr("61.4 of 200 / s"));
  EXPECT_THAT(text, HasSubstr("84.1 requests / s"));
  EXPECT_THAT(text, HasSubstr("13 ms p99 of the last minute"));
  EXPECT_THAT(text, HasSubstr("start-next 5.2 ms"));
  EXPECT_THAT(text, HasSubstr("3.4 KiB of 64 MiB"));
  EXPECT_THAT(text, HasSubstr("Access key ends in 7QXA"));
  EXPECT_THAT(text, HasSubstr("Things watched 412"));
  EXPECT_THAT(text, HasSubstr("press-line-3:plc 612 / min"));
  EXPECT_THAT(text, HasSubstr("sensor-0412 last: VersionMismatch"));
  EXPECT_THAT(text, HasSubstr("\u00d7 37 since"));
  EXPECT_THAT(text, HasSubstr("live, every 2 s"));
}

TEST_F(DashboardTest, EndpointDownNamesCauseCureAndHeldUpdates) {
  const auto text = look_at("endpoint-down", endpoint_down_status());
  EXPECT_THAT(text,
              HasSubstr("No call to the endpoint has succeeded for 12 minutes: connecting to"));
  EXPECT_THAT(text,
              HasSubstr("128 updates are held and will be delivered when calls succeed again"));
  EXPECT_THAT(text, HasSubstr("Updates held 128"));
  EXPECT_THAT(text, Not(HasSubstr("Working")));
}

TEST_F(DashboardTest, BrokerDownNamesCauseAndCure) {
  const auto text = look_at("broker-down", broker_down_status());
  EXPECT_THAT(text, HasSubstr("No connection to the broker: no TCP connection: "
                              "Connection refused"));
  EXPECT_THAT(text, HasSubstr("Kind of fault unreachable"));
  EXPECT_THAT(text, HasSubstr("no connection"));
  EXPECT_THAT(text, HasSubstr("Disconnected for 42 s"));
  EXPECT_THAT(text, Not(HasSubstr("Working")));
}

TEST_F(DashboardTest, ThrottlingIsAWarningWithTheRateThatIsLeft) {
  const auto text = look_at("throttled", throttled_status());
  EXPECT_THAT(text, HasSubstr("Working, but: The endpoint throttles writes"));
  EXPECT_THAT(text, HasSubstr("Throttled: calls are slowed down to 46.5 a second"));
}

TEST_F(DashboardTest, CredentialsNearExpiryAreAWarningWithTheirSource) {
  const auto text = look_at("credentials", credentials_near_expiry_status());
  EXPECT_THAT(text, HasSubstr("Working, but: The credentials expire in 4 minutes"));
  EXPECT_THAT(text, HasSubstr("not attached to the role alias"));
  EXPECT_THAT(text, HasSubstr("This machine's clock is 7 minutes ahead of the endpoint's"));
  EXPECT_THAT(text, HasSubstr("expire soon"));
}

TEST_F(DashboardTest, BareBridgeSaysWhatIsOff) {
  const auto text = look_at("idle", idle_status());
  EXPECT_THAT(text, HasSubstr("Working The broker is connected"));
  EXPECT_THAT(text, HasSubstr("Updates are held in memory only"));
  EXPECT_THAT(text, HasSubstr("Requests are not signed."));
  EXPECT_THAT(text, HasSubstr("None since the start."));
}

TEST_F(DashboardTest, BridgeThatIsGoneIsSaidAndItsLastDataKept) {
  RecordingLog log;
  const admin::Metrics metrics;
  std::atomic<int> asked{0};
  std::unique_ptr<admin::Server> server;
  std::atomic<bool> second{false};
  auto started = admin::Server::start(
      {.snapshot_lasts = Duration::zero()},
      [&] {
        // The page has shown something by its second question.
        if (++asked > 1) second = true;
        if (second) throw std::runtime_error("gone");
        return healthy_status();
      },
      metrics, log);
  ASSERT_TRUE(started);
  server = std::move(started.value());
  const auto url = server->url();
  std::thread ending([&] {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!second && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    server.reset();
  });
  const auto text = text_of(url);
  second = true;
  ending.join();
  EXPECT_THAT(text, HasSubstr("The bridge does not answer"));
  EXPECT_THAT(text, HasSubstr("The data below is from"));
  EXPECT_THAT(text, HasSubstr("last data"));
  EXPECT_THAT(text, HasSubstr("press-line-3:plc"));
  EXPECT_THAT(text, Not(HasSubstr("Working")));
}

TEST_F(DashboardTest, BridgeThatCannotTellIsNotTakenForWorking) {
  RecordingLog log;
  const admin::Metrics metrics;
  auto server = admin::Server::start(
      {.snapshot_lasts = Duration::zero()},
      []() -> admin::Status { throw std::runtime_error("the engine does not respond"); }, metrics,
      log);
  ASSERT_TRUE(server);
  const auto text = text_of(server.value()->url());
  EXPECT_THAT(text, HasSubstr("The bridge cannot report its status"));
  EXPECT_THAT(text, HasSubstr("the engine does not respond"));
}

TEST_F(DashboardTest, WithATokenThePageAsksForItAndShowsNothingElse) {
  const AdminSite site(healthy_status(), {.token = "0123456789abcdef0123"});
  picture("token", site.url());
  const auto text = text_of(site.url());
  EXPECT_THAT(text, HasSubstr("This bridge requires its admin token"));
  EXPECT_THAT(text, Not(HasSubstr("press-line-3:plc")));
}

TEST_F(DashboardTest, HostileNamesAndMessagesStayText) {
  auto status = healthy_status();
  status.busiest = {{"<img src=x onerror=\"document.title='owned'\">", 5, ""}};
  status.errors = {{.first = status.now,
                    .last = status.now,
                    .count = 1,
                    .code = "InvalidRequest",
                    .thing = "<script>document.title='owned'</script>",
                    .several = false,
                    .operation = "update",
                    .message = "</p><svg onload=alert(1)>",
                    .cause = "\xff\xfe not UTF-8"}};
  const AdminSite site(status);
  const auto run = browse(chromium_, site.url(), {"--dump-dom"});
  EXPECT_THAT(run.output, HasSubstr("&lt;img src=x onerror="));
  EXPECT_THAT(run.output, HasSubstr("&lt;/p&gt;&lt;svg onload=alert(1)&gt;"));
  EXPECT_THAT(run.output, HasSubstr("&lt;script&gt;document.title='owned'&lt;/script&gt;"));
  EXPECT_THAT(run.output, Not(HasSubstr("<title>owned")));
}

TEST(DashboardPageTest, IsTheWholeFileAndSmall) {
  const auto& page = admin::dashboard_page();
  EXPECT_THAT(page,
              AllOf(::testing::StartsWith("<!doctype html>"), ::testing::EndsWith("</html>\n")));
  EXPECT_LT(page.size(), 40000U);
  // Nothing from elsewhere: the namespace of SVG is a name, not an address that is opened.
  for (auto at = page.find("http"); at != std::string::npos; at = page.find("http", at + 1)) {
    EXPECT_TRUE(page.substr(at).starts_with("http://www.w3.org/2000/svg")) << page.substr(at, 60);
  }
  EXPECT_THAT(page, Not(HasSubstr("innerHTML")));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
