#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/flow/engine.h"

namespace jobs_bridge::testing_support {

inline const HttpOutcome unreachable =
    HttpFailure{.kind = HttpFailure::Kind::connect, .maybe_sent = false, .detail = "refused"};

inline HttpOutcome answer_of(int status, std::string body, std::string request_id = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.request_id = std::move(request_id);
  return response;
}

/// An engine in virtual time, with everything that it wanted done so far.
class EngineDriver {
 public:
  explicit EngineDriver(EngineSettings settings = {},
                        std::string_view base = "$aws/things/{thing}/jobs")
      : engine(settings, *TopicGrammar::from_base(base)) {}

  /// Nothing has happened to a request that cannot happen, but where a test makes it happen.
  ~EngineDriver() {
    if (illegal_transitions_expected) return;
    for (const auto& transition : effects.illegal_transitions) {
      ADD_FAILURE() << "request " << transition.request << ": " << to_string(transition.event)
                    << " while " << to_string(transition.state);
    }
  }
  EngineDriver(const EngineDriver&) = delete;
  EngineDriver& operator=(const EngineDriver&) = delete;

  void receive(Message message) {
    const auto recorded = effects.recorded.size();
    engine.received(now, std::move(message), effects);
    if (effects.recorded.size() > recorded) {
      disk_full ? engine.not_recorded(now, "the disk is full", effects)
                : engine.recorded(now, effects);
    }
    take_replies();
  }
  /// The broker acknowledges every reply at once, unless a test keeps it from that.
  void take_replies() {
    if (broker_away) return;
    for (auto& publication : effects.publications) {
      if (publication.update == 0) continue;
      engine.reply_ended(std::exchange(publication.update, 0), effects);
    }
  }
  /// `below` is what follows the thing's base: "start-next".
  void send(std::string_view thing, std::string_view below, std::string payload = "{}") {
    receive({.topic = "$aws/things/" + std::string(thing) + "/jobs/" + std::string(below),
             .payload = std::move(payload)});
  }
  /// An update of the thing's job j.
  void send_update(std::string_view thing, const std::string& token,
                   const std::string& status = "SUCCEEDED") {
    send(thing, "j/update", R"({"status":")" + status + R"(","clientToken":")" + token + "\"}");
  }
  std::optional<Call> next_call() { return engine.next_call(now, effects); }
  void answer(RequestId id, const HttpOutcome& outcome = answer_of(200, "{}")) {
    engine.call_ended(now, id, outcome, effects);
    take_replies();
  }
  bool has_call() const { return engine.has_call(now); }
  void tick() {
    engine.tick(now, effects);
    take_replies();
  }
  /// Lets time pass until there is a call.
  Call wait_for_call() {
    while (true) {
      if (auto call = next_call()) return *std::move(call);
      now.monotonic = engine.next_tick(now.monotonic);
      tick();
    }
  }
  /// Answers every call so, from now on, until a device hears something. Returns how many.
  int answer_all_until_a_reply(const HttpOutcome& outcome) {
    int calls = 0;
    while (effects.publications.empty()) {
      if (const auto call = next_call()) {
        ++calls;
        answer(call->id, outcome);
      } else {
        now.monotonic = engine.next_tick(now.monotonic);
        tick();
      }
    }
    return calls;
  }
  void advance(Duration by) { now.monotonic += by; }

  std::vector<Publication> take_publications() {
    effects.finished.clear();
    return std::exchange(effects.publications, {});
  }
  /// The one publication since the last look; throws where there was none or more than one.
  Publication take_one() {
    auto publications = take_publications();
    if (publications.size() != 1) {
      throw std::runtime_error(std::to_string(publications.size()) + " publications");
    }
    return publications.front();
  }

  Now now{.monotonic = MonotonicTime(std::chrono::hours(1)), .unix_seconds = 1700000000};
  Engine engine;
  Effects effects;
  bool illegal_transitions_expected = false;
  bool broker_away = false;
  bool disk_full = false;
};

}  // namespace jobs_bridge::testing_support
