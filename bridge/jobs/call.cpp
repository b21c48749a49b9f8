#include "bridge/jobs/call.h"

#include <string_view>

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

/// A thing's name as a path segment. Of the characters that a name may hold only ':' is escaped,
/// as the AWS SDKs do.
std::string escaped(const ThingName& thing) {
  std::string segment;
  segment.reserve(thing.text().size() + 2);
  for (const char c : thing.text()) {
    if (c == ':') {
      segment += "%3A";
    } else {
      segment += c;
    }
  }
  return segment;
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
  json_text::ObjectWriter body;
  add(body, "statusDetails", request.status_details);
  add(body, "stepTimeoutInMinutes", request.step_timeout_in_minutes);
  return std::move(body).object();
}

std::string update_body(const Request& request) {
  json_text::ObjectWriter body;
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
                   .target = "/things/" + escaped(request.thing) + "/jobs",
                   .body = {},
                   .headers = {{"Content-Type", "application/json"}},
                   .repeatable = true};
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
