#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <map>
#include <set>
#include <utility>

#include "bridge/flow/partition.h"
#include "tests/integration/bridge/site.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t thirds = 3;

/// FNV-1a of 64 bits with its published constants, and not the bridge's own: what a script that
/// wants to know a thing's instance would compute.
std::uint64_t fnv_1a(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

std::size_t third_of(const std::string& thing) {
  return fnv_1a(thing) % thirds;
}

std::vector<std::string> things_named(const std::string& prefix, int count) {
  std::vector<std::string> things;
  for (int i = 1; i <= count; ++i) things.push_back(prefix + "-" + std::to_string(i));
  return things;
}

/// Three instances on one broker and one endpoint, each with a third of the things. The site's own
/// bridge is the first.
struct Instances {
  explicit Instances(int things)
      : site({.wires = {.endpoint_tls = true},
              .settings = settings(0),
              .endpoint_arguments = {"--things", "lamp:" + std::to_string(things) + ":1"}}) {
    for (std::size_t i = 1; i < thirds; ++i) {
      others[i - 1].emplace(site.bridge_settings(settings(i)));
    }
    site.device->subscribe("$aws/things/+/jobs/+/+/accepted");
  }

  [[nodiscard]] std::vector<std::string> settings(std::size_t third) const {
    const auto number = std::to_string(third + 1);
    return {"broker.client_id=gateway-" + number,
            "broker.partition=" + number + "/" + std::to_string(thirds),
            "journal.path=" + directory.file("journal-" + number), "limits.deadline=60s",
            "endpoint.connections=4"};
  }
  [[nodiscard]] BridgeProcess& at(std::size_t third) {
    return third == 0 ? *site.bridge : *others[third - 1];
  }

  TemporaryDirectory directory;
  Site site;
  std::array<std::optional<BridgeProcess>, thirds - 1> others;
};

/// The things whose requests this instance has answered, by its log.
std::set<std::string> things_served(const BridgeProcess& instance) {
  const auto log = instance.log();
  const std::string event = " request accepted thing=";
  std::set<std::string> things;
  for (auto at = log.find(event); at != std::string::npos; at = log.find(event, at)) {
    at += event.size();
    things.insert(log.substr(at, log.find(' ', at) - at));
  }
  return things;
}

std::string thing_in(const std::string& token) {
  return token.substr(0, token.find('/'));
}

int number_in(const std::string& token) {
  return std::stoi(token.substr(token.find('/') + 1));
}

/// Requests with tokens THING/NUMBER, numbered for each thing, and the replies to them.
class Requests {
 public:
  explicit Requests(Site& site) : site_(site) {}

  /// `below`: what follows the base in the topic.
  void send(const std::string& thing, const std::string& below,
            nlohmann::json payload = nlohmann::json::object()) {
    const auto token = thing + "/" + std::to_string(++last_[thing]);
    payload["clientToken"] = token;
    sent_[token] = below;
    site_.device->publish("$aws/things/" + thing + "/jobs/" + below, payload.dump());
  }

  /// Takes replies until the condition holds; false: there came no more.
  template <typename Condition>
  bool wait_until(Condition condition) {
    while (!condition()) {
      const auto reply = site_.device->next();
      if (!reply) return false;
      const auto token = token_of(*reply);
      const auto request = sent_.find(token);
      if (request != sent_.end() && request->second == "start-next" && told_to_ask_again(*reply)) {
        ++asked_too_early_[third_of(thing_in(token))];
        ++replies_[token];
        continue;
      }
      if (request == sent_.end() || !reply->topic.ends_with("/" + request->second + "/accepted")) {
        ADD_FAILURE() << reply->topic << " " << reply->payload;
        continue;
      }
      if (++replies_[token] > 1) continue;
      ++answered_[third_of(thing_in(token))];
      order_[thing_in(token)].push_back(token);
    }
    return true;
  }

  /// How many requests of this third have been answered.
  [[nodiscard]] std::size_t answered(std::size_t third) const { return answered_[third]; }
  [[nodiscard]] std::size_t sent(std::size_t third) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        sent_, [&](const auto& entry) { return third_of(thing_in(entry.first)) == third; }));
  }
  /// Those without a reply, and what follows the base in their topics.
  [[nodiscard]] std::map<std::string, std::string> unanswered(std::size_t third) const {
    std::map<std::string, std::string> found;
    for (const auto& [token, below] : sent_) {
      if (third_of(thing_in(token)) == third && !replies_.contains(token)) found[token] = below;
    }
    return found;
  }
  /// How many start-next of this third waited for an instance that could not know for how long.
  [[nodiscard]] std::size_t told_to_ask_again(std::size_t third) const {
    return asked_too_early_[third];
  }
  /// How many replies of this third were repeated ones.
  [[nodiscard]] std::size_t repeated(std::size_t third) const {
    std::size_t count = 0;
    for (const auto& [token, replies] : replies_) {
      if (third_of(thing_in(token)) == third) count += replies - 1;
    }
    return count;
  }
  /// The tokens of this thing's requests in the order in which they were answered.
  [[nodiscard]] const std::vector<std::string>& order(const std::string& thing) {
    return order_[thing];
  }

 private:
  static bool told_to_ask_again(const MqttDevice::Received& reply) {
    return reply.topic.ends_with("/rejected") &&
           reply.payload.find("may have waited too long") != std::string::npos;
  }

  Site& site_;
  std::map<std::string, int> last_;
  std::map<std::string, std::string> sent_;
  std::map<std::string, std::size_t> replies_;
  std::map<std::string, std::vector<std::string>> order_;
  std::array<std::size_t, thirds> answered_{};
  std::array<std::size_t, thirds> asked_too_early_{};
};

nlohmann::json update(int number) {
  return {{"status", "IN_PROGRESS"}, {"statusDetails", {{"number", std::to_string(number)}}}};
}

TEST(SeveralInstancesTest, PartitionIsByFnv1aAsPublished) {
  EXPECT_EQ(fnv_1a(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv_1a("foobar"), 0x85944171f73967e8U);
  for (const std::string thing : {"", "lamp", "lamp-1", "\xc3\xa4:_-"}) {
    EXPECT_EQ(name_hash(thing), fnv_1a(thing)) << thing;
  }
}

TEST(SeveralInstancesTest, EachRequestIsCarriedOutOnceInOrderByTheInstanceOfItsThird) {
  Instances instances(300);
  auto& site = instances.site;
  // Slow calls of different length overtake each other unless the bridge keeps their order.
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 1}, {"jitter_ms", 10}});
  Requests requests(site);
  const auto things = things_named("lamp", 300);
  const std::vector<std::pair<std::string, nlohmann::json>> script = {
      {"start-next", nlohmann::json::object()},
      {"lamp-job-1/update", {{"status", "IN_PROGRESS"}, {"expectedVersion", 2}}},
      {"lamp-job-1/update", {{"status", "IN_PROGRESS"}, {"expectedVersion", 3}}},
      {"lamp-job-1/get", nlohmann::json::object()},
      {"lamp-job-1/update", {{"status", "SUCCEEDED"}, {"expectedVersion", 4}}},
      {"get", nlohmann::json::object()}};
  for (const auto& [below, payload] : script) {
    for (const auto& thing : things) requests.send(thing, below, payload);
  }
  ASSERT_TRUE(requests.wait_until([&] {
    return requests.answered(0) + requests.answered(1) + requests.answered(2) ==
           things.size() * script.size();
  })) << requests.answered(0)
      << " " << requests.answered(1) << " " << requests.answered(2);

  // What each instance is asked last, it answers last.
  auto last_things = things_named("last", 30);
  for (std::size_t third = 0; third < thirds; ++third) {
    const auto last = std::ranges::find(last_things, third, third_of);
    ASSERT_NE(last, last_things.end());
    requests.send(*last, "start-next");
    ASSERT_TRUE(requests.wait_until([&] { return requests.unanswered(third).empty(); }));
    EXPECT_EQ(requests.repeated(third), 0U);
    RecordProperty("requests_of_instance_" + std::to_string(third + 1),
                   static_cast<int>(requests.answered(third)));
  }
  EXPECT_EQ(site.device->received().size(), 0U);

  const auto calls = site.endpoint->calls();
  EXPECT_EQ(calls.at("total"), things.size() * script.size() + thirds);
  std::map<std::string, std::vector<std::string>> carried_out;
  for (const auto& call : calls.at("calls")) {
    EXPECT_EQ(call.at("status"), 200) << call;
    const auto body = nlohmann::json::parse(call.at("body").get<std::string>(), nullptr, false);
    const bool is_update = call.at("operation") == "UpdateJobExecution";
    carried_out[call.at("thing")].push_back(call.at("operation").get<std::string>() +
                                            (is_update ? body.at("expectedVersion").dump() : ""));
  }
  const std::vector<std::string> in_order = {
      "StartNextPendingJobExecution", "UpdateJobExecution2", "UpdateJobExecution3",
      "DescribeJobExecution",         "UpdateJobExecution4", "GetPendingJobExecutions"};
  for (const auto& thing : things) {
    EXPECT_EQ(carried_out[thing], in_order) << thing;
    EXPECT_TRUE(std::ranges::is_sorted(requests.order(thing))) << thing;
  }

  // The log comes by another way than the replies.
  const auto served = [&](std::size_t third) { return things_served(instances.at(third)).size(); };
  EXPECT_TRUE(wait_until([&] {
    return served(0) + served(1) + served(2) == things.size() + thirds;
  })) << served(0)
      << " " << served(1) << " " << served(2);
  for (std::size_t third = 0; third < thirds; ++third) {
    for (const auto& thing : things_served(instances.at(third))) {
      EXPECT_EQ(third_of(thing), third) << thing;
    }
  }
}

struct CarriedOut {
  /// Of each thing, those that were answered, in the order of their first times.
  std::map<std::string, std::vector<int>> updates;
  int repeated = 0;  ///< how many came once more, most of them as the first answer had no taker
};

CarriedOut updates_carried_out(JobsEndpoint& endpoint) {
  CarriedOut result;
  std::set<std::pair<std::string, int>> seen;
  const auto calls = endpoint.calls();
  for (const auto& call : calls.at("calls")) {
    if (call.at("operation") != "UpdateJobExecution") continue;
    const auto body = nlohmann::json::parse(call.at("body").get<std::string>());
    const int number = std::stoi(body.at("statusDetails").at("number").get<std::string>());
    if (!seen.emplace(call.at("thing"), number).second) ++result.repeated;
    auto& numbers = result.updates[call.at("thing")];
    if (call.at("status") == 200 && std::ranges::find(numbers, number) == numbers.end()) {
      numbers.push_back(number);
    }
  }
  return result;
}

int milliseconds_between(Clock::time_point from, Clock::time_point to) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count());
}

/// What a killed instance had in its hands: updates are in its journal, all else its devices ask
/// for again.
TEST(SeveralInstancesTest, KilledInstanceTouchesNoOtherThirdAndItsReplacementTakesOver) {
  Instances instances(150);
  auto& site = instances.site;
  site.endpoint->set_fault({{"kind", "none"}, {"delay_ms", 20}, {"jitter_ms", 20}});
  Requests requests(site);
  const auto things = things_named("lamp", 150);
  constexpr std::size_t killed = 0;
  constexpr int requests_before_kill = 4;  // of each thing
  // Half of the things begin with the update, so that at any time some of each kind are under way.
  const auto send_all = [&](int first_update) {
    const std::string to_update = "lamp-job-1/update";
    const std::array<std::string, 4> script = {"start-next", to_update, "get", to_update};
    for (std::size_t step = 0; step < script.size(); ++step) {
      for (std::size_t i = 0; i < things.size(); ++i) {
        const auto& below = script[(step + i) % script.size()];
        const bool is_second = below == to_update && step >= 2;
        requests.send(things[i], below,
                      below == to_update ? update(first_update + (is_second ? 1 : 0))
                                         : nlohmann::json::object());
      }
    }
    return site.device->flush();
  };
  ASSERT_TRUE(send_all(1));
  ASSERT_TRUE(requests.wait_until([&] { return requests.answered(killed) >= 60; }));
  site.bridge->process().signal(SIGKILL);
  const auto kill = Clock::now();
  ASSERT_EQ(site.bridge->process().wait(), 128 + SIGKILL);
  const auto before_kill = requests.sent(killed);

  // The others serve on, while requests for the third that is away are kept by the broker.
  ASSERT_TRUE(send_all(3));
  ASSERT_TRUE(requests.wait_until([&] {
    return requests.answered(1) == requests.sent(1) && requests.answered(2) == requests.sent(2);
  })) << requests.answered(1)
      << " " << requests.answered(2);
  const auto answered_before = requests.answered(killed);
  const auto in_hands = before_kill - answered_before;
  ASSERT_GT(in_hands, 0U) << "the kill came too late to tell anything";

  const auto start = Clock::now();
  site.bridge.emplace(site.bridge_settings(), BridgeProcess::Wait::not_at_all);
  ASSERT_TRUE(requests.wait_until([&] { return requests.answered(killed) > answered_before; }))
      << site.bridge->log();
  const auto first_reply = Clock::now();
  // Of each thing the requests that were published while it was away are behind those that the
  // journal had: once the former are answered, nothing more comes of the latter.
  ASSERT_TRUE(requests.wait_until([&] {
    return std::ranges::none_of(requests.unanswered(killed), [](const auto& request) {
      return number_in(request.first) > requests_before_kill;
    });
  })) << site.bridge->log();
  const auto lost = requests.unanswered(killed);
  for (std::size_t third = 0; third < thirds; ++third) {
    EXPECT_EQ(requests.told_to_ask_again(third) > 0, third == killed) << third;
  }

  std::map<std::string, int> lost_of;
  for (const auto& [token, below] : lost) ++lost_of[below];
  int updates_lost = 0;
  auto carried_out = updates_carried_out(*site.endpoint);
  for (const auto& thing : things) {
    const auto& numbers = carried_out.updates[thing];
    for (int number = 1; number <= 4; ++number) {
      if (std::ranges::find(numbers, number) == numbers.end()) ++updates_lost;
    }
    EXPECT_TRUE(std::ranges::is_sorted(numbers)) << thing;
  }
  EXPECT_EQ(updates_lost, 0);
  for (const std::size_t third : {1U, 2U}) {
    EXPECT_EQ(requests.repeated(third), 0U);
    EXPECT_TRUE(instances.at(third).process().running());
  }
  for (std::size_t third = 0; third < thirds; ++third) {
    for (const auto& thing : things_served(instances.at(third))) {
      EXPECT_EQ(third_of(thing), third) << thing;
    }
  }

  // What was lost is answered when it is asked for again.
  for (const auto& [token, below] : lost) {
    if (below == "start-next" || below == "get") requests.send(thing_in(token), below);
  }
  EXPECT_TRUE(requests.wait_until([&] {
    return std::ranges::all_of(requests.unanswered(killed),
                               [&](const auto& request) { return lost.contains(request.first); });
  }));

  const std::vector<std::pair<std::string, int>> figures = {
      {"in_hands_of_the_killed", static_cast<int>(in_hands)},
      {"start_next_lost", lost_of["start-next"]},
      {"get_lost", lost_of["get"]},
      {"updates_lost", updates_lost},
      {"updates_repeated", carried_out.repeated},
      {"update_replies_lost", lost_of["lamp-job-1/update"]},
      {"replies_repeated", static_cast<int>(requests.repeated(killed))},
      {"kill_to_first_reply_ms", milliseconds_between(kill, first_reply)},
      {"replacement_to_first_reply_ms", milliseconds_between(start, first_reply)}};
  for (const auto& [name, value] : figures) {
    RecordProperty(name, value);
    std::cout << name << " " << value << "\n";
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
