// What the endpoint answers, up to the reply. Input, line by line: the operation (describe, update,
// start-next, get, or `next`: a describe of $next), the status, x-amzn-ErrorType, Retry-After,
// Date; then the body. After a line `--` follows the answer to the describe that reconciles an
// update, in the same form without the operation. A status of -1 to -8: no answer, for that reason.

#include "bridge/jobs/answer.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "bridge/flow/publish_reply.h"
#include "bridge/jobs/cbor.h"
#include "bridge/jobs/notification.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/reconciliation.h"
#include "bridge/text/parse_number.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/judge.h"
#include "tests/fuzz/promise.h"

namespace {

using namespace jobs_bridge;
using fuzz::promise;
using nlohmann::json;

constexpr std::int64_t now_seconds = 1'700'000'000;
const std::string token = R"("t\u00e9")";

Request request_of(std::string_view operation) {
  const auto thing = *ThingName::parse("pump-1");
  if (operation == "get") return {.operation = Operation::get_pending, .thing = thing};
  if (operation == "start-next") return {.operation = Operation::start_next, .thing = thing};
  if (operation == "next") {
    return {.operation = Operation::describe, .thing = thing, .job = JobName::parse("$next")};
  }
  Request request{.operation = Operation::describe, .thing = thing, .job = JobName::parse("job_7")};
  if (operation != "update") return request;
  request.operation = Operation::update;
  request.status = "FAILED";
  request.status_details = R"({"step":"2"})";
  request.expected_version = 3;
  request.include_job_document = true;
  request.include_job_execution_state = true;
  return request;
}

HttpOutcome outcome_of(fuzz::Input& input) {
  const auto status = parse_number<int>(input.line()).value_or(200);
  HttpResponse response;
  response.status = status;
  response.error_type = input.line();
  response.retry_after = input.line();
  response.date = input.line();
  response.body = input.until("\n--\n");
  if (status >= 0 || status < -8) return response;
  const bool maybe_sent = response.body.empty();
  return HttpFailure{static_cast<HttpFailure::Kind>(-status - 1), maybe_sent, "detail"};
}

json object_of(const std::string& text) {
  auto value = fuzz::judged(text);
  promise(value.has_value() && value->is_object(), "a reply is a JSON object to others");
  return *std::move(value);
}

/// How often the object itself has a member of that name; a parsed one holds the last of them
/// alone.
int count_of(std::string_view name, const std::string& text) {
  int count = 0;
  const auto look = [&](int depth, json::parse_event_t event, json& value) {
    if (depth == 1 && event == json::parse_event_t::key && value == name) ++count;
    return true;
  };
  json::parse(text, look, /*allow_exceptions=*/false).is_discarded();
  return count;
}

json check_payload(const Request& request, const Answer& answer) {
  Effects effects;
  ReplyAddress address{.topic = "$aws/things/pump-1/jobs/x/update",
                       .response_topic = {},
                       .correlation_data = {},
                       .content_type = {},
                       .client_token = token,
                       .operation = request.operation,
                       .received = {}};
  const bool accepted = std::holds_alternative<Accepted>(answer);
  publish_reply({.monotonic = {}, .unix_seconds = now_seconds}, address, answer, "", effects);
  promise(effects.publications.size() == 1, "a request has one reply");
  const auto& reply = effects.publications.front();
  promise(reply.topic == address.topic + (accepted ? "/accepted" : "/rejected"),
          "the reply's topic says what became of the request");
  auto payload = object_of(reply.payload);
  promise(payload.value("timestamp", json()) == now_seconds, "the timestamp is the bridge's");
  promise(payload.value("clientToken", json()) == "t\u00e9", "the token is the device's");
  if (reply.payload.find("\\u") == std::string::npos) {
    promise(
        count_of("timestamp", reply.payload) <= 1 && count_of("clientToken", reply.payload) <= 1,
        "timestamp and token stand there once");
  }
  address.content_type = "application/cbor";
  effects.clear();
  publish_reply({.monotonic = {}, .unix_seconds = now_seconds}, address, answer, "", effects);
  promise(effects.publications.size() == 1, "a request in CBOR has one reply");
  promise(json_from_cbor(effects.publications.front().payload).has_value(),
          "a reply to CBOR is CBOR");
  return payload;
}

void check_rejected(const Rejection& rejection, const json& payload) {
  promise(!rejection.message.empty(), "a rejection has a reason");
  promise(rejection.message.size() <= 2048, "what an endpoint can make us say is bounded");
  promise(payload["code"] == to_string(rejection.code) && payload["message"].is_string(),
          "a rejection says its code and its reason");
  if (!rejection.execution_state.empty()) {
    promise(rejection.code == ErrorCode::invalid_state_transition ||
                rejection.code == ErrorCode::version_mismatch,
            "only two codes carry the execution's state");
    promise(payload["executionState"].is_object(), "the execution's state is an object");
  }
}

/// The execution of an answer in either shape, as others read it.
json execution_in(const HttpOutcome& outcome) {
  const auto* response = std::get_if<HttpResponse>(&outcome);
  if (response == nullptr) return {};
  // Half a surrogate pair changes what the document is: such a body is not judged.
  auto body = json::parse(response->body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return {};
  if (body.contains("success") && body["success"].is_boolean()) {
    auto data = body.value("data", json::object());
    body = std::move(data);
  }
  if (!body.is_object()) return {};
  return body.value("execution", json());
}

void check_execution(const Request& request, const HttpOutcome& outcome, const Accepted& answer,
                     const json& payload) {
  const auto sent = execution_in(outcome);
  const auto told = payload.value("execution", json());
  promise(!told.is_object() || (!told.empty() && !told.contains("thingName")),
          "an execution has members, and no name of a thing");
  if (told.is_object() && sent.is_object() && sent.contains("thingName")) {
    promise(sent["thingName"].is_null() || sent["thingName"] == "pump-1",
            "a device hears nothing of another thing");
  }
  const bool by_id = request.job && !request.job->is_next();
  if (by_id && told.is_object() && told.contains("jobId")) {
    promise(told["jobId"] == "job_7", "a device hears nothing of another job than it asked for");
  }
  if (!sent.is_object() || !told.is_object()) return;
  const auto document = sent.value("jobDocument", json());
  if (!document.is_string()) return;
  const auto& text = document.get_ref<const std::string&>();
  const auto held = fuzz::judged(text);
  if (held) {
    promise(answer.members.find(text) != std::string::npos, "a job document keeps its bytes");
    promise(told["jobDocument"] == *held, "a job document arrives as what it holds");
  } else {
    promise(told["jobDocument"] == document, "what is no JSON arrives as a string");
  }
}

void check_notices(const Accepted& answer) {
  if (const auto pending = read_pending(answer)) {
    const auto notice = object_of(notify_payload(*pending, now_seconds));
    promise(notice["timestamp"] == now_seconds, "a notification says when");
    std::size_t count = 0;
    for (const auto& list : notice["jobs"]) count += list.size();
    promise(count <= max_in_notification, "a notification's length is bounded");
  }
  if (const auto next = read_next(answer)) object_of(notify_next_payload(*next, now_seconds));
}

void check(const Request& request, const HttpOutcome& outcome, const Answer& answer) {
  const auto payload = check_payload(request, answer);
  if (const auto* rejection = std::get_if<Rejection>(&answer)) {
    check_rejected(*rejection, payload);
  } else {
    const auto& accepted = std::get<Accepted>(answer);
    if (request.operation == Operation::describe || request.operation == Operation::start_next) {
      check_execution(request, outcome, accepted, payload);
    }
    check_notices(accepted);
  }
}

/// Whether an error has a name, as others read it.
bool has_name(const HttpResponse& response) {
  if (!response.error_type.empty()) return true;
  const auto body = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  // Half a surrogate pair is JSON to the bridge and none to others: such a body is not judged.
  if (!body.is_object()) return response.body.find("\\u") != std::string::npos;
  const auto is_text = [](const json& object, const char* name) {
    return object.contains(name) && object[name].is_string() && object[name] != "";
  };
  if (body.contains("error") && body["error"].is_object() && is_text(body["error"], "code")) {
    return true;
  }
  return is_text(body, "code") || is_text(body, "Code") || is_text(body, "__type");
}

void check_outcome(const HttpOutcome& answer, const Outcome& outcome) {
  const auto* rejection = std::get_if<Rejection>(&outcome.answer);
  const bool accepted = rejection == nullptr;
  promise(accepted == (outcome.applied == Applied::yes), "what is accepted was carried out");
  promise(!accepted || outcome.repeat == Repeat::useless, "what is accepted is not repeated");
  promise((outcome.health == Health::failing || outcome.access_denied) == !outcome.fault.empty(),
          "an endpoint that fails, or denies access, does so for a reason");
  promise((outcome.fault_kind == EndpointFault::none) == outcome.fault.empty(),
          "a reason has a kind");
  promise(!outcome.retry_after || *outcome.retry_after >= Duration::zero(),
          "the endpoint is not left alone for less than no time");
  promise(!outcome.retry_after || outcome.repeat == Repeat::may_help,
          "who does not call again has nothing to wait for");
  const auto* response = std::get_if<HttpResponse>(&answer);
  if (response == nullptr) {
    promise(rejection != nullptr && rejection->code == ErrorCode::internal_error,
            "no answer is no reason to give a job up");
    return;
  }
  // No endpoint sends an error header together with an envelope, whose code counts.
  if (response->error_type.empty()) {
    auto signed_one = *response;
    promise(read_refusal(signed_one) == outcome.refusal, "who signs hears of the same refusal");
  }
  if (rejection == nullptr) return;
  promise(rejection->execution_state.empty(), "an error of HTTP carries no state");
  const bool ours = rejection->code == ErrorCode::internal_error ||
                    rejection->code == ErrorCode::request_throttled;
  promise(ours || has_name(*response), "only the Jobs API makes a device give a job up");
  promise(ours || outcome.repeat == Repeat::useless, "what the Jobs API refused is not repeated");
  promise(response->status != 429 || outcome.throttled == Throttled::account ||
              rejection->detail.starts_with("success with"),
          "HTTP 429 throttles");
}

void reconcile(const Request& update, const Outcome& outcome, const HttpOutcome& description) {
  for (const auto& [sent_before, evidence] :
       {std::pair(false, Reconciliation::Evidence()), std::pair(true, Reconciliation::Evidence()),
        std::pair(false,
                  Reconciliation::Evidence{
                      .first_sent = 1700000005.5, .failures_before = 1, .seconds_before = 10}),
        std::pair(true, Reconciliation::Evidence{.execution = 1})}) {
    auto reconciliation = Reconciliation::of(update, outcome, sent_before);
    for (int looks = 0; reconciliation; ++looks) {
      promise(looks < 100, "looking at once comes to an end");
      const auto describe = reconciliation->describe(update);
      promise(describe.operation == Operation::describe && describe.thing == update.thing &&
                  describe.job == update.job,
              "what reconciles an update changes nothing");
      const auto step =
          reconciliation->described(update, read_outcome(describe, description), evidence);
      if (const auto* answer = std::get_if<Answer>(&step)) {
        const auto payload = check_payload(update, *answer);
        if (const auto* rejection = std::get_if<Rejection>(answer)) {
          check_rejected(*rejection, payload);
        }
        break;
      }
      if (std::get<Reconciliation::Next>(step) != Reconciliation::Next::describe) break;
    }
    if (reconciliation) {
      check_rejected(reconciliation->undecided(),
                     check_payload(update, reconciliation->undecided()));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto request = request_of(input.line());
  const auto answer = outcome_of(input);
  const auto description = outcome_of(input);
  const auto outcome = read_outcome(request, answer);
  check_outcome(answer, outcome);
  check(request, answer, outcome.answer);
  if (std::holds_alternative<Rejection>(outcome.answer)) reconcile(request, outcome, description);
  return 0;
}
