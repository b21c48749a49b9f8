#include "bridge/jobs/call.h"

#include <algorithm>
#include <string_view>

#include "bridge/jobs/json_text.h"
#include "bridge/text/percent_encoding.h"

namespace jobs_bridge {
namespace {

/// The longest text that can follow a thing's jobs in a target, apart from the execution number.
constexpr std::size_t max_rest = 100;

/// RFC 3986, 2.3: what needs no escape anywhere in a URL.
std::string jobs_of(const ThingName& thing) {
  std::string target;
  target.reserve(thing.text().size() + max_rest);
  target += "/things/";
  append_percent_encoded(target, thing.text());
  return target += "/jobs";
}

/// The approximate length of a body without its details.
constexpr std::size_t usual_body = 128;

std::size_t body_length(const Request& request) {
  return usual_body + (request.status_details ? request.status_details->size() : 0);
}

void add(json_text::ObjectWriter& body, std::string_view name,
         const std::optional<std::string>& value) {
  if (value) body.member(name, *value);
}

void add(json_text::ObjectWriter& body, std::string_view name,
         const std::optional<std::int64_t>& value) {
  if (value) body.member(name, std::to_string(*value));
}

void add(json_text::ObjectWriter& body, std::string_view name, const std::optional<bool>& value) {
  if (value) body.member(name, *value ? "true" : "false");
}

void add_unconverted(json_text::ObjectWriter& body, const Request& request) {
  for (const auto& [name, value] : request.unconverted) body.member(name, value);
}

/// The text of a query parameter that could not be converted; nothing if it could.
std::optional<std::string> unconverted(const Request& request, std::string_view name) {
  const auto found = std::ranges::find(request.unconverted, name, &Request::Unconverted::name);
  if (found == request.unconverted.end()) return std::nullopt;
  if (!json_text::is_string(found->value)) return found->value;
  return json_text::decode_string(found->value).value_or(found->value);
}

/// In the order of the names, which is that of the signature.
void add_describe_query(std::string& target, const Request& request) {
  target += '?';
  auto number = unconverted(request, "executionNumber");
  if (request.execution_number) number = std::to_string(*request.execution_number);
  if (number) {
    target += "executionNumber=";
    append_percent_encoded(target, *number);
    target += '&';
  }
  // The default differs from what one would guess: a describe brings the document unless told not
  // to (AWS IoT developer guide, jobs-mqtt-api), so the parameter is always sent.
  target += "includeJobDocument=";
  if (const auto flag = unconverted(request, "includeJobDocument")) {
    append_percent_encoded(target, *flag);
  } else {
    target += request.include_job_document.value_or(true) ? "true" : "false";
  }
}

std::string start_next_body(const Request& request) {
  json_text::ObjectWriter body(body_length(request));
  add(body, "statusDetails", request.status_details);
  add(body, "stepTimeoutInMinutes", request.step_timeout_in_minutes);
  add_unconverted(body, request);
  return std::move(body).object();
}

std::string update_body(const Request& request) {
  json_text::ObjectWriter body(body_length(request));
  if (request.status) body.member("status", json_text::encode_string(*request.status));
  add(body, "statusDetails", request.status_details);
  add(body, "stepTimeoutInMinutes", request.step_timeout_in_minutes);
  add(body, "expectedVersion", request.expected_version);
  add(body, "includeJobExecutionState", request.include_job_execution_state);
  add(body, "includeJobDocument", request.include_job_document);
  add(body, "executionNumber", request.execution_number);
  add_unconverted(body, request);
  return std::move(body).object();
}

}  // namespace

HttpRequest build_call(const Request& request) {
  // Content-Type goes with every request: without it an update was once answered with a 200 that
  // hid an UnknownOperationException (aws/aws-sdk-js#2539).
  HttpRequest call{.method = "GET",
                   .target = jobs_of(request.thing),
                   .body = {},
                   .headers = {},
                   .repeatable = true};
  call.headers.emplace_back("Content-Type", "application/json");
  call.headers.emplace_back("Accept", "application/json");
  switch (request.operation) {
    case Operation::get_pending:
      break;
    case Operation::start_next:
      // Repeating it returns the same execution again.
      call.method = "PUT";
      call.target += "/$next";
      call.body = start_next_body(request);
      break;
    case Operation::describe:
      append_percent_encoded(call.target += '/', request.job->text());
      add_describe_query(call.target, request);
      break;
    case Operation::update:
      call.method = "POST";
      append_percent_encoded(call.target += '/', request.job->text());
      call.body = update_body(request);
      call.repeatable = false;
      break;
  }
  return call;
}

}  // namespace jobs_bridge
