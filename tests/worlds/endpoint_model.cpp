#include "tests/worlds/endpoint_model.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

HttpResponse response(int status, std::string body, std::string error_type = {}) {
  HttpResponse result;
  result.status = status;
  result.body = std::move(body);
  result.error_type = std::move(error_type);
  return result;
}

HttpFailure failure(HttpFailure::Kind kind, bool maybe_sent) {
  return {.kind = kind, .maybe_sent = maybe_sent, .detail = "simulated"};
}

bool is_terminal(const std::string& status) {
  return status != "QUEUED" && status != "IN_PROGRESS";
}

std::string describe(const std::string& job, const EndpointModel::Execution& execution) {
  return json{{"execution",
               {{"jobId", job},
                {"status", execution.status},
                {"statusDetails", {{"note", execution.note}}},
                {"versionNumber", execution.version},
                {"executionNumber", 1}}}}
      .dump();
}

}  // namespace

const EndpointModel::Execution& EndpointModel::execution(const std::string& thing,
                                                         const std::string& job) {
  return things_[thing].executions[job];
}

bool EndpointModel::takes(MonotonicTime now, bool write) {
  if (weather.per_second <= 0) return true;
  auto& taken = write ? writes_ : reads_;
  while (!taken.empty() && now - taken.front() >= 1s) taken.pop_front();
  if (static_cast<double>(taken.size()) >= weather.per_second) return false;
  taken.push_back(now);
  return true;
}

EndpointModel::Fate EndpointModel::call(MonotonicTime now, const HttpRequest& request,
                                        MonotonicTime deadline) {
  ++calls_;
  const auto whole = now + 1ms + chance_.time(weather.latency);
  const auto ends = std::min(whole, deadline);
  if (weather.refuses) return {failure(HttpFailure::Kind::connect, false), ends};
  const auto no_answer = [&]() -> Fate {
    if (chance_.once_in(2)) return {failure(HttpFailure::Kind::broken, true), ends};
    return {failure(HttpFailure::Kind::timeout, true), std::min(now + 5s, deadline)};
  };
  if (weather.hangs || chance_.with(weather.lost_requests)) return no_answer();
  if (!takes(now, request.method != "GET")) {
    ++throttled_;
    auto throttled = response(429, "{}", "ThrottlingException");
    if (weather.says_retry_after) throttled.retry_after = "1";
    return {std::move(throttled), ends};
  }
  if (chance_.with(weather.failures)) {
    if (chance_.once_in(2)) carry_out(request);
    return {response(chance_.once_in(2) ? 500 : 503, "<html>"), ends};
  }
  if (chance_.with(weather.garbage)) {
    if (chance_.once_in(2)) carry_out(request);
    return {response(200, "<html>sign in</html>"), ends};
  }
  auto answer = carry_out(request);
  if (whole > deadline || chance_.with(weather.lost_answers)) return no_answer();
  return {std::move(answer), ends};
}

HttpResponse EndpointModel::carry_out(const HttpRequest& request) {
  ++carried_out_;
  // /things/T/jobs, /things/T/jobs/$next, /things/T/jobs/J?...
  constexpr std::string_view things = "/things/";
  constexpr std::string_view jobs = "/jobs/";
  const auto name_ends = request.target.find('/', things.size());
  const auto name = request.target.substr(things.size(), name_ends - things.size());
  auto rest = request.target.substr(name_ends);
  rest = rest.substr(0, rest.find('?'));
  auto& thing = things_[name];
  if (rest == "/jobs") return response(200, R"({"inProgressJobs":[],"queuedJobs":[]})");
  const auto job = rest.substr(jobs.size());
  if (request.method == "PUT") {
    for (auto& [id, execution] : thing.executions) {
      if (is_terminal(execution.status)) continue;
      if (execution.status == "QUEUED") {
        execution.status = "IN_PROGRESS";
        ++execution.version;
      }
      return response(200, describe(id, execution));
    }
    return response(200, "{}");
  }
  if (request.method == "POST") return update(thing, job, request.body);
  if (job == "$next") return response(200, "{}");
  return response(200, describe(job, thing.executions[job]));
}

HttpResponse EndpointModel::update(Thing& thing, const std::string& job, const std::string& body) {
  const auto wanted = json::parse(body);
  auto& execution = thing.executions[job];
  const auto conflict = [&](const char* message) {
    return response(409, json{{"message", message}}.dump(), "InvalidStateTransitionException");
  };
  if (is_terminal(execution.status)) return conflict("it has ended");
  if (const auto version = wanted.find("expectedVersion"); version != wanted.end()) {
    const auto number = version->is_string() ? std::stoll(version->get<std::string>())
                                             : version->get<std::int64_t>();
    if (number != execution.version) return conflict("Expected version is another");
  }
  execution.status = wanted.at("status");
  ++execution.version;
  execution.note = wanted.at("statusDetails").at("note");
  const auto note = std::stoull(execution.note);
  if (thing.known.insert(note).second) {
    thing.applied.push_back(note);
  } else {
    ++applied_again_;
  }
  return response(200, "{}");
}

}  // namespace jobs_bridge::simulation
