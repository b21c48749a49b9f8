#include "tests/integration/hostile/others.h"
#include "tests/support/sanitized.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

/// The broker alone: a message to oneself, beside a flood.
class Echo {
 public:
  explicit Echo(unsigned short port) : device_({.port = port, .client_id = "echo"}) {
    device_.subscribe("echo");
  }
  bool ask() {
    const auto start = Others::Clock::now();
    device_.publish("echo", "{}");
    const auto came = device_.next().has_value();
    longest_ = std::max(longest_, std::chrono::duration_cast<std::chrono::milliseconds>(
                                      Others::Clock::now() - start));
    return came;
  }
  [[nodiscard]] std::chrono::milliseconds longest() const { return longest_; }

 private:
  MqttDevice device_;
  std::chrono::milliseconds longest_{};
};

/// One device asks about one job after another, as fast as the broker takes it.
TEST(HostileFloodTest, OfOneDevicesRequestsHasAReplyToEachAndDelaysOnlyIt) {
  constexpr std::size_t count = 10000;
  // The flood is meant for the bridge: the broker is not to drop what it has acknowledged.
  Site site({.broker = {.configuration = "max_queued_messages 0"}});
  Others others(site.broker->port());
  Echo echo(site.broker->port());
  ASSERT_TRUE(others.ask()) << others.last();
  MqttDevice hostile({.port = site.broker->port(), .client_id = "hostile"});
  hostile.subscribe("$aws/things/hostile/jobs/+/get/+");
  const auto before = peak_memory(site.bridge->process().id());
  const auto start = Others::Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    hostile.publish("$aws/things/hostile/jobs/job-" + std::to_string(i) + "/get", "{}");
  }
  while (hostile.count() < count && Others::Clock::now() < start + wait_limit) {
    ASSERT_TRUE(others.ask()) << others.last();
    ASSERT_TRUE(echo.ask());
  }
  const auto lasted =
      std::chrono::duration_cast<std::chrono::milliseconds>(Others::Clock::now() - start);
  // To each its own, accepted or not.
  std::size_t throttled = 0;
  std::vector<bool> heard(count);
  for (const auto& reply : hostile.received()) {
    const auto job = std::stoul(reply.topic.substr(reply.topic.find("/job-") + 5));
    ASSERT_LT(job, count) << reply.topic;
    EXPECT_FALSE(heard[job]) << reply.topic;
    heard[job] = true;
    throttled += reply.payload.find("RequestThrottled") != std::string::npos ? 1U : 0U;
  }
  EXPECT_EQ(std::count(heard.begin(), heard.end(), true), std::ptrdiff_t{count});
  const auto grown = peak_memory(site.bridge->process().id()) - before;
  EXPECT_LT(grown, memory_bound(32U << 20U));
  EXPECT_LT(others.p99(), 1s * slowdown);
  report("FloodOfOneDevice", lasted, grown, others);
  std::cout << "[ measured ] " << throttled << " throttled of " << count
            << " | the broker's own echo at most " << echo.longest().count() << " ms\n";
}

}  // namespace
}  // namespace jobs_bridge::testing_support
