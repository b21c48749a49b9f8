#include "tests/endpoint/route.h"

#include <algorithm>
#include <array>

namespace jobs_endpoint {
namespace {

enum class Kind { data_read, data_write, other };

struct Known {
  Operation operation;
  std::string_view name;
  Kind kind;
};

/// Every operation, in its place.
constexpr std::array<Known, operations> table = {{
    {Operation::get_pending, "GetPendingJobExecutions", Kind::data_read},
    {Operation::start_next, "StartNextPendingJobExecution", Kind::data_write},
    {Operation::describe_execution, "DescribeJobExecution", Kind::data_read},
    {Operation::update_execution, "UpdateJobExecution", Kind::data_write},
    {Operation::create_job, "CreateJob", Kind::other},
    {Operation::describe_job, "DescribeJob", Kind::other},
    {Operation::cancel_job, "CancelJob", Kind::other},
    {Operation::delete_job, "DeleteJob", Kind::other},
    {Operation::get_job_document, "GetJobDocument", Kind::other},
    {Operation::list_jobs, "ListJobs", Kind::other},
    {Operation::list_job_executions, "ListJobExecutionsForJob", Kind::other},
    {Operation::assume_role, "AssumeRoleWithCertificate", Kind::other},
    {Operation::unknown, "UnknownOperation", Kind::data_read},
}};

constexpr std::size_t place_of(Operation operation) {
  return static_cast<std::size_t>(operation);
}
static_assert(std::ranges::all_of(table, [](const Known& known) {
  return &table[place_of(known.operation)] == &known;
}));

int hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/// An invalid escape is left unchanged; the check of the name then refuses its '%'.
std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      const int high = hexadecimal(text[at + 1]);
      const int low = hexadecimal(text[at + 2]);
      if (high >= 0 && low >= 0) {
        decoded.push_back(static_cast<char>(high * 16 + low));
        at += 2;
        continue;
      }
    }
    decoded.push_back(text[at]);
  }
  return decoded;
}

/// The decoded parts between the slashes after the first: `/a/b` has two, `/a/` too.
std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty() && path.front() == '/') {
    path.remove_prefix(1);
    const std::size_t end = path.find('/');
    segments.push_back(percent_decode(path.substr(0, end)));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
  return segments;
}

/// `http://host/path` is what a client sends that takes us for its proxy (RFC 9112, 3.2.2).
std::string_view without_authority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.substr(0, scheme.size()) != scheme) continue;
    const std::size_t path = target.find('/', scheme.size());
    return path == std::string_view::npos ? "/" : target.substr(path);
  }
  return target;
}

Operation thing_operation(std::string_view method, const std::vector<std::string>& segments) {
  if (segments.size() == 3) {
    return method == "GET" ? Operation::get_pending : Operation::unknown;
  }
  if (method == "GET") return Operation::describe_execution;
  if (method == "POST") return Operation::update_execution;
  if (method == "PUT" && segments[3] == next_job) return Operation::start_next;
  return Operation::unknown;
}

Operation job_operation(std::string_view method, const std::vector<std::string>& segments) {
  if (segments.size() == 1) return method == "GET" ? Operation::list_jobs : Operation::unknown;
  if (segments.size() == 3) {
    if (method == "PUT" && segments[2] == "cancel") return Operation::cancel_job;
    if (method == "GET" && segments[2] == "job-document") return Operation::get_job_document;
    if (method == "GET" && segments[2] == "things") return Operation::list_job_executions;
    return Operation::unknown;
  }
  if (method == "PUT") return Operation::create_job;
  if (method == "GET") return Operation::describe_job;
  if (method == "DELETE") return Operation::delete_job;
  return Operation::unknown;
}

}  // namespace

std::string_view name_of(Operation operation) {
  return table.at(place_of(operation)).name;
}

std::optional<Operation> operation_named(std::string_view name) {
  for (const auto& known : table) {
    if (known.name == name) return known.operation;
  }
  return std::nullopt;
}

bool is_data_plane(Operation operation) {
  return table.at(place_of(operation)).kind != Kind::other;
}

bool is_write(Operation operation) {
  return table.at(place_of(operation)).kind == Kind::data_write;
}

std::optional<std::string> Route::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Target split_target(std::string_view target) {
  target = without_authority(target);
  const std::size_t question = target.find('?');
  Target parts = {target.substr(0, question), {}};
  std::string_view rest =
      question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(pair.size() == rest.size() ? rest.size() : pair.size() + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    parts.query.emplace_back(
        percent_decode(pair.substr(0, equals)),
        equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1)));
  }
  return parts;
}

Route route_of(std::string_view method, std::string_view target) {
  Target parts = split_target(target);
  std::vector<std::string> segments = segments_of(parts.path);
  Route route;
  route.query = std::move(parts.query);
  if ((segments.size() == 3 || segments.size() == 4) && segments[0] == "things" &&
      segments[2] == "jobs") {
    route.operation = thing_operation(method, segments);
    route.thing = std::move(segments[1]);
    if (segments.size() == 4) route.job = std::move(segments[3]);
  } else if (!segments.empty() && segments.size() <= 3 && segments[0] == "jobs") {
    route.operation = job_operation(method, segments);
    if (segments.size() > 1) route.job = std::move(segments[1]);
  } else if (method == "GET" && segments.size() == 3 && segments[0] == "role-aliases" &&
             segments[2] == "credentials") {
    route.operation = Operation::assume_role;
    route.job = std::move(segments[1]);
  }
  return route;
}

bool is_emulator_control(std::string_view target) {
  return without_authority(target).substr(0, 2) == "/_";
}

}  // namespace jobs_endpoint
