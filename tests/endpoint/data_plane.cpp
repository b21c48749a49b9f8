#include "tests/endpoint/members.h"
#include "tests/endpoint/names.h"
#include "tests/endpoint/operations.h"
#include "tests/endpoint/shapes.h"

namespace jobs_endpoint {
namespace {

/// How many GetPendingJobExecutions lists (AWS IoT developer guide, job-limits).
constexpr std::size_t max_pending_listed = 10;
constexpr std::int64_t longest_step_minutes = 10080;

Json get_pending(const Route& route, Store& store, Instant now) {
  Json in_progress = Json::array();
  Json queued = Json::array();
  for (const Execution* execution : store.pending(route.thing, max_pending_listed, now)) {
    Json& list = execution->status == ExecutionStatus::in_progress ? in_progress : queued;
    list.push_back(execution_summary_shape(*execution));
  }
  return {{"inProgressJobs", in_progress}, {"queuedJobs", queued}};
}

Json start_next(const Route& route, const Members& members, Store& store, Instant now) {
  const auto details = members.status_details("statusDetails");
  const auto step = members.integer("stepTimeoutInMinutes", 1, longest_step_minutes);
  const Execution* execution = store.start_next(route.thing, details, step, now);
  if (execution == nullptr) return Json::object();
  return {{"execution", execution_shape(*execution, store, true, now)}};
}

Json describe(const Route& route, Store& store, const OperationOptions& options, Instant now) {
  const bool with_document =
      boolean_parameter(route.parameter("includeJobDocument"), "includeJobDocument").value_or(true);
  const auto number = integer_parameter(route.parameter("executionNumber"), "executionNumber");
  if (route.job == next_job) {
    const Execution* execution = store.next(route.thing, now);
    if (execution == nullptr) return Json::object();
    return {{"execution", execution_shape(*execution, store, with_document, now)}};
  }
  require_job_id(route.job);
  const Execution& execution = store.find_execution(route.thing, route.job, number, now);
  if (options.reject_terminal_describe && is_terminal(execution.status)) {
    throw terminal_state("The job execution is in terminal state " +
                         std::string(name_of(execution.status)) + ".");
  }
  return {{"execution", execution_shape(execution, store, with_document, now)}};
}

ExecutionStatus status_member(const Members& members) {
  const auto name = required(members.text("status", 64), "status");
  const auto status = execution_status_named(name);
  if (!status) {
    throw constraint_violation("status", name,
                               "Member must satisfy enum value set: [QUEUED, IN_PROGRESS, "
                               "SUCCEEDED, FAILED, TIMED_OUT, REJECTED, REMOVED, CANCELED]");
  }
  return *status;
}

std::optional<std::int64_t> step_timeout_or_cancel(const Members& members) {
  const auto minutes = members.integer("stepTimeoutInMinutes", -1, longest_step_minutes);
  if (minutes && *minutes == 0) {
    throw constraint_violation("stepTimeoutInMinutes", "0",
                               "Member must have value between 1 and 10080, or be -1");
  }
  return minutes;
}

Json update(const Route& route, const Members& members, Store& store, Instant now) {
  require_job_id(route.job);
  ExecutionUpdate asked = {status_member(members)};
  asked.details = members.status_details("statusDetails");
  asked.expected_version = members.integer("expectedVersion");
  asked.execution_number = members.integer("executionNumber");
  asked.step_timeout_minutes = step_timeout_or_cancel(members);
  const bool with_state = members.boolean("includeJobExecutionState").value_or(false);
  const bool with_document = members.boolean("includeJobDocument").value_or(false);

  const Execution& execution = store.update(route.thing, route.job, asked, now);
  Json answer = Json::object();
  if (with_state) answer["executionState"] = execution_state_shape(execution);
  if (with_document) answer["jobDocument"] = execution.job->definition.document;
  return answer;
}

}  // namespace

Json carry_out_data_plane(const Route& route, const std::string& body, Store& store,
                          const OperationOptions& options, Instant now) {
  require_thing_name(route.thing);
  const Members members = Members::of_body(is_write(route.operation) ? body : std::string());
  if (options.strict_things && !store.knows_thing(route.thing)) {
    throw resource_not_found("Thing " + route.thing + " not found.");
  }
  switch (route.operation) {
    case Operation::get_pending:
      return get_pending(route, store, now);
    case Operation::start_next:
      return start_next(route, members, store, now);
    case Operation::describe_execution:
      return describe(route, store, options, now);
    case Operation::update_execution:
      return update(route, members, store, now);
    default:
      throw unknown_operation("No such operation.");
  }
}

}  // namespace jobs_endpoint
