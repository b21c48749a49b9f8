#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "tests/unit/flow/engine_driver.h"

/// The engine's promises under random schedules, from seeds: whatever comes in whatever order, the
/// invariants hold after each step. A model beside the engine, simple enough to be seen right,
/// says what must be true.
namespace jobs_bridge {
namespace {

using testing_support::answer_of;
using testing_support::EngineDriver;

/// A request as the model sees it.
struct Asked {
  std::string thing;
  std::string topic;
  std::string reply_topic;  ///< of a Response Topic; empty: topic and suffix
  std::string method;
  std::string target;
  MonotonicTime received;
  bool replied = false;
};

/// What the model knows of a thing.
struct Line {
  std::deque<int> waiting;
  std::optional<int> in_flight;
  bool late = false;             ///< the one in flight had its reply
  bool settling = false;         ///< in flight, and waits for the call that asks what became of it
  bool settled = false;          ///< that call has been given out
  std::set<std::string> passed;  ///< things that had a turn while this one could have had it
};

class Simulation {
 public:
  explicit Simulation(std::uint32_t seed)
      : random_(seed),
        settings_{.deadline = std::chrono::milliseconds(1 + below(2000)),
                  .queue = 1 + below(40),
                  .queue_per_thing = 1 + below(8),
                  .max_payload = 512},
        things_(1 + below(12)),
        driver_(settings_) {}

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFatalFailure(); ++step) {
      if (const auto choice = below(100); choice < 35) {
        receive();
      } else if (choice < 60) {
        start();
      } else if (choice < 80) {
        answer();
      } else if (choice < 97) {
        pass_time(std::chrono::microseconds(below(below(4) == 0 ? 2000000 : 20000)));
      } else if (choice < 99) {
        answer_nonsense();
      } else {
        refuse_or_abandon();
      }
      check();
    }
    finish();
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  void receive() {
    if (below(10) == 0) return receive_what_is_ignored();
    const int number = static_cast<int>(asked_.size());
    const auto name = "r" + std::to_string(number);
    const auto thing = "thing" + std::to_string(below(things_) == 0 ? 0 : below(things_));
    const auto base = "$aws/things/" + thing + "/jobs/";
    const auto path = "/things/" + thing + "/jobs";
    std::string payload = R"({"status":"IN_PROGRESS","clientToken":")" + name + "\"}";
    Asked asked{.thing = thing,
                .topic = {},
                .reply_topic = {},
                .method = "GET",
                .target = path,
                .received = driver_.now.monotonic};
    switch (below(4)) {
      case 0:
        asked.topic = base + "get";
        break;
      case 1:
        asked.topic = base + "start-next";
        asked.method = "PUT";
        asked.target = path + "/$next";
        break;
      case 2:
        asked.topic = base + name + "/get";
        asked.target = path + "/" + name + "?includeJobDocument=true";
        break;
      default:
        asked.topic = base + name + "/update";
        asked.method = "POST";
        asked.target = path + "/" + name;
        break;
    }
    if (below(5) == 0) asked.reply_topic = base + "replies/" + name;
    const bool bad = below(8) == 0;
    if (bad)
      payload =
          R"({"status":5,"statusDetails":5,"executionNumber":-1,"clientToken":")" + name + "\"}";
    const bool unread = bad && asked.topic == base + "get";  // a get has no member to be wrong
    if (unread) payload += std::string(512, ' ');
    asked_.push_back(asked);
    tokenless_ = unread ? number : -1;
    driver_.receive({.topic = asked.topic,
                     .payload = payload,
                     .response_topic = asked.reply_topic,
                     .correlation_data = name});
    auto& line = lines_[thing];
    const bool full =
        waiting_ >= settings_.queue || line.waiting.size() >= settings_.queue_per_thing;
    const bool at_once = bad || full || refusing_;
    ASSERT_EQ(driver_.effects.publications.size(), at_once ? 1U : 0U);
    if (at_once) {
      const auto expected = bad         ? ErrorCode::invalid_request
                            : refusing_ ? ErrorCode::internal_error
                                        : ErrorCode::request_throttled;
      ASSERT_EQ(driver_.effects.finished.at(0).rejection.value().code, expected);
    } else {
      line.waiting.push_back(number);
      ++waiting_;
    }
    take_replies();
    tokenless_ = -1;
    ASSERT_EQ(asked_[static_cast<std::size_t>(number)].replied, at_once);
  }

  void receive_what_is_ignored() {
    driver_.receive(
        {.topic = "$aws/things/thing0/jobs/start-next", .payload = "{}", .retained = true});
    driver_.send("thing0", "start-next/accepted");
    driver_.send("thing0", "notify-next");
    ASSERT_TRUE(driver_.effects.publications.empty());
    ASSERT_TRUE(driver_.effects.finished.empty());
  }

  void start() {
    const auto ready = driver_.engine.ready();
    const auto call = driver_.next_call();
    ASSERT_TRUE(driver_.effects.publications.empty()) << "time has not passed since the last tick";
    ASSERT_EQ(call.has_value(), ready > 0);
    if (!call) return;
    const auto thing = call->request.target.substr(8, call->request.target.find('/', 8) - 8);
    auto& line = lines_.at(thing);
    if (line.settling) {
      const auto& asked = asked_.at(static_cast<std::size_t>(line.in_flight.value()));
      ASSERT_EQ(call->request.method, "GET");
      ASSERT_EQ(call->request.target, asked.target + "?includeJobDocument=false");
      ASSERT_LE(call->deadline, asked.received + settings_.deadline);
      line.settling = false;
      line.settled = true;
      flying_.emplace_back(call->id, thing);
      return;
    }
    ASSERT_TRUE(called_.insert(call->id).second) << "an id is given out once";
    ASSERT_FALSE(line.in_flight) << "never two in flight for one thing";
    ASSERT_FALSE(line.waiting.empty());
    const int number = line.waiting.front();
    const auto& asked = asked_.at(static_cast<std::size_t>(number));
    ASSERT_EQ(call->request.target, asked.target) << "in arrival order";
    ASSERT_EQ(call->request.method, asked.method);
    ASSERT_GT(call->deadline, driver_.now.monotonic);
    ASSERT_LE(call->deadline, asked.received + settings_.deadline);
    line.waiting.pop_front();
    --waiting_;
    line.in_flight = number;
    line.settled = false;
    line.passed.clear();
    flying_.emplace_back(call->id, thing);
    for (auto& [name, other] : lines_) {
      if (name == thing || other.in_flight || other.waiting.empty()) continue;
      ASSERT_TRUE(other.passed.insert(thing).second)
          << thing << " had two turns while " << name << " waited for one";
    }
  }

  void answer() {
    if (flying_.empty()) return;
    const auto at = below(flying_.size());
    const auto [id, thing] = flying_[at];
    flying_.erase(flying_.begin() + static_cast<std::ptrdiff_t>(at));
    auto& line = lines_.at(thing);
    const int number = line.in_flight.value();
    const auto& asked = asked_.at(static_cast<std::size_t>(number));
    const bool late = line.late;
    driver_.answer(id, outcome());
    if (!late && driver_.effects.publications.empty()) {
      ASSERT_EQ(asked.method, "POST") << "only an update is looked into";
      ASSERT_FALSE(line.settled) << "and only once";
      line.settling = true;
      return;
    }
    line.in_flight.reset();
    line.late = false;
    line.passed.clear();
    ASSERT_EQ(driver_.effects.publications.size(), late ? 0U : 1U);
    take_replies();
    ASSERT_TRUE(asked.replied);
    done_.push_back(id);
  }

  HttpOutcome outcome() {
    switch (below(6)) {
      case 0:
        return HttpFailure{.kind = HttpFailure::Kind::timeout, .detail = "timeout"};
      case 1:
        return answer_of(503, "<html>");
      case 2:
        return answer_of(200, "garbage");
      case 3:
        return answer_of(200, R"({"success":false,"error":{"code":"NOT_FOUND"}})");
      default:
        return answer_of(200, "{}");
    }
  }

  /// An answer to a call that is done, and to ones that never were.
  void answer_nonsense() {
    if (!done_.empty()) driver_.answer(done_[below(done_.size())]);
    driver_.answer(1000000 + below(10));
    ASSERT_TRUE(driver_.effects.publications.empty());
  }

  /// Time passes as it does for whoever sleeps until next_tick().
  void pass_time(Duration by) {
    const auto until = driver_.now.monotonic + by;
    while (true) {
      const auto next = driver_.engine.next_tick(driver_.now.monotonic);
      ASSERT_GT(next, driver_.now.monotonic);
      if (next > until) break;
      driver_.now.monotonic = next;
      driver_.tick();
      take_replies();
    }
    driver_.now.monotonic = until;
    driver_.tick();
    ASSERT_TRUE(driver_.effects.publications.empty()) << "nothing was due between two next_tick()s";
  }

  void refuse_or_abandon() {
    if (below(3) != 0) return;
    if (below(2) == 0) {
      driver_.engine.refuse_new_requests();
      refusing_ = true;
    }
    driver_.engine.abandon(driver_.now, driver_.effects);
    take_replies();
    for (const auto& asked : asked_) ASSERT_TRUE(asked.replied);
  }

  /// Every publication answers one request, which had no answer yet, in time, in the right place.
  void take_replies() {
    ASSERT_EQ(driver_.effects.finished.size(), driver_.effects.publications.size());
    for (std::size_t i = 0; i < driver_.effects.publications.size(); ++i) {
      const auto& publication = driver_.effects.publications[i];
      const auto& finished = driver_.effects.finished[i];
      ASSERT_EQ(publication.correlation_data.substr(0, 1), "r");
      const int number = std::stoi(publication.correlation_data.substr(1));
      auto& asked = asked_.at(static_cast<std::size_t>(number));
      ASSERT_FALSE(asked.replied) << "never two replies";
      asked.replied = true;
      const auto payload = nlohmann::json::parse(publication.payload);
      if (number != tokenless_) {
        ASSERT_EQ(payload.at("clientToken"), publication.correlation_data);
      }
      ASSERT_EQ(payload.contains("code"), finished.rejection.has_value());
      const auto suffix = finished.rejection ? "/rejected" : "/accepted";
      ASSERT_EQ(publication.topic,
                asked.reply_topic.empty() ? asked.topic + suffix : asked.reply_topic);
      ASSERT_EQ(finished.topic, asked.topic);
      ASSERT_EQ(finished.took, driver_.now.monotonic - asked.received);
      ASSERT_LE(finished.took, settings_.deadline);
      forget(asked.thing, number);
    }
    driver_.effects.clear();
  }

  /// The model's side of a reply: what waited waits no longer, what flies is late.
  void forget(const std::string& thing, int number) {
    auto& line = lines_[thing];
    if (line.in_flight == number && line.settling) {
      line.in_flight.reset();
      line.settling = false;
      line.passed.clear();
    } else if (line.in_flight == number) {
      line.late = true;
    }
    const auto erased = std::erase(line.waiting, number);
    waiting_ -= erased;
    if (erased > 0 && line.waiting.empty()) line.passed.clear();
  }

  void check() {
    std::size_t ready = 0;
    std::size_t settling = 0;
    std::optional<MonotonicTime> due;
    for (const auto& [thing, line] : lines_) {
      if (line.settling) ++settling;
      if (!line.in_flight && !line.waiting.empty()) ++ready;
      ASSERT_LE(line.waiting.size(), settings_.queue_per_thing);
    }
    for (const auto& asked : asked_) {
      if (asked.replied) continue;
      const auto deadline = asked.received + settings_.deadline;
      due = std::min(due.value_or(deadline), deadline);
    }
    const auto now = driver_.now.monotonic;
    ASSERT_EQ(driver_.engine.ready(), ready + settling);
    ASSERT_EQ(driver_.engine.waiting(), waiting_);
    ASSERT_EQ(driver_.engine.in_flight(), flying_.size() + settling);
    ASSERT_LE(driver_.engine.waiting(), settings_.queue);
    ASSERT_LE(driver_.engine.next_tick(now), due.value_or(now + settings_.deadline));
  }

  void finish() {
    pass_time(settings_.deadline);
    for (const auto& asked : asked_) ASSERT_TRUE(asked.replied) << asked.topic;
    while (!flying_.empty() && !testing::Test::HasFatalFailure()) answer();
    check();
    ASSERT_EQ(driver_.engine.waiting() + driver_.engine.ready() + driver_.engine.in_flight(), 0U);
  }

  std::mt19937 random_;
  EngineSettings settings_;
  std::size_t things_;
  EngineDriver driver_;
  std::vector<Asked> asked_;
  std::map<std::string, Line> lines_;
  std::size_t waiting_ = 0;
  std::vector<std::pair<RequestId, std::string>> flying_;
  std::vector<RequestId> done_;
  std::set<RequestId> called_;
  int tokenless_ = -1;  ///< the request whose payload was too long to look for its token
  bool refusing_ = false;
};

TEST(EnginePropertyTest, PromisesHoldUnderRandomSchedules) {
  for (std::uint32_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation(seed).run(400);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace jobs_bridge
