#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/jobs/json_text.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/request.h"

/// What it takes to judge an answer, for all who act on it: the time, and how often its body is
/// scanned. The scans are counted by the linker's --wrap, so in a build that compiles sources one
/// by one.

using Members = std::vector<jobs_bridge::json_text::Member>;
using Scanned = jobs_bridge::Result<Members, jobs_bridge::json_text::Fault>;

namespace {

using namespace jobs_bridge;

std::string_view body_under_test;
std::size_t scans = 0;

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names.
extern "C" {
Scanned __real__ZN11jobs_bridge9json_text10members_ofESt17basic_string_viewIcSt11char_traitsIcEE(
    std::string_view text);
Scanned __wrap__ZN11jobs_bridge9json_text10members_ofESt17basic_string_viewIcSt11char_traitsIcEE(
    std::string_view text) {
  if (text.data() == body_under_test.data() && text.size() == body_under_test.size()) ++scans;
  return __real__ZN11jobs_bridge9json_text10members_ofESt17basic_string_viewIcSt11char_traitsIcEE(
      text);
}
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

HttpResponse answer_of(int status, std::string body, std::string error_type = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.error_type = std::move(error_type);
  return response;
}

const std::string error =
    R"({"message":"no such job, it seems; ask for another one, or look at the job's state",)"
    R"("payload":"0123456789"})";

/// `signed_requests`: the code that signs has to know of a refusal before it passes the answer on.
void judge(benchmark::State& state, const HttpResponse& response, bool signed_requests) {
  const Request request{.operation = Operation::update,
                        .thing = *ThingName::parse("T"),
                        .job = JobName::parse("j"),
                        .status = "FAILED"};
  HttpOutcome outcome = response;
  body_under_test = std::get<HttpResponse>(outcome).body;
  scans = 0;
  for ([[maybe_unused]] auto round : state) {
    if (signed_requests) {
      auto& answer = std::get<HttpResponse>(outcome);
      answer.error.reset();
      benchmark::DoNotOptimize(read_refusal(answer));
    }
    benchmark::DoNotOptimize(read_outcome(request, outcome));
  }
  state.counters["scans"] =
      benchmark::Counter(static_cast<double>(scans), benchmark::Counter::kAvgIterations);
}

void register_all() {
  const std::pair<const char*, HttpResponse> answers[] = {
      {"success", answer_of(200, R"({"executionState":{"status":"FAILED","versionNumber":3}})")},
      {"error_named_in_header", answer_of(404, error, "ResourceNotFoundException")},
      {"error_named_in_body",
       answer_of(400, R"({"__type":"aws#InvalidRequestException",)" + error.substr(1))},
      {"throttled", answer_of(429, error, "ThrottlingException")},
      {"failed", answer_of(503, error, "ServiceUnavailableException")},
      {"page", answer_of(503, "<html>" + std::string(500, 'x') + "</html>")},
      {"enveloped_error", answer_of(400, R"({"success":false,"error":{"code":"VALIDATION_ERROR",)"
                                         R"("message":"status is wrong"}})")},
      {"enveloped_success",
       answer_of(200, R"({"success":true,"data":{"executionState":{"status":"FAILED",)"
                      R"("versionNumber":3}}})")},
  };
  for (const auto& [name, answer] : answers) {
    for (const bool signed_requests : {true, false}) {
      benchmark::RegisterBenchmark(
          (std::string(name) + (signed_requests ? "/signed" : "/unsigned")).c_str(),
          [answer = answer, signed_requests](benchmark::State& state) {
            judge(state, answer, signed_requests);
          });
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  register_all();
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
