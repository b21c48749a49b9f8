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

void add_document(json_text::ObjectWriter& writer, const json_text::Member& member) {
  if (json_text::is_string(member.value)) {
    const auto document = json_text::decode_string(member.value);
    if (document && json_text::is_json(*document)) {
      writer.member(member.key, *document);
      return;
    }
  }
  writer.member(member.key, member.value);
}

void add(json_text::ObjectWriter& writer, const json_text::Member& member) {
  if (member.is("jobDocument")) {
    add_document(writer, member);
  } else {
    writer.member(member.key, member.value);
  }
}

bool differs(const json_text::Member& member, const std::string& expected) {
  return !json_text::is_string(member.value) || json_text::decode_string(member.value) != expected;
}

/// Which of the request's names a member of the answer contradicts, if one.
std::optional<Rejection> contradiction(const Request& request, const json_text::Member& member) {
  if (member.is("thingName") && differs(member, request.thing.text())) {
    return about_another("thing");
  }
  const bool by_id = request.operation == Operation::describe && !request.job->is_next();
  if (by_id && member.is("jobId") && differs(member, request.job->text())) {
    return about_another("job");
  }
  return std::nullopt;
}

using Rewritten = Result<std::string, Rejection>;

/// An execution, its state or its summary as it goes to the device, or why it must not.
Rewritten rewrite_object(const Request& request, std::string_view object) {
  const auto members = json_text::members_of(object);
  if (!members) return Failure{nonsense("the answer has another value where an object belongs")};
  json_text::ObjectWriter writer;
  for (const auto& member : *members) {
    if (json_text::is_null(member.value)) continue;
    if (auto fault = contradiction(request, member)) return Failure{*std::move(fault)};
    add(writer, member);
  }
  return std::move(writer).object();
}

Rewritten rewrite_list(const Request& request, std::string_view list) {
  const auto elements = json_text::elements_of(list);
  if (!elements) return Failure{nonsense("the answer has another value where a list belongs")};
  std::string text = "[";
  for (const auto element : *elements) {
    const auto object = rewrite_object(request, element);
    if (!object) return object;
    if (text.size() > 1) text += ',';
    text += *object;
  }
  return text + "]";
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
  json_text::ObjectWriter writer;
  for (const auto& member : members) {
    if (json_text::is_null(member.value) || is_set_by_bridge(member)) continue;
    if (auto fault = contradiction(request, member)) return *std::move(fault);
    const bool object = member.is("execution") || member.is("executionState");
    const bool list = member.is("inProgressJobs") || member.is("queuedJobs");
    if (!object && !list) {
      add(writer, member);
      continue;
    }
    const auto rewritten =
        object ? rewrite_object(request, member.value) : rewrite_list(request, member.value);
    if (!rewritten) return rewritten.error();
    writer.member(member.key, *rewritten);
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
