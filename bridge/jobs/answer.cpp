#include "bridge/jobs/answer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

using Members = std::vector<json_text::Member>;

Rejection for_another(std::string_view what) {
  return invalid_answer("the answer is for another " + std::string(what));
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

/// The topic of a reply names the thing. AWS does not repeat it in the reply, and a device with a
/// small buffer drops replies larger than AWS's.
bool names_thing(const json_text::Member& member) {
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
    return for_another("thing");
  }
  const bool by_id = request.job && !request.job->is_next();
  if (by_id && member.is("jobId") && differs(member, request.job->text())) {
    return for_another("job");
  }
  return std::nullopt;
}

/// Adds the members of an execution, its state or its summary in the form for the device; or
/// returns why they must not be passed on.
std::optional<Rejection> rewrite_object(const Request& request, std::string_view object,
                                        json_text::ObjectWriter& writer) {
  const auto members = json_text::members_of(object);
  if (!members)
    return invalid_answer("the answer has a value that is not an object where one is expected");
  for (const auto& member : *members) {
    if (json_text::is_null(member.value)) continue;
    if (auto fault = contradiction(request, member)) return fault;
    if (!names_thing(member)) add(writer, member);
  }
  return std::nullopt;
}

std::optional<Rejection> rewrite_list(const Request& request, std::string_view list,
                                      json_text::ObjectWriter& writer) {
  const auto elements = json_text::elements_of(list);
  if (!elements)
    return invalid_answer("the answer has a value that is not a list where one is expected");
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
    // Some endpoints send an execution without members for none: device SDKs would take it for a
    // job.
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

}  // namespace

Rejection invalid_answer(std::string detail) {
  return {ErrorCode::internal_error, "the endpoint's answer is not valid", std::move(detail)};
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
    if (names_thing(member)) continue;
    if (auto fault = rewrite(request, member, writer)) return *std::move(fault);
  }
  if (request.operation == Operation::get_pending) {
    for (const auto* list : {"inProgressJobs", "queuedJobs"}) {
      if (json_text::find(members, list) == nullptr) writer.member(list, "[]");
    }
  }
  return Accepted{std::move(writer).members()};
}

}  // namespace jobs_bridge
