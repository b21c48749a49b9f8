#include <httplib.h>

#include <string>
#include <vector>

#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

/// Whether the bridge knows that requests come in and replies go out: with the ACLs that brokers
/// really have.
namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string canary = "topic readwrite jobs-bridge/canary/jobs-bridge\n";
const std::string read_requests =
    "topic read $aws/things/+/jobs/start-next\n"
    "topic read $aws/things/+/jobs/get\n"
    "topic read $aws/things/+/jobs/+/get\n"
    "topic read $aws/things/+/jobs/+/update\n";
const std::string write_requests =
    "topic write $aws/things/+/jobs/start-next\n"
    "topic write $aws/things/+/jobs/get\n"
    "topic write $aws/things/+/jobs/+/get\n"
    "topic write $aws/things/+/jobs/+/update\n";
const std::string write_replies =
    "topic write $aws/things/+/jobs/+/accepted\n"
    "topic write $aws/things/+/jobs/+/rejected\n"
    "topic write $aws/things/+/jobs/+/+/accepted\n"
    "topic write $aws/things/+/jobs/+/+/rejected\n";
const std::string read_self_test =
    "topic read $aws/things/~self-test~jobs-bridge/jobs/start-next/+\n"
    "topic read $aws/things/~self-test~jobs-bridge/jobs/get/+\n"
    "topic read $aws/things/~self-test~jobs-bridge/jobs/self-test/+/+\n";

/// What /readyz says.
struct Readiness {
  bool ready = false;
  std::vector<std::string> reasons;
  std::vector<std::string> warnings;
  std::string text;
};

/// A bridge that may do what `rules` say, and devices that may do anything.
class JobsTopicsTest : public testing::TestWithParam<bool> {
 public:
  static std::string acl(const std::string& rules) {
    return "topic readwrite #\ntopic readwrite $aws/#\nuser gateway\n" + rules;
  }
  static Site::Options allowing(const std::string& rules) {
    return {.wires = {.mqtt_5 = GetParam()},
            .settings = {"broker.username=gateway"},
            .broker = {.acl = acl(rules)},
            .wait = BridgeProcess::Wait::until_subscribed};
  }
  static Readiness readiness(const Site& site) {
    httplib::Client client(site.bridge->admin_url());
    const auto answer = client.Get("/readyz");
    if (!answer) return {};
    const auto said = json::parse(answer->body);
    Readiness result{.ready = said.at("ready"), .reasons = {}, .warnings = {}, .text = said.dump()};
    for (const auto& reason : said.at("reasons")) result.reasons.push_back(reason.at("code"));
    for (const auto& warning : said.at("warnings")) result.warnings.push_back(warning.at("code"));
    return result;
  }
  /// Once the self-test is over.
  static Readiness settled(const Site& site) {
    Readiness last;
    EXPECT_TRUE(wait_until([&] {
      last = readiness(site);
      if (last.reasons.empty()) return last.ready;
      return last.reasons[0] != "broker_silent" && last.reasons[0] != "topics_untested" &&
             last.reasons[0] != "broker_not_subscribed";
    })) << site.bridge->log();
    return last;
  }
  /// One of each kind, from a device.
  static void ask_everything(const Site& site) {
    for (const auto* below : {"start-next", "get", "job-1/get", "job-1/update"}) {
      site.device->publish(std::string("$aws/things/lamp/jobs/") + below, "{}");
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Protocols, JobsTopicsTest, testing::Values(true, false),
                         [](const auto& parameter) {
                           return std::string(parameter.param ? "Mqtt5" : "Mqtt311");
                         });

TEST_P(JobsTopicsTest, ReadyWithoutWarningWhereAllIsAllowed) {
  const Site site(allowing(canary + read_requests + "topic write $aws/things/+/jobs/#\n" +
                           (GetParam() ? "" : read_self_test)));
  const auto said = settled(site);
  EXPECT_TRUE(said.ready) << said.text;
  EXPECT_THAT(said.warnings, IsEmpty()) << said.text << site.bridge->log();
}

TEST_P(JobsTopicsTest, ReadyWithoutWarningWithThePlugin) {
  auto options = allowing(canary + read_requests + "topic write $aws/things/+/jobs/#\n" +
                          (GetParam() ? "" : read_self_test));
  options.broker.with_plugin = true;
  const Site site(std::move(options));
  const auto said = settled(site);
  EXPECT_TRUE(said.ready) << said.text;
  EXPECT_THAT(said.warnings, IsEmpty()) << said.text << site.bridge->log();
}

TEST_P(JobsTopicsTest, NotReadyWhereTheCanaryPassesAndJobsTopicsDoNot) {
  const Site site(allowing(canary));
  const auto said = settled(site);
  EXPECT_FALSE(said.ready);
  // Over MQTT 3.1.1 mosquitto does not report what it drops.
  EXPECT_THAT(said.reasons, ElementsAre(GetParam() ? "replies_blocked" : "requests_blocked"))
      << said.text;
  EXPECT_THAT(said.text, HasSubstr("topic write $aws/things/+/jobs/#"));
  EXPECT_THAT(site.bridge->log(), HasSubstr(GetParam() ? "the broker refuses the bridge's replies"
                                                       : "Jobs requests do not reach the bridge"));
  EXPECT_THAT(site.bridge->log(), Not(HasSubstr("ready for requests")));
}

/// The replies to other operations go out, which says nothing of those to updates.
TEST(RefusedRepliesTest, NotReadyWhereTheRepliesToOneOperationAreRefusedWhateverElseIsAsked) {
  const Site site(
      {.settings = {"broker.username=gateway"},
       .broker = {.acl = JobsTopicsTest::acl(canary + read_requests + write_requests +
                                             "topic write $aws/things/+/jobs/+/accepted\n"
                                             "topic write $aws/things/+/jobs/+/rejected\n"
                                             "topic write $aws/things/+/jobs/+/get/+\n")},
       .wait = BridgeProcess::Wait::until_subscribed});
  EXPECT_FALSE(JobsTopicsTest::settled(site).ready);
  site.device->publish("$aws/things/lamp/jobs/get", "{}");
  ASSERT_TRUE(site.device->wait_for(1));
  Readiness said;
  // What /readyz says may be a second old.
  EXPECT_FALSE(wait_until(
      [&] {
        said = JobsTopicsTest::readiness(site);
        return said.ready;
      },
      std::chrono::seconds(3)))
      << site.bridge->log();
  EXPECT_THAT(said.reasons, ElementsAre("replies_blocked")) << said.text;
  EXPECT_THAT(said.text, HasSubstr("/update/"));
}

/// mosquitto grants shared subscriptions below $aws and delivers nothing on them.
TEST(SharedJobsTopicsTest, WithAGroupItIsNotReadyWhereSharedSubscriptionsAreSilent) {
  const Site site(
      {.settings = {"broker.share_group=gateways"}, .wait = BridgeProcess::Wait::until_subscribed});
  const auto said = JobsTopicsTest::settled(site);
  EXPECT_FALSE(said.ready) << said.text;
  EXPECT_THAT(said.reasons, ElementsAre("requests_blocked")) << said.text;
  EXPECT_THAT(said.text, HasSubstr("broker.share_group"));
}

TEST(SharedJobsTopicsTest, WithAGroupItIsReadyWhereTheyAreNot) {
  const Site site({.settings = {"broker.share_group=gateways", "topics.base=fleet/{thing}/jobs"}});
  const auto said = JobsTopicsTest::settled(site);
  EXPECT_TRUE(said.ready) << said.text;
  EXPECT_THAT(said.warnings, IsEmpty()) << said.text;
}

TEST_P(JobsTopicsTest, WhereRequestsComeInButNoReplyGoesOutItSaysWhatItCanSee) {
  const Site site(allowing(canary + read_requests + write_requests + read_self_test));
  const auto said = settled(site);
  if (GetParam()) {
    EXPECT_THAT(said.reasons, ElementsAre("replies_blocked")) << said.text;
    EXPECT_THAT(said.text, HasSubstr("Not authorized"));
  } else {
    // It may be that only the test's own replies cannot be read.
    EXPECT_TRUE(said.ready) << said.text;
    EXPECT_THAT(said.warnings, ElementsAre("replies_unseen")) << said.text;
    EXPECT_THAT(said.text, HasSubstr("topic read $aws/things/~self-test~"));
  }
}

TEST_P(JobsTopicsTest, NotReadyWhereRepliesGoOutButNoRequestComesIn) {
  const Site site(allowing(canary + write_requests + write_replies + read_self_test));
  const auto said = settled(site);
  if (GetParam()) {
    EXPECT_THAT(said.reasons, ElementsAre("requests_blocked")) << said.text;
  } else {
    EXPECT_THAT(said.warnings, ElementsAre("requests_unseen")) << said.text;
  }
}

TEST_P(JobsTopicsTest, WhereTheSelfTestIsNotAllowedRequestsOfDevicesAreProof) {
  Site site(allowing(canary + read_requests + write_replies));
  const auto before = settled(site);
  if (GetParam()) {
    EXPECT_TRUE(before.ready) << before.text;
    EXPECT_THAT(before.warnings, ElementsAre("requests_unseen"));
  } else {
    EXPECT_THAT(before.reasons, ElementsAre("requests_blocked")) << before.text;
  }
  ask_everything(site);
  Readiness after;
  EXPECT_TRUE(wait_until([&] {
    after = readiness(site);
    return after.ready && after.warnings.size() == (GetParam() ? 0U : 1U);
  })) << after.text;
  if (!GetParam()) {
    EXPECT_THAT(after.warnings, ElementsAre("replies_unseen"));
  }
  // "Again" only where it was known that none came.
  EXPECT_TRUE(site.bridge->process().wait_for_output(
      GetParam() ? "Jobs requests do reach the bridge" : "Jobs requests reach the bridge again"))
      << site.bridge->log();
  EXPECT_TRUE(site.bridge->wait_until_ready()) << "what was missing for it is there";
}

TEST_P(JobsTopicsTest, NoTestWithoutACanary) {
  auto options = allowing(read_requests + write_replies);
  options.settings.emplace_back("broker.canary_topic=");
  const Site site(std::move(options));
  const auto said = settled(site);
  EXPECT_TRUE(said.ready) << said.text;
  EXPECT_THAT(said.warnings, IsEmpty());
}

}  // namespace
}  // namespace jobs_bridge::testing_support
