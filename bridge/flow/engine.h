#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "bridge/flow/effects.h"
#include "bridge/flow/lanes.h"
#include "bridge/flow/partition.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/message.h"
#include "bridge/jobs/request.h"
#include "bridge/jobs/topic.h"
#include "bridge/time.h"

namespace jobs_bridge {

struct EngineSettings {
  /// From the moment a request is received to its reply.
  Duration deadline = std::chrono::seconds(8);
  /// Most requests waiting for their turn: all things together, and one thing.
  std::size_t queue = 10000;
  std::size_t queue_per_thing = 16;
  /// Longest payload of a request, in bytes.
  std::size_t max_payload = 128 * 1024;
  Partition partition = {};
};

/// A call that is to be made now. Its outcome goes to Engine::answered() under the same id,
/// whatever became of it.
struct Call {
  RequestId id = 0;
  HttpRequest request;
  MonotonicTime deadline;
};

/// The bridge's decisions over time: which request is carried out when, and what its device hears.
/// Events go in, effects come out; no socket, no thread, no clock. Not thread-safe: one call at a
/// time. Time must not go backwards between calls.
///
/// The life of a request:
///
///     received() ──> refused ───────────────────────────────> rejected reply
///         │           (no request, invalid, queue full)
///         v
///      waiting ──── deadline ──────────────────────────────> rejected reply
///         │ next_call()
///         v
///     in flight ── answered() ──> accepted or rejected reply
///         │
///         └─ deadline ──> rejected reply ──> late ── answered() ──> forgotten
///
/// Promises kept here: every request gets exactly one reply inside its deadline; the requests of a
/// thing are carried out in arrival order, one at a time (a late call still counts as its thing's
/// one); things take turns; what waits is bounded, and past the bound the reply is
/// RequestThrottled; a request touches only its own thing's paths and topics.
class Engine {
 public:
  Engine(EngineSettings settings, TopicGrammar topics);

  /// A message came from the broker. Retained ones, and those on topics that are no requests, are
  /// ignored.
  void received(Now now, Message message, Effects& effects);

  /// The call to make now, if there is one.
  std::optional<Call> next_call(Now now, Effects& effects);

  /// The call of that id ended.
  void answered(Now now, RequestId id, const HttpOutcome& outcome, Effects& effects);

  /// Time passed: answers what has reached its deadline. To be called at next_tick() or soon
  /// after; more often does no harm.
  void tick(Now now, Effects& effects);

  /// When tick() is due. If nothing waits, the earliest moment at which a request received from
  /// now on could make it due: who sleeps until then misses nothing.
  [[nodiscard]] MonotonicTime next_tick(MonotonicTime now) const;

  /// From now on every request is rejected at once; those already here go on.
  void refuse_new_requests() { refusing_ = true; }
  /// Rejects everything that has had no reply yet.
  void abandon(Now now, Effects& effects);

  /// How many calls next_call() would give out now.
  [[nodiscard]] std::size_t ready() const { return lanes_.ready(); }
  [[nodiscard]] std::size_t waiting() const { return lanes_.waiting(); }
  /// Calls given out and not answered yet, late ones included.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  enum class Stage { waiting, in_flight, late };
  /// Where a reply goes and what it carries back.
  struct Return {
    std::string topic;           ///< of the request
    std::string response_topic;  ///< empty: the request's topic and a suffix
    std::string correlation_data;
    std::string client_token;
    MonotonicTime received;
  };
  struct Held {
    Request request;
    Return back;
    MonotonicTime deadline;
    Stage stage = Stage::waiting;
  };
  using HeldRequests = std::unordered_map<RequestId, Held>;

  /// Whether the reply may go where the message asks for it.
  bool allows_response(const Message& message) const;
  std::optional<Rejection> refusal(const Request& request) const;
  void accept(Now now, Return back, Operation operation, const std::string& members,
              std::string request_id, Effects& effects) const;
  void reject(Now now, Return back, std::optional<Operation> operation, Rejection rejection,
              std::string request_id, Effects& effects) const;
  void expire(Now now, HeldRequests::iterator held, Rejection rejection, Effects& effects);

  EngineSettings settings_;
  TopicGrammar topics_;
  Lanes lanes_;
  HeldRequests held_;
  std::set<std::pair<MonotonicTime, RequestId>> deadlines_;  ///< of all but the late
  RequestId next_id_ = 1;
  std::size_t in_flight_ = 0;
  bool refusing_ = false;
};

}  // namespace jobs_bridge
