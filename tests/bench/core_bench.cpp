#include <benchmark/benchmark.h>
#include <malloc.h>

#include <chrono>
#include <string>
#include <utility>

#include "bridge/flow/engine.h"
#include "bridge/jobs/answer.h"
#include "bridge/jobs/call.h"
#include "bridge/jobs/cbor.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/reply.h"
#include "bridge/jobs/request.h"
#include "bridge/jobs/topic.h"
#include "tests/bench/allocations.h"

/// What the core's pieces cost, and whether that depends on how many things there are.
namespace {

using namespace jobs_bridge;
using namespace std::chrono_literals;

constexpr std::string_view base = "$aws/things/{thing}/jobs";

std::string name_of(std::int64_t thing) {
  return "device-" + std::to_string(thing);
}

std::string start_next_topic(std::int64_t thing) {
  return "$aws/things/" + name_of(thing) + "/jobs/start-next";
}

const std::string request_payload =
    R"({"clientToken":"0123456789abcdef","statusDetails":{"step":"download","progress":"50%"}})";

/// A job document of about so many bytes, within an execution, as HTTP has it: a string of JSON.
std::string answer_body(std::size_t document_bytes) {
  std::string document = R"({\"operation\":\"install\",\"files\":[)";
  while (document.size() < document_bytes) {
    document += R"(\"https://files.example.com/firmware/1.4.2.bin\",)";
  }
  document.back() = ']';
  return R"({"execution":{"jobId":"update-1","status":"IN_PROGRESS","versionNumber":2,)"
         R"("queuedAt":1700000000,"startedAt":1700000100,"lastUpdatedAt":1700000100,)"
         R"("executionNumber":1,"jobDocument":")" +
         document + "}\"}}";
}

/// The least that says what was handed out.
const std::string small_answer_body =
    R"({"execution":{"jobId":"update-1","status":"IN_PROGRESS","versionNumber":2}})";

HttpOutcome answer_of(std::string body) {
  HttpResponse response;
  response.status = 200;
  response.body = std::move(body);
  return response;
}

Request start_next_request() {
  const auto grammar = *TopicGrammar::from_base(base);
  auto decoded =
      decode_request(std::get<TopicRequest>(grammar.parse(start_next_topic(1))), request_payload);
  return std::get<Request>(std::move(decoded.content));
}

void parse_topic(benchmark::State& state) {
  const auto grammar = *TopicGrammar::from_base(base);
  const auto topic = start_next_topic(1234567);
  for ([[maybe_unused]] auto round : state) {
    auto parsed = grammar.parse(topic);
    if (!std::holds_alternative<TopicRequest>(parsed)) state.SkipWithError("not a request");
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK(parse_topic);

void decode_start_next(benchmark::State& state) {
  const auto grammar = *TopicGrammar::from_base(base);
  const auto topic = std::get<TopicRequest>(grammar.parse(start_next_topic(1)));
  for ([[maybe_unused]] auto round : state) {
    auto decoded = decode_request(topic, request_payload);
    if (!std::holds_alternative<Request>(decoded.content)) state.SkipWithError("refused");
    benchmark::DoNotOptimize(decoded);
  }
}
BENCHMARK(decode_start_next);

void build_start_next_call(benchmark::State& state) {
  const auto request = start_next_request();
  for ([[maybe_unused]] auto round : state) benchmark::DoNotOptimize(build_call(request));
}
BENCHMARK(build_start_next_call);

/// From the answer's body to the reply's payload. Argument: bytes of the job document.
void answer_to_reply(benchmark::State& state) {
  const auto request = start_next_request();
  const auto outcome = answer_of(answer_body(static_cast<std::size_t>(state.range(0))));
  for ([[maybe_unused]] auto round : state) {
    const auto read = read_outcome(request, outcome);
    const auto* accepted = std::get_if<Accepted>(&read.answer);
    if (accepted == nullptr) {
      state.SkipWithError("rejected");
      break;
    }
    benchmark::DoNotOptimize(
        accepted_payload(accepted->members, R"("0123456789abcdef")", 1700000000));
  }
}
BENCHMARK(answer_to_reply)->Arg(1 << 10)->Arg(30 << 10);

void reply_to_cbor(benchmark::State& state) {
  const auto json = answer_body(static_cast<std::size_t>(state.range(0)));
  for ([[maybe_unused]] auto round : state) {
    auto cbor = cbor_from_json(json);
    if (!cbor) state.SkipWithError("refused");
    benchmark::DoNotOptimize(cbor);
  }
}
BENCHMARK(reply_to_cbor)->Arg(1 << 10)->Arg(30 << 10);

void request_from_cbor(benchmark::State& state) {
  const auto cbor = *cbor_from_json(request_payload);
  for ([[maybe_unused]] auto round : state) {
    auto json = json_from_cbor(cbor);
    if (!json) state.SkipWithError("refused");
    benchmark::DoNotOptimize(json);
  }
}
BENCHMARK(request_from_cbor);

/// An engine in virtual time.
struct Bench {
  explicit Bench(const EngineSettings& settings)
      : engine(settings, *TopicGrammar::from_base(base)) {}

  void receive(std::int64_t thing) {
    engine.received(now, {.topic = start_next_topic(thing), .payload = request_payload}, effects);
  }
  /// One start-next from the message to the reply, as the daemon carries it out; false: there was
  /// none. The effects are its own.
  bool request(std::int64_t thing, const HttpOutcome& outcome) {
    effects.clear();
    receive(thing);
    if (!engine.has_call(now)) return false;
    const auto call = engine.next_call(now, effects);
    if (!call) return false;
    engine.call_ended(now, call->id, outcome, effects);
    benchmark::DoNotOptimize(engine.next_tick(now.monotonic));
    return effects.publications.size() == 1;
  }

  Now now{.monotonic = MonotonicTime(1h), .unix_seconds = 1700000000};
  Engine engine;
  Effects effects;
};

std::size_t heap_bytes() {
  return mallinfo2().uordblks;
}

/// Visits all of so many things, far from one another in memory: the stride is no divisor.
struct Tour {
  std::int64_t things;
  std::int64_t at = 0;
  std::int64_t next() { return at = (at + 7919) % things; }
};

void requests_of(benchmark::State& state, Bench& bench, Tour tour, const HttpOutcome& outcome) {
  const auto before = allocations();
  for ([[maybe_unused]] auto round : state) {
    bench.now.monotonic += 100us;
    if (!bench.request(tour.next(), outcome)) {
      state.SkipWithError("no reply");
      break;
    }
  }
  report_allocations(state, before);
}

/// What the engine's own figures include although the adapters do it: a message is made.
void make_message(benchmark::State& state) {
  Tour tour{.things = state.range(0)};
  for ([[maybe_unused]] auto round : state) {
    Message message{.topic = start_next_topic(tour.next()), .payload = request_payload};
    benchmark::DoNotOptimize(message);
  }
}
BENCHMARK(make_message)->Arg(1000000);

/// One start-next through the engine, from the message to the reply, each of another thing.
/// Argument: how many things there are.
void engine_request(benchmark::State& state) {
  Bench bench({});
  requests_of(state, bench, {.things = state.range(0)}, answer_of(small_answer_body));
}
BENCHMARK(engine_request)->Arg(1000)->Arg(10000)->Arg(100000)->Arg(1000000);

/// The same with a job document of so many bytes in the answer.
void engine_request_with_document(benchmark::State& state) {
  Bench bench({});
  requests_of(state, bench, {.things = 1000},
              answer_of(answer_body(static_cast<std::size_t>(state.range(0)))));
}
BENCHMARK(engine_request_with_document)->Arg(600)->Arg(6000);

/// The same where so many things are watched, and their devices' queues known, since notifications
/// are on.
void engine_request_of_watched(benchmark::State& state) {
  const auto things = state.range(0);
  EngineSettings settings;
  settings.notifier = {.enabled = true,
                       .calls_in_flight = 0,  // polls are not what is measured
                       .max_things = static_cast<std::size_t>(things)};
  const auto before = heap_bytes();
  Bench bench(settings);
  for (std::int64_t thing = 0; thing < things; ++thing) {
    bench.engine.restore_watched(bench.now, {.thing = name_of(thing),
                                             .asked = bench.now.unix_seconds,
                                             .told = R"({"head":"update-1#1"})"});
  }
  state.counters["bytes/thing"] =
      static_cast<double>(heap_bytes() - before) / static_cast<double>(things);
  requests_of(state, bench, {.things = things}, answer_of(small_answer_body));
}
BENCHMARK(engine_request_of_watched)->Arg(1000)->Arg(10000)->Arg(100000)->Arg(1000000);

/// The same while so many requests of other things wait for their quota's turn.
void engine_request_beside_waiting(benchmark::State& state) {
  const auto waiting = state.range(0);
  EngineSettings settings;
  settings.queue = static_cast<std::size_t>(waiting) + 10;
  settings.deadline = 5min;
  Bench bench(settings);
  const auto before = heap_bytes();
  for (std::int64_t thing = 0; thing < waiting; ++thing) bench.receive(thing);
  state.counters["bytes/waiting"] =
      static_cast<double>(heap_bytes() - before) / static_cast<double>(waiting);
  const auto outcome = answer_of(small_answer_body);
  std::int64_t thing = waiting;
  for ([[maybe_unused]] auto round : state) {
    bench.now.monotonic += 1us;
    if (!bench.request(thing++, outcome)) {
      state.SkipWithError("no reply");
      break;
    }
  }
}
BENCHMARK(engine_request_beside_waiting)->Arg(1000)->Arg(10000)->Arg(100000)->Arg(1000000);

}  // namespace

BENCHMARK_MAIN();
