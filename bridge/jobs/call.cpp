#include "bridge/jobs/call.h"

#include <string_view>

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

/// Most that can follow a thing's jobs in a target, but for an execution's number.
constexpr std::size_t longest_rest = 100;

/// Of the characters that a name may hold only ':' is escaped, as the AWS SDKs do.
std::string jobs_of(const ThingName& thing) {
  std::string target;
  target.reserve(thing.text().size() + longest_rest);
  target += "/things/";
  for (const char c : thing.text()) {
    if (c == ':') {
      target += "%3A";
    } else {
      target += c;
    }
  }
  return target += "/jobs";
}

/// About how long a body is, but for the details.
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

std::string describe_query(const Request& request) {
  // The default differs from what one would guess: a describe brings the document unless told not
  // to (AWS IoT developer guide, jobs-mqtt-api), so it is always said.
  std::string query = "?includeJobDocument=";
  query += request.include_job_document.value_or(true) ? "true" : "false";
  if (request.execution_number) {
    query = "?executionNumber=" + std::to_string(*request.execution_number) + "&" + query.substr(1);
  }
  return query;
}

std::string start_next_body(const Request& request) {
  json_text::ObjectWriter body(body_length(request));
  add(body, "statusDetails", request.status_details);
  add(body, "stepTimeoutInMinutes", request.step_timeout_in_minutes);
  return std::move(body).object();
}

std::string update_body(const Request& request) {
  json_text::ObjectWriter body(body_length(request));
  if (request.status) body.member("status", "\"" + *request.status + "\"");
  add(body, "statusDetails", request.status_details);
  add(body, "stepTimeoutInMinutes", request.step_timeout_in_minutes);
  add(body, "expectedVersion", request.expected_version);
  add(body, "includeJobExecutionState", request.include_job_execution_state);
  add(body, "includeJobDocument", request.include_job_document);
  add(body, "executionNumber", request.execution_number);
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
  switch (request.operation) {
    case Operation::get_pending:
      break;
    case Operation::start_next:
      // Repeating it hands out the same execution again.
      call.method = "PUT";
      call.target += "/$next";
      call.body = start_next_body(request);
      break;
    case Operation::describe:
      call.target += request.job->is_next() ? "/%24next" : "/" + request.job->text();
      call.target += describe_query(request);
      break;
    case Operation::update:
      call.method = "POST";
      call.target += "/" + request.job->text();
      call.body = update_body(request);
      call.repeatable = false;
      break;
  }
  return call;
}

}  // namespace jobs_bridge
