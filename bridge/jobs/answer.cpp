#include "bridge/jobs/answer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/jobs/endpoint_error.h"
#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

using Members = std::vector<json_text::Member>;

Rejection nonsense(std::string detail) {
  return {ErrorCode::internal_error, "the endpoint did not give a proper answer",
          std::move(detail)};
}

Rejection about_another(std::string_view what) {
  return nonsense("the answer is about another " + std::string(what));
}

/// The names that a reply carries besides the answer's members; the bridge sets them itself.
bool is_set_by_bridge(const json_text::Member& member) {
  return member.is("timestamp") || member.is("clientToken");
}

void add(json_text::ObjectWriter& writer, const json_text::Member& member) {
  if (member.is("jobDocument")) {
    writer.unwrapped_member(member.key, member.value);
  } else {
    writer.member(member.key, member.value);
  }
}

/// The topic of a reply says whose it is: on AWS no reply repeats it, and a device with a small
/// buffer drops what is larger than AWS makes it.
bool says_whose(const json_text::Member& member) {
  return member.is("thingName");
}

bool differs(const json_text::Member& member, const std::string& expected) {
  if (!json_text::is_string(member.value)) return true;
  std::string storage;
  return json_text::decode(member.value.substr(1, member.value.size() - 2), storage) != expected;
}

/// Which of the request's names a member of the answer contradicts, if one.
std::optional<Rejection> contradiction(const Request& request, const json_text::Member& member) {
  if (member.is("thingName") && differs(member, request.thing.text())) {
    return about_another("thing");
  }
  const bool by_id = request.job && !request.job->is_next();
  if (by_id && member.is("jobId") && differs(member, request.job->text())) {
    return about_another("job");
  }
  return std::nullopt;
}

/// Adds the members of an execution, its state or its summary as they go to the device; or says why
/// they must not.
std::optional<Rejection> rewrite_object(const Request& request, std::string_view object,
                                        json_text::ObjectWriter& writer) {
  const auto members = json_text::members_of(object);
  if (!members) return nonsense("the answer has another value where an object belongs");
  for (const auto& member : *members) {
    if (json_text::is_null(member.value)) continue;
    if (auto fault = contradiction(request, member)) return fault;
    if (!says_whose(member)) add(writer, member);
  }
  return std::nullopt;
}

std::optional<Rejection> rewrite_list(const Request& request, std::string_view list,
                                      json_text::ObjectWriter& writer) {
  const auto elements = json_text::elements_of(list);
  if (!elements) return nonsense("the answer has another value where a list belongs");
  for (const auto element : *elements) {
    writer.begin_object();
    if (auto fault = rewrite_object(request, element, writer)) return fault;
    writer.end_object();
  }
  return std::nullopt;
}

/// One member of a success.
std::optional<Rejection> rewrite(const Request& request, const json_text::Member& member,
                                 json_text::ObjectWriter& writer) {
  std::optional<Rejection> fault;
  if (member.is("execution") || member.is("executionState")) {
    // One without members, as some endpoints have it, is none: device SDKs would take it for a job.
    const auto start = writer.length();
    writer.begin_object(member.key);
    fault = rewrite_object(request, member.value, writer);
    writer.end_object_unless_empty(start);
  } else if (member.is("inProgressJobs") || member.is("queuedJobs")) {
    writer.begin_list(member.key);
    fault = rewrite_list(request, member.value, writer);
    writer.end_list();
  } else {
    add(writer, member);
  }
  return fault;
}

/// Whether a success of this operation has a member of that name.
bool belongs_to(Operation operation, const json_text::Member& member) {
  switch (operation) {
    case Operation::start_next:
    case Operation::describe:
      return member.is("execution");
    case Operation::get_pending:
      return member.is("inProgressJobs") || member.is("queuedJobs");
    case Operation::update:
      return member.is("executionState") || member.is("jobDocument");
  }
  return false;
}

bool has_answer_of(Operation operation, const Members& members) {
  return members.empty() || std::ranges::any_of(members, [&](const json_text::Member& member) {
           return belongs_to(operation, member) || is_set_by_bridge(member);
         });
}

Answer read_success(const Request& request, const Members& members) {
  std::size_t length = 0;
  for (const auto& member : members) length += member.key.size() + member.value.size() + 4;
  json_text::ObjectWriter writer(length);
  for (const auto& member : members) {
    if (json_text::is_null(member.value) || is_set_by_bridge(member)) continue;
    if (auto fault = contradiction(request, member)) return *std::move(fault);
    if (says_whose(member)) continue;
    if (auto fault = rewrite(request, member, writer)) return *std::move(fault);
  }
  if (request.operation == Operation::get_pending) {
    for (const auto* list : {"inProgressJobs", "queuedJobs"}) {
      if (json_text::find(members, list) == nullptr) writer.member(list, "[]");
    }
  }
  return Accepted{std::move(writer).members()};
}

/// Some 200 answers are errors: `{"Output":{"__type":...}}` is what AWS's front door sends for an
/// operation that it does not recognise.
bool hides_an_error(const Members& members) {
  if (json_text::find(members, "__type") != nullptr) return true;
  const auto* output = json_text::find(members, "Output");
  if (output == nullptr) return false;
  const auto inner = json_text::members_of(output->value);
  return inner && json_text::find(*inner, "__type") != nullptr;
}

Answer read_enveloped(const Request& request, const HttpResponse& response, bool success,
                      bool succeeded, const Members& members) {
  if (!success) return read_enveloped_error(response, members);
  if (!succeeded) return nonsense("success with HTTP " + std::to_string(response.status));
  const auto* data = json_text::find(members, "data");
  if (data == nullptr) return read_success(request, {});
  const auto inner = json_text::members_of(data->value);
  if (!inner) return nonsense("data is not an object");
  return read_success(request, *inner);
}

Answer read_response(const Request& request, const HttpResponse& response) {
  const bool succeeded = response.status >= 200 && response.status < 300;
  const auto parsed = json_text::members_of(response.body);
  if (!parsed) {
    if (!succeeded) return read_aws_error(response, {});
    return nonsense("HTTP " + std::to_string(response.status) + " without a JSON object: " +
                    parsed.error().message + " at byte " + std::to_string(parsed.error().offset));
  }
  const auto& members = *parsed;
  if (const auto* success = json_text::find(members, "success")) {
    if (success->value == "true" || success->value == "false") {
      return read_enveloped(request, response, success->value == "true", succeeded, members);
    }
  }
  if (!succeeded) return read_aws_error(response, members);
  if (!response.error_type.empty() || hides_an_error(members)) {
    return nonsense("HTTP " + std::to_string(response.status) + " that holds an error");
  }
  if (!has_answer_of(request.operation, members)) {
    return nonsense("a success without any member of this operation's answer");
  }
  return read_success(request, members);
}

}  // namespace

Answer read_answer(const Request& request, const HttpOutcome& outcome) {
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) return no_answer(*failure);
  return read_response(request, std::get<HttpResponse>(outcome));
}

bool may_pass(const HttpOutcome& outcome, const Rejection& rejection) {
  if (rejection.code == ErrorCode::request_throttled) return true;
  if (rejection.code != ErrorCode::internal_error) return false;
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    return failure->kind != HttpFailure::Kind::stopped;
  }
  const int status = std::get<HttpResponse>(outcome).status;
  return status < 400 || status >= 500;
}

}  // namespace jobs_bridge
