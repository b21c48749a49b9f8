// What becomes of a job when its executions end: retries, abort, completion, cancellation.

#include <algorithm>
#include <initializer_list>

#include "tests/endpoint/store.h"
#include "tests/endpoint/store_records.h"

namespace jobs_endpoint {
namespace {

/// For one device, both kinds of failure together (AWS IoT developer guide,
/// jobs-configurations-details).
constexpr int max_retries = 10;

bool may_retry(const Execution& ended) {
  if (ended.job->status != JobStatus::in_progress) return false;
  const RetryLimits& limits = ended.job->definition.retries;
  const int used = ended.failures + ended.timeouts;
  if (used >= max_retries) return false;
  if (ended.status == ExecutionStatus::failed) {
    return ended.failures < limits.failed || used < limits.either;
  }
  if (ended.status == ExecutionStatus::timed_out) {
    return ended.timeouts < limits.timed_out || used < limits.either;
  }
  return false;
}

int things_in(const Job& job, std::initializer_list<ExecutionStatus> statuses) {
  int count = 0;
  for (const ExecutionStatus status : statuses) count += job.things_in[index(status)];
  return count;
}

bool is_met(const AbortCriterion& criterion, const Job& job) {
  using enum ExecutionStatus;
  const int executed = things_in(job, {succeeded, failed, rejected, timed_out});
  if (executed == 0 || executed < criterion.fewest_executed_things) return false;
  const int failing = criterion.failure ? things_in(job, {*criterion.failure})
                                        : things_in(job, {failed, rejected, timed_out});
  return 100.0 * failing / executed >= criterion.threshold_percentage;
}

}  // namespace

void Store::follow_up(Execution& ended, Instant now) {
  JobEntry& entry = job_named(ended.job->definition.id);
  Job& job = entry.job;
  if (may_retry(ended)) {
    --job.things_in[index(ended.status)];
    Execution& retry = enqueue(job, *thing_named(*ended.thing), now);
    retry.number = ended.number + 1;
    retry.failures = ended.failures + (ended.status == ExecutionStatus::failed ? 1 : 0);
    retry.timeouts = ended.timeouts + (ended.status == ExecutionStatus::timed_out ? 1 : 0);
  }
  abort_if_failing(entry, now);
  if (job.status == JobStatus::in_progress && !job.definition.continuous &&
      things_in(job, {ExecutionStatus::queued, ExecutionStatus::in_progress}) == 0) {
    job.status = JobStatus::completed;
    job.completed_at = now;
    job.last_updated_at = now;
  }
}

void Store::abort_if_failing(JobEntry& entry, Instant now) {
  Job& job = entry.job;
  const auto& criteria = job.definition.abort_criteria;
  if (job.status != JobStatus::in_progress ||
      std::none_of(criteria.begin(), criteria.end(),
                   [&job](const AbortCriterion& criterion) { return is_met(criterion, job); })) {
    return;
  }
  job.status = JobStatus::canceled;
  job.completed_at = now;
  job.last_updated_at = now;
  cancel_executions(entry, false, now);
}

void Store::cancel_executions(JobEntry& entry, bool also_in_progress, Instant now) {
  for (Thing* thing : entry.things) {
    Execution& latest = thing->executions.at(&entry.job).front();
    if (latest.status == ExecutionStatus::queued ||
        (also_in_progress && latest.status == ExecutionStatus::in_progress)) {
      latest.force_canceled = latest.status == ExecutionStatus::in_progress;
      move(latest, ExecutionStatus::canceled, now);
    }
  }
}

}  // namespace jobs_endpoint
