#include <algorithm>
#include <array>
#include <csignal>
#include <set>

#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

/// Three instances in one group. The broker deals requests out to them in turn, whatever thing they
/// are of: so, unlike with broker.partition, each instance keeps the order of the requests that it
/// received, but between instances there is no order.
///
/// The topics begin without a '$', as mosquitto deals out nothing of those that do.
struct Group {
  explicit Group(const std::string& session_expiry = "1h")
      : site({.wires = {.endpoint_tls = true},
              .settings = {"broker.client_id=member-1", "broker.share_group=gateways",
                           "broker.session_expiry=" + session_expiry,
                           "topics.base=things/{thing}/jobs", "limits.deadline=60s",
                           // A self-test takes a turn of the broker's, and these tests count turns.
                           "broker.canary_topic="},
              .endpoint_arguments = {"--things", "lamp:300:1"}}) {
    for (std::size_t i = 0; i < others.size(); ++i) {
      others[i].emplace(site.bridge_settings({"broker.client_id=member-" + std::to_string(i + 2)}));
    }
    for (const auto* filter : {"things/+/jobs/+/accepted", "things/+/jobs/+/rejected",
                               "things/+/jobs/+/+/accepted", "things/+/jobs/+/+/rejected"}) {
      site.device->subscribe(filter);
    }
  }

  void send(const std::string& thing, const std::string& below, nlohmann::json payload = {}) {
    if (!payload.contains("clientToken")) payload["clientToken"] = thing + "/" + below;
    site.device->publish("things/" + thing + "/jobs/" + below, payload.dump());
  }
  void start_next(const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) send(prefix + "-" + std::to_string(i), "start-next");
  }

  /// Takes replies until there have been so many in all; each must be an accepted one, and the
  /// first to its request.
  testing::AssertionResult hears(std::size_t count) {
    return hears_until([&] { return replies.size() >= count; });
  }
  template <typename Condition>
  testing::AssertionResult hears_until(Condition condition) {
    while (!condition()) {
      const auto reply = site.device->next();
      if (!reply) return testing::AssertionFailure() << "no more than " << replies.size();
      if (!reply->topic.ends_with("/accepted") || !replies.insert(token_of(*reply)).second) {
        return testing::AssertionFailure() << reply->topic << " " << reply->payload;
      }
    }
    return testing::AssertionSuccess();
  }

  /// The first member, which is the site's own bridge.
  void kill_first() {
    site.bridge->process().signal(SIGKILL);
    ASSERT_EQ(site.bridge->process().wait(), 128 + SIGKILL);
    ASSERT_TRUE(site.broker->process().wait_for_line("Client member-1 (closed|disconnected)"));
  }

  [[nodiscard]] std::size_t heard_of(const std::string& prefix) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        replies, [&](const auto& token) { return token.starts_with(prefix); }));
  }

  Site site;
  std::array<std::optional<BridgeProcess>, 2> others;
  std::set<std::string> replies;  ///< their tokens
};

/// By its log.
std::size_t requests_accepted(const BridgeProcess& member) {
  const auto log = member.log();
  std::size_t count = 0;
  for (auto at = log.find(" request accepted "); at != std::string::npos;
       at = log.find(" request accepted ", at + 1)) {
    ++count;
  }
  return count;
}

/// The log comes by another way than the replies.
testing::AssertionResult has_accepted(const BridgeProcess& member, std::size_t count) {
  wait_until([&] { return requests_accepted(member) >= count; });
  if (requests_accepted(member) == count) return testing::AssertionSuccess();
  return testing::AssertionFailure() << requests_accepted(member) << ", not " << count;
}

TEST(SharedSubscriptionTest, EachRequestIsCarriedOutOnceByOneOfTheGroup) {
  Group group;
  constexpr std::size_t things = 300;
  for (std::size_t i = 1; i <= things; ++i) {
    // Any order of these three is accepted.
    const auto thing = "lamp-" + std::to_string(i);
    group.send(thing, "start-next");
    group.send(thing, "lamp-job-1/update", {{"status", "IN_PROGRESS"}});
    group.send(thing, "get");
  }
  ASSERT_TRUE(group.hears(3 * things));
  const auto calls = group.site.endpoint->calls();
  EXPECT_EQ(calls.at("total"), 3 * things);
  const nlohmann::json once = {{"StartNextPendingJobExecution", 1},
                               {"UpdateJobExecution", 1},
                               {"GetPendingJobExecutions", 1}};
  for (const auto& [thing, counts] : calls.at("things").items()) EXPECT_EQ(counts, once) << thing;
  // The broker's turns, which it does not keep to the last one on a busy machine, leave none out.
  // The log comes by another way than the replies.
  const auto in_all = [&] {
    return requests_accepted(*group.site.bridge) + requests_accepted(*group.others[0]) +
           requests_accepted(*group.others[1]);
  };
  EXPECT_TRUE(wait_until([&] { return in_all() >= 3 * things; })) << in_all();
  EXPECT_EQ(in_all(), 3 * things);
  EXPECT_GT(requests_accepted(*group.site.bridge), things * 9 / 10);
  for (const auto& other : group.others) EXPECT_GT(requests_accepted(*other), things * 9 / 10);
  EXPECT_EQ(group.site.device->received().size(), 0U);
}

TEST(SharedSubscriptionTest, ARequestInANamespaceOfJobsIsRejectedOnce) {
  Group group;
  group.site.device->subscribe("things/+/jobs/+/+/+/rejected");
  constexpr std::size_t count = 30;
  for (std::size_t i = 0; i < count; ++i) {
    group.send("core-" + std::to_string(i), "$next/namespace-aws-gg-deployment/get");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto reply = group.site.device->next();
    ASSERT_TRUE(reply) << i;
    EXPECT_EQ(code_of(*reply), "InvalidTopic");
    EXPECT_TRUE(group.replies.insert(token_of(*reply)).second) << token_of(*reply);
  }
  group.start_next("last", 1);
  EXPECT_TRUE(group.hears(count + 1));
}

/// mosquitto deals requests to a member that is away for as long as it keeps that member's session,
/// and never takes back what it has dealt. So with a long broker.session_expiry a third of the
/// requests wait until the member is back.
TEST(SharedSubscriptionTest, MosquittoKeepsADeadMembersShareUntilItIsBack) {
  Group group;
  group.site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 3000}});
  group.start_next("early", 60);
  ASSERT_TRUE(group.site.endpoint->wait_for_calls(60));  // and none of them is answered yet
  group.kill_first();
  group.site.endpoint->clear_faults();
  group.start_next("late", 60);
  ASSERT_TRUE(group.site.device->flush());
  ASSERT_TRUE(group.hears(80));  // what the living were dealt
  EXPECT_EQ(group.heard_of("early"), 40U);
  EXPECT_EQ(group.heard_of("late"), 40U);
  EXPECT_EQ(group.site.endpoint->start_next_calls().size(), 100U) << "nothing was dealt anew";

  // What came while it was away it finds in its session. Of what it had in its hands it is given
  // again only what it had not acknowledged, which is next to nothing, and no start-next is kept in
  // a journal: its devices ask again.
  group.site.bridge.emplace(group.site.bridge_settings());
  ASSERT_TRUE(group.hears_until([&] { return group.heard_of("late") == 60; }));
  std::size_t lost = 0;
  for (int i = 0; i < 60; ++i) {
    const auto thing = "early-" + std::to_string(i);
    if (group.replies.contains(thing + "/start-next")) continue;
    group.send(thing, "start-next", {{"clientToken", "again-" + std::to_string(++lost)}});
  }
  RecordProperty("lost_with_the_dead_member", static_cast<int>(lost));
  EXPECT_LE(lost, 20U);
  EXPECT_TRUE(group.hears_until([&] { return group.heard_of("again") == lost; }));
}

/// With a short broker.session_expiry it is the broker that soon has no such member any more; what
/// it was dealt until then is gone.
TEST(SharedSubscriptionTest, LivingMembersAnswerAllOnceTheDeadMembersSessionHasExpired) {
  Group group("1s");
  group.start_next("early", 60);
  ASSERT_TRUE(group.hears(60));
  group.kill_first();
  ASSERT_TRUE(group.site.broker->process().wait_for_output("Expiring client member-1"));
  group.start_next("late", 60);
  ASSERT_TRUE(group.hears(120));
  EXPECT_EQ(group.site.endpoint->start_next_calls().size(), 120U);
  for (const auto& other : group.others) EXPECT_TRUE(has_accepted(*other, 20U + 30U));
  // A new session, and its turn again.
  group.site.bridge.emplace(group.site.bridge_settings());
  group.start_next("last", 60);
  ASSERT_TRUE(group.hears(180));
  EXPECT_TRUE(has_accepted(*group.site.bridge, 20U));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
