#include "tests/endpoint/shapes.h"

#include <array>
#include <string>
#include <utility>

namespace jobs_endpoint {
namespace {

void add_stamps(Json& shape, const Execution& execution) {
  shape["queuedAt"] = seconds_since_epoch(execution.queued_at);
  if (execution.started_at) shape["startedAt"] = seconds_since_epoch(*execution.started_at);
  shape["lastUpdatedAt"] = seconds_since_epoch(execution.last_updated_at);
  shape["versionNumber"] = execution.version;
  shape["executionNumber"] = execution.number;
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
                {"targetSelection", definition.continuous ? "CONTINUOUS" : "SNAPSHOT"},
                {"status", name_of(job.status)}};
  if (job.force_canceled) shape["forceCanceled"] = true;
  if (!job.reason_code.empty()) shape["reasonCode"] = job.reason_code;
  if (!job.comment.empty()) shape["comment"] = job.comment;
  shape["targets"] = *definition.targets;
  if (!definition.description.empty()) shape["description"] = definition.description;
  shape["createdAt"] = precise_seconds(job.created_at);
  shape["lastUpdatedAt"] = precise_seconds(job.last_updated_at);
  if (job.completed_at) shape["completedAt"] = precise_seconds(*job.completed_at);
  shape["jobProcessDetails"] = process_details(job);
  shape.update(definition.echoed);
  shape["isConcurrent"] = false;
  return shape;
}

}  // namespace jobs_endpoint
