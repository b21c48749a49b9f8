#include "tests/simulation/endpoint_model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;
using Status = Execution::Status;

constexpr std::array<std::string_view, 6> names = {"QUEUED", "IN_PROGRESS", "SUCCEEDED",
                                                   "FAILED", "REJECTED",    "CANCELED"};

/// How it refuses credentials: by name, or as a proxy may that checks signatures, without one.
constexpr std::array<std::string_view, 4> refusals_of_credentials = {
    "UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException", ""};
/// And a call of a gateway that it knows.
constexpr std::string_view forbids = "ForbiddenException";

std::string name_of(Status status) {
  return std::string(names.at(static_cast<std::size_t>(status)));
}

bool is_terminal(Status status) {
  return status != Status::queued && status != Status::in_progress;
}

HttpResponse answer(int status, std::string body, std::string error_type = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.error_type = std::move(error_type);
  return response;
}

HttpResponse refusal(int status, std::string type, const std::string& message) {
  return answer(status, R"({"message":")" + message + R"("})", std::move(type));
}

std::size_t number_after(std::string_view text, std::string_view prefix) {
  promise(text.starts_with(prefix), "a call has a proper path", [&] { return std::string(text); });
  std::size_t number = 0;
  text.remove_prefix(prefix.size());
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string members_of(std::size_t job, const Job& of, std::size_t number) {
  const auto& execution = of.executions[number - 1];
  auto text = R"("jobId":"job-)" + std::to_string(job) + R"(","status":")" +
              name_of(execution.status) + R"(","versionNumber":)" +
              std::to_string(execution.version) + R"(,"executionNumber":)" + std::to_string(number);
  if (!execution.details.empty()) text += R"(,"statusDetails":)" + execution.details;
  return text;
}

HttpResponse execution_answer(const std::string& thing, std::size_t job, const Job& of,
                              std::size_t number) {
  return answer(200, R"({"execution":{"thingName":")" + thing + R"(",)" +
                         members_of(job, of, number) + R"(,"jobDocument":"{\"for\":\")" + thing +
                         R"(\"}"}})");
}

/// A few requests the endpoint refuses, whenever they come.
bool is_disliked(const HttpRequest& request) {
  constexpr std::uint64_t one_in = 100;
  std::uint64_t hash = 0;
  for (const char c : request.body) hash = hash * 31 + static_cast<unsigned char>(c);
  return !request.body.empty() && hash % one_in == 0;
}

/// The job at the head of the queue: those in progress first.
std::size_t head_of(const std::vector<Job>& jobs) {
  for (const auto wanted : {Status::in_progress, Status::queued}) {
    for (std::size_t job = 0; job < jobs.size(); ++job) {
      if (jobs[job].executions.back().status == wanted) return job;
    }
  }
  return jobs.size();
}

}  // namespace

EndpointModel::EndpointModel(std::uint32_t things, std::uint64_t seed)
    : things_(things), reads_(0), writes_(0) {
  for (std::uint32_t thing = 0; thing < things; ++thing) dice_.emplace_back(seed + thing);
}

void EndpointModel::set_weather(const Weather& weather) {
  weather_ = weather;
  reads_ = TokenBucket(weather.capacity, std::max(1.0, weather.capacity / 10));
  writes_ = reads_;
}

void EndpointModel::add_job(std::uint32_t thing, int retries) {
  things_[thing].push_back({.executions = {Execution{}}, .retries = retries});
}

void EndpointModel::cancel_job(std::uint32_t thing, std::size_t job) {
  auto& execution = things_[thing][job].executions.back();
  if (is_terminal(execution.status)) return;
  execution.status = Status::canceled;
  ++execution.version;
  things_[thing][job].disturbed = true;
}

HttpOutcome EndpointModel::broken_or_late(bool late) {
  return HttpFailure{.kind = late ? HttpFailure::Kind::timeout : HttpFailure::Kind::broken,
                     .maybe_sent = true,
                     .detail = "simulated"};
}

bool EndpointModel::refuses_credentials(const HttpResponse& response) {
  return response.status == 403 && response.error_type != forbids;
}

Fate EndpointModel::meet(MonotonicTime now, const HttpRequest& request, QuotaKind kind,
                         Duration timeout, bool signed_well) {
  const auto thing = thing_of(request);
  const auto& w = thing < failing_things_ ? failing_weather_ : weather_;
  auto& dice = dice_.at(thing);
  const auto latency = dice.between(w.min_latency, w.max_latency);
  const auto no_connection = [](Duration takes) {
    return Fate{
        .takes = takes,
        .outcome = HttpFailure{
            .kind = HttpFailure::Kind::connect, .maybe_sent = false, .detail = "simulated"}};
  };
  const auto in_time = [&](Fate fate) {
    if (fate.takes < timeout) return fate;
    fate.takes = timeout;
    fate.answered = false;
    fate.outcome = broken_or_late(true);
    return fate;
  };
  if (dice.chance(w.refused)) return no_connection(std::min<Duration>(1ms, timeout));
  if (dice.chance(w.unreachable)) return no_connection(std::min<Duration>(3s, timeout));
  const bool done = dice.chance(w.carried_out) && signed_well;
  if (dice.chance(w.hangs)) {
    // The adapter may be a little late with its news.
    const auto late = dice.chance(0.1) ? dice.between(0ms, 200ms) : Duration::zero();
    return {.takes = timeout + late, .carried_out = done, .outcome = broken_or_late(true)};
  }
  if (dice.chance(w.breaks)) {
    return in_time({.takes = latency, .carried_out = done, .outcome = broken_or_late(false)});
  }
  if (!signed_well) {
    const auto name = refusals_of_credentials.at(dice.below(refusals_of_credentials.size()));
    return in_time({.takes = latency, .outcome = refusal(403, std::string(name), "not you")});
  }
  auto& bucket = kind == QuotaKind::reads ? reads_ : writes_;
  if (w.capacity > 0 && !bucket.take(now)) {
    ++throttled_;
    auto refused = refusal(429, "ThrottlingException", "Rate exceeded");
    if (w.retry_after) refused.retry_after = "1";
    return in_time({.takes = latency, .outcome = std::move(refused)});
  }
  if (dice.chance(w.fails)) {
    constexpr std::array statuses = {500, 502, 503, 504};
    return in_time({.takes = latency,
                    .carried_out = done,
                    .outcome = answer(statuses.at(dice.below(statuses.size())), "oops")});
  }
  if (dice.chance(w.nonsense)) {
    return in_time({.takes = latency, .carried_out = done, .outcome = answer(200, "<html>")});
  }
  if (dice.chance(w.refuses)) {
    return in_time({.takes = latency, .outcome = refusal(403, std::string(forbids), "no")});
  }
  ++served_;
  return in_time({.takes = latency, .carried_out = true, .outcome = {}, .answered = true});
}

std::size_t EndpointModel::thing_of(const HttpRequest& request) const {
  const auto thing = number_after(request.target, "/things/thing-");
  promise(thing < things_.size(), "a call is for a thing that exists");
  return thing;
}

std::vector<Job>& EndpointModel::jobs_of(const HttpRequest& request, std::string& rest) {
  const auto thing = thing_of(request);
  const auto prefix = "/things/thing-" + std::to_string(thing) + "/jobs";
  promise(request.target.starts_with(prefix), "a call has a proper path",
          [&] { return request.target; });
  rest = request.target.substr(prefix.size());
  return things_[thing];
}

HttpResponse EndpointModel::carry_out(const HttpRequest& request, Asked* asked) {
  if (is_disliked(request)) return refusal(400, "InvalidRequestException", "disliked");
  std::string rest;
  auto& jobs = jobs_of(request, rest);
  const auto thing = request.target.substr(8, request.target.find('/', 8) - 8);
  if (rest.empty()) {
    std::string lists[2];
    for (std::size_t job = 0; job < jobs.size(); ++job) {
      const auto& executions = jobs[job].executions;
      if (is_terminal(executions.back().status)) continue;
      auto& list = lists[executions.back().status == Status::queued ? 1 : 0];
      if (!list.empty()) list += ',';
      list += "{" + members_of(job, jobs[job], executions.size()) +
              R"(,"queuedAt":1,"lastUpdatedAt":1})";
    }
    return answer(200,
                  R"({"inProgressJobs":[)" + lists[0] + R"(],"queuedJobs":[)" + lists[1] + "]}");
  }
  if (rest == "/$next" || rest.starts_with("/%24next")) {
    const auto head = head_of(jobs);
    if (head == jobs.size()) return answer(200, "{}");
    auto& execution = jobs[head].executions.back();
    if (request.method == "PUT" && execution.status == Status::queued) {
      execution.status = Status::in_progress;
      ++execution.version;
    }
    return execution_answer(thing, head, jobs[head], jobs[head].executions.size());
  }
  const auto job = number_after(rest, "/job-");
  if (job >= jobs.size()) return refusal(404, "ResourceNotFoundException", "no such job");
  if (request.method == "POST") return update(jobs, job, request, asked);
  auto number = jobs[job].executions.size();
  if (const auto at = rest.find("executionNumber="); at != std::string::npos) {
    number = number_after(std::string_view(rest).substr(at), "executionNumber=");
  }
  if (number < 1 || number > jobs[job].executions.size()) {
    return refusal(404, "ResourceNotFoundException", "no such execution");
  }
  return execution_answer(thing, job, jobs[job], number);
}

HttpResponse EndpointModel::update(std::vector<Job>& jobs, std::size_t job,
                                   const HttpRequest& request, Asked* asked) {
  const auto body = nlohmann::json::parse(request.body);
  auto& execution = jobs[job].executions.back();
  if (body.contains("expectedVersion") && body["expectedVersion"] != execution.version) {
    // The wording of the live service, or none that tells the two apart.
    return refusal(409, "InvalidStateTransitionException",
                   dice_.at(thing_of(request)).chance(0.5) ? "Expected version does not match"
                                                           : "wrong state");
  }
  if (is_terminal(execution.status)) {
    return refusal(410, "TerminalStateException", "the execution has ended");
  }
  const auto status = std::ranges::find(names, body["status"].get<std::string>());
  execution.status = static_cast<Status>(status - names.begin());
  ++execution.version;
  if (body.contains("statusDetails")) execution.details = body["statusDetails"].dump();
  if (asked != nullptr) ++asked->applied;
  if (execution.status == Status::failed && jobs[job].retries > 0) {
    --jobs[job].retries;
    jobs[job].executions.push_back({});
  }
  return answer(200, "{}");
}

}  // namespace jobs_bridge::simulation
