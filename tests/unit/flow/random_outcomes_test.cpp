#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/flow/engine_driver.h"

/// Answers of every status, name, shape and header, in every order: an update is settled by
/// evidence alone. JOBS_BRIDGE_OUTCOMES in the environment: how many; JOBS_BRIDGE_OUTCOMES_SEED:
/// which.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// Answers of an endpoint, or of a proxy before it, that decide nothing.
struct Noise {
  int status;
  const char* name;
  const char* body;
  bool maybe_carried_out;
};
constexpr std::array noises = {
    Noise{500, "InternalServerException", R"({"message":"m"})", true},
    Noise{500, "", "<html>", true},
    Noise{502, "", "", true},
    Noise{503, "ServiceUnavailableException", "{}", true},
    Noise{503, "ResourceNotFoundException", "{}", true},
    Noise{504, "", "<html>", true},
    Noise{599, "", "{}", true},
    Noise{500, "", R"({"success":false,"error":{"code":"INTERNAL","message":"db"}})", true},
    Noise{200, "", R"({"error":{"code":"INTERNAL"},"success":false})", true},
    Noise{200, "", "<html>portal</html>", true},
    Noise{200, "", R"({"Output":{"__type":"x#UnknownOperationException"}})", true},
    Noise{200, "", R"({"hello":"world"})", true},
    Noise{201, "", R"({"success":true,"data":[]})", true},
    Noise{302, "", "<html>", true},
    Noise{404, "", "<html>Not Found</html>", true},
    Noise{404, "", R"({"message":"no Route matched"})", true},
    Noise{405, "", "", true},
    Noise{409, "", "{}", true},
    Noise{409, "", "<html>", true},
    Noise{410, "", R"({"code":410,"message":"gone"})", true},
    Noise{410, "", R"({"success":false})", true},
    Noise{400, "", "<html>Bad Request</html>", true},
    Noise{408, "", "", true},
    Noise{408, "RequestTimeoutException", "{}", true},
    Noise{400, "RequestTimeout", "{}", true},
    Noise{421, "", "", false},
    Noise{425, "", "{}", false},
    Noise{429, "", "{}", false},
    Noise{429, "InvalidRequestException", "{}", false},
    Noise{400, "ThrottledException", "{}", false},
    Noise{400, "", R"({"__type":"a#RequestThrottledException"})", false},
    Noise{410, "LimitExceededException", "{}", false},
    Noise{503, "RequestLimitExceeded", "{}", false},
    Noise{409, "TransactionInProgressException", "{}", false},
    Noise{200, "", R"({"error":{"code":"RATE_LIMITED"},"success":false})", false},
    Noise{401, "", "{}", false},
    Noise{403, "", "<html>", false},
    Noise{403, "ExpiredTokenException", "{}", false},
    Noise{400, "", R"({"code":"IncompleteSignatureException"})", false},
};

struct Execution {
  std::string status = "QUEUED";
  int version = 1;
  std::string details;
  std::int64_t queued = 0;
  std::int64_t updated = 0;
};

/// An update that a device waits for.
struct Asked {
  std::string status;
  int applied = 0;
  /// The Jobs API has refused it, or shown an execution that has ended otherwise.
  bool decided = false;
  bool tried = false;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), driver_(settings()) {}

  void run(std::uint64_t outcomes) {
    while (calls_ < outcomes) step(/*noisy=*/true);
    // Then the weather is fair, and everything comes to its end.
    const auto end = driver_.now.monotonic + 10min;
    while (!waiting_.empty() && driver_.now.monotonic < end) step(/*noisy=*/false);
    EXPECT_TRUE(waiting_.empty()) << waiting_.size() << " updates without an end";
  }

  std::uint64_t calls() const { return calls_; }
  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t rejected() const { return rejected_; }

 private:
  static constexpr int things = 200;

  static EngineSettings settings() {
    EngineSettings settings;
    settings.queue = 100000;
    settings.seed = 7;
    return settings;
  }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool chance(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
  std::int64_t second() const { return driver_.now.monotonic.time_since_epoch() / 1s; }

  /// The endpoint's clock: January 2023, which began on a Sunday.
  std::string date() const {
    const auto now = second();
    const auto day = now / 86400 % 28;
    const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return "Sun, " + two(day + 1) + " Jan 2023 " + two(now % 86400 / 3600) + ":" +
           two(now % 3600 / 60) + ":" + two(now % 60) + " GMT";
  }
  std::int64_t stamp() const {
    return 1672531200 + second() / 86400 % 28 * 86400 + second() % 86400;
  }

  void step(bool noisy) {
    if (noisy && waiting_.size() < 400) ask();
    if (const auto call = driver_.next_call()) {
      driver_.advance(std::chrono::milliseconds(1 + below(5)));
      answer(*call, noisy);
    } else {
      driver_.now.monotonic = std::max(
          driver_.now.monotonic + 1ms,
          std::min(driver_.engine.next_tick(driver_.now.monotonic), driver_.now.monotonic + 50ms));
      driver_.tick();
    }
    hear();
    if (HasFailure()) std::abort();
  }
  static bool HasFailure() { return ::testing::Test::HasFailure(); }

  void ask() {
    const auto thing = "T" + std::to_string(below(things));
    auto& job = jobs_[thing];
    if (job.empty()) job.push_back(fresh());
    const auto token = std::to_string(++last_);
    json payload = {{"clientToken", thing + "/" + token}};
    constexpr std::array statuses = {"IN_PROGRESS", "FAILED", "FAILED", "SUCCEEDED"};
    Asked asked;
    asked.status = statuses.at(below(statuses.size()));
    payload["status"] = asked.status;
    // Without details only failures can be told apart, by the executions; two of the same would be
    // joined to one.
    if (asked.status != "FAILED" || !first_of(thing).empty() || chance(50)) {
      payload["statusDetails"] = {{"n", token}};
    }
    waiting_.emplace(thing + "/" + token, asked);
    driver_.send(thing, "j/update", payload.dump());
  }

  Execution fresh() const { return {.details = {}, .queued = stamp(), .updated = stamp()}; }

  HttpResponse response(int status, const std::string& body, const std::string& name) {
    HttpResponse made;
    made.status = status;
    made.body = body;
    made.error_type = name;
    made.date = date();
    return made;
  }

  void answer(const Call& call, bool noisy) {
    ++calls_;
    const auto thing = call.request.target.substr(8, call.request.target.find('/', 8) - 8);
    auto& job = jobs_.at(thing);
    Asked* asked = nullptr;
    if (call.request.method == "POST") {
      asked = &waiting_.at(first_of(thing));
      asked->tried = true;
    }
    if (!noisy || chance(40)) {
      driver_.answer(call.id, truth(call, job, asked));
      return;
    }
    if (chance(20)) {
      using Kind = HttpFailure::Kind;
      constexpr std::array kinds = {Kind::resolve, Kind::connect, Kind::tls,
                                    Kind::timeout, Kind::broken,  Kind::too_large};
      const auto kind = kinds.at(below(kinds.size()));
      const bool maybe_sent =
          kind == Kind::timeout || kind == Kind::broken || kind == Kind::too_large;
      if (maybe_sent && chance(50)) carry_out(call, job, asked);
      driver_.answer(call.id, HttpFailure{.kind = kind, .maybe_sent = maybe_sent, .detail = "d"});
      return;
    }
    const auto& noise = noises.at(below(noises.size()));
    if (noise.maybe_carried_out && chance(50)) carry_out(call, job, asked);
    auto said = response(noise.status, noise.body, noise.name);
    constexpr std::array headers = {
        "", "", "0", "1", "3", "300", "soon", "-1", "Sun, 01 Jan 2023 23:59:59 GMT"};
    said.retry_after = headers.at(below(headers.size()));
    if (chance(10)) said.date = "yesterday";
    driver_.answer(call.id, said);
  }

  /// Updates of a thing are carried out in the order in which they were asked for.
  std::string first_of(const std::string& thing) const {
    std::string first;
    std::uint64_t least = UINT64_MAX;
    for (auto at = waiting_.lower_bound(thing + "/");
         at != waiting_.end() && at->first.starts_with(thing + "/"); ++at) {
      const auto number = std::stoull(at->first.substr(thing.size() + 1));
      if (number < least) {
        least = number;
        first = at->first;
      }
    }
    return first;
  }

  void carry_out(const Call& call, std::vector<Execution>& job, Asked* asked) {
    if (asked != nullptr) truth(call, job, asked);
  }

  /// What the Jobs API answers; an update is carried out.
  HttpResponse truth(const Call& call, std::vector<Execution>& job, Asked* asked) {
    if (asked == nullptr) {
      auto number = job.size();
      const auto at = call.request.target.find("executionNumber=");
      if (at != std::string::npos) number = std::stoul(call.request.target.substr(at + 16));
      const auto& execution = job.at(number - 1);
      // What has ended cannot be what an update still waits for.
      if (execution.status != "QUEUED" && execution.status != "IN_PROGRESS") {
        for (auto& [token, other] : waiting_) {
          if (token.starts_with(
                  call.request.target.substr(8, call.request.target.find('/', 8) - 7)))
            other.decided = other.decided || other.tried;
        }
      }
      json shown = {{"jobId", "j"},
                    {"status", execution.status},
                    {"versionNumber", execution.version},
                    {"executionNumber", number},
                    {"queuedAt", execution.queued},
                    {"lastUpdatedAt", execution.updated}};
      if (!execution.details.empty()) shown["statusDetails"] = json::parse(execution.details);
      return response(200, json{{"execution", shown}}.dump(), "");
    }
    auto& execution = job.back();
    const auto wanted = json::parse(call.request.body);
    if (execution.status == "SUCCEEDED") {
      asked->decided = true;
      return response(409, R"({"message":"it has ended"})", "InvalidStateTransitionException");
    }
    ++asked->applied;
    execution.status = wanted.at("status");
    ++execution.version;
    execution.updated = stamp();
    if (wanted.contains("statusDetails")) execution.details = wanted["statusDetails"].dump();
    if (execution.status == "FAILED") job.push_back(fresh());
    return response(200, "{}", "");
  }

  void hear() {
    for (const auto& reply : driver_.take_publications()) {
      const auto payload = json::parse(reply.payload);
      // A rejection that comes late has no token; it is of the thing's first update.
      const auto topic = reply.topic.substr(std::string("$aws/things/").size());
      const auto token = payload.value("clientToken", first_of(topic.substr(0, topic.find('/'))));
      const auto found = waiting_.find(token);
      ASSERT_NE(found, waiting_.end()) << "a second reply: " << reply.payload;
      const auto& asked = found->second;
      if (reply.topic.ends_with("/accepted")) {
        ++accepted_;
        EXPECT_GE(asked.applied, 1) << "accepted and never carried out: " << token << asked.status;
      } else {
        ++rejected_;
        const bool at_once = !asked.tried;  // for want of room
        EXPECT_TRUE(asked.decided || at_once) << reply.payload << " is nobody's decision";
        EXPECT_EQ(asked.applied, 0) << reply.payload << " was carried out";
      }
      if (asked.status == "FAILED") {
        EXPECT_LE(asked.applied, 1) << "it ended an execution that no device has begun: " << token;
      }
      const auto thing = token.substr(0, token.find('/'));
      waiting_.erase(found);
      // A job that is over makes room for another.
      auto& job = jobs_[thing];
      if (job.back().status == "SUCCEEDED" && first_of(thing).empty()) job = {fresh()};
    }
  }

  std::mt19937_64 random_;
  EngineDriver driver_;
  std::map<std::string, std::vector<Execution>> jobs_;
  std::map<std::string, Asked> waiting_;  ///< by client token
  std::uint64_t last_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t rejected_ = 0;
};

TEST(RandomOutcomesTest, AnUpdateIsSettledByEvidenceAlone) {
  const auto given = [](const char* variable, std::uint64_t otherwise) {
    const auto* value = std::getenv(variable);
    return value == nullptr ? otherwise : std::stoull(value);
  };
  const auto outcomes = given("JOBS_BRIDGE_OUTCOMES", 50'000);
  World world(given("JOBS_BRIDGE_OUTCOMES_SEED", 1));
  world.run(outcomes);
  std::cout << world.calls() << " outcomes, " << world.accepted() << " updates accepted, "
            << world.rejected() << " rejected\n";
  EXPECT_GT(world.accepted(), outcomes / 20);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
