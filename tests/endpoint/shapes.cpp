#include "tests/endpoint/shapes.h"

#include <array>
#include <string>
#include <utility>

#include "tests/endpoint/names.h"

namespace jobs_endpoint {
namespace {

void add_stamps(Json& shape, const Execution& execution) {
  shape["queuedAt"] = seconds_since_epoch(execution.queued_at);
  if (execution.started_at) shape["startedAt"] = seconds_since_epoch(*execution.started_at);
  shape["lastUpdatedAt"] = seconds_since_epoch(execution.last_updated_at);
  shape["versionNumber"] = execution.version;
  shape["executionNumber"] = execution.number;
}

void add_stamps(Json& shape, const Job& job) {
  shape["createdAt"] = precise_seconds(job.created_at);
  shape["lastUpdatedAt"] = precise_seconds(job.last_updated_at);
  if (job.completed_at) shape["completedAt"] = precise_seconds(*job.completed_at);
}

const char* target_selection(const Job& job) {
  return job.definition.continuous ? "CONTINUOUS" : "SNAPSHOT";
}

Json process_details(const Job& job) {
  constexpr std::array<std::pair<const char*, ExecutionStatus>, 8> counters = {{
      {"numberOfCanceledThings", ExecutionStatus::canceled},
      {"numberOfSucceededThings", ExecutionStatus::succeeded},
      {"numberOfFailedThings", ExecutionStatus::failed},
      {"numberOfRejectedThings", ExecutionStatus::rejected},
      {"numberOfQueuedThings", ExecutionStatus::queued},
      {"numberOfInProgressThings", ExecutionStatus::in_progress},
      {"numberOfRemovedThings", ExecutionStatus::removed},
      {"numberOfTimedOutThings", ExecutionStatus::timed_out},
  }};
  Json details = Json::object();
  for (const auto& [name, status] : counters) {
    details[name] = job.things_in[static_cast<std::size_t>(status)];
  }
  return details;
}

}  // namespace

Json execution_shape(const Execution& execution, const Store& store, bool with_document,
                     Instant now) {
  Json shape = Json::object();
  shape["jobId"] = execution.job->definition.id;
  shape["thingName"] = *execution.thing;
  shape["status"] = name_of(execution.status);
  if (!execution.details.empty()) shape["statusDetails"] = execution.details;
  add_stamps(shape, execution);
  if (const auto left = store.seconds_left(execution, now)) {
    shape["approximateSecondsBeforeTimedOut"] = *left;
  }
  if (with_document) shape["jobDocument"] = execution.job->definition.document;
  return shape;
}

Json execution_summary_shape(const Execution& execution) {
  Json shape = {{"jobId", execution.job->definition.id}};
  add_stamps(shape, execution);
  return shape;
}

Json execution_state_shape(const Execution& execution) {
  Json shape = {{"status", name_of(execution.status)}};
  if (!execution.details.empty()) shape["statusDetails"] = execution.details;
  shape["versionNumber"] = execution.version;
  return shape;
}

Json job_shape(const Job& job) {
  const JobDefinition& definition = job.definition;
  Json shape = {{"jobArn", job.arn},
                {"jobId", definition.id},
                {"targetSelection", target_selection(job)},
                {"status", name_of(job.status)}};
  if (job.force_canceled) shape["forceCanceled"] = true;
  if (!job.reason_code.empty()) shape["reasonCode"] = job.reason_code;
  if (!job.comment.empty()) shape["comment"] = job.comment;
  shape["targets"] = *definition.targets;
  if (!definition.description.empty()) shape["description"] = definition.description;
  add_stamps(shape, job);
  shape["jobProcessDetails"] = process_details(job);
  shape.update(definition.echoed);
  shape["isConcurrent"] = false;
  return shape;
}

Json job_summary_shape(const Job& job) {
  Json shape = {{"jobArn", job.arn},
                {"jobId", job.definition.id},
                {"targetSelection", target_selection(job)},
                {"status", name_of(job.status)}};
  add_stamps(shape, job);
  shape["isConcurrent"] = false;
  return shape;
}

Json execution_summary_for_job_shape(const Execution& execution) {
  Json summary = {{"status", name_of(execution.status)}};
  summary["queuedAt"] = precise_seconds(execution.queued_at);
  if (execution.started_at) summary["startedAt"] = precise_seconds(*execution.started_at);
  summary["lastUpdatedAt"] = precise_seconds(execution.last_updated_at);
  summary["executionNumber"] = execution.number;
  summary["retryAttempt"] = execution.number - 1;
  return {{"thingArn", thing_arn_beside(execution.job->arn, *execution.thing)},
          {"jobExecutionSummary", summary}};
}

}  // namespace jobs_endpoint
