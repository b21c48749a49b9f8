#include "tests/endpoint/store.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <initializer_list>

#include "tests/endpoint/names.h"
#include "tests/endpoint/store_records.h"

namespace jobs_endpoint {
namespace {

bool may_be_set_by_device(ExecutionStatus status) {
  return status == ExecutionStatus::in_progress || status == ExecutionStatus::succeeded ||
         status == ExecutionStatus::failed || status == ExecutionStatus::rejected;
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

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

std::optional<Instant> Execution::deadline() const {
  if (in_progress_deadline && step_deadline) return std::min(*in_progress_deadline, *step_deadline);
  return in_progress_deadline ? in_progress_deadline : step_deadline;
}

Store::Store(double time_scale) : time_scale_(time_scale) {}
Store::~Store() = default;

const Job& Store::create_job(JobDefinition definition, Instant now) {
  expire(now);
  if (const auto taken = jobs_.find(definition.id); taken != jobs_.end()) {
    throw ServiceError(409, "ResourceAlreadyExistsException",
                       "Job " + definition.id + " already exists.",
                       {{"resourceId", definition.id}, {"resourceArn", taken->second->job.arn}});
  }
  auto made = std::make_unique<JobEntry>();
  Job& job = made->job;
  job.definition = std::move(definition);
  job.arn = job_arn_beside(job.definition.targets->front(), job.definition.id);
  job.order = ++created_ever_;
  job.created_at = now;
  job.last_updated_at = now;
  for (const std::string& arn : *job.definition.targets) {
    Thing& thing = thing_made(thing_of_arn(arn).value());
    // Two targets may name the same thing.
    if (thing.executions.count(&job) != 0) continue;
    enqueue(job, thing, now);
    made->things.push_back(&thing);
  }
  jobs_.emplace(job.definition.id, std::move(made));
  return job;
}

const Job& Store::find_job(std::string_view id, Instant now) {
  expire(now);
  return job_named(id).job;
}

std::vector<const Job*> Store::jobs(Instant now) {
  expire(now);
  std::vector<const Job*> found;
  for (const auto& [id, entry] : jobs_) found.push_back(&entry->job);
  std::ranges::sort(found, {}, &Job::order);
  return found;
}

std::vector<const Execution*> Store::executions_of_job(std::string_view id, Instant now) {
  expire(now);
  const JobEntry& entry = job_named(id);
  std::vector<const Execution*> found;
  for (const Thing* thing : entry.things) {
    found.push_back(&thing->executions.at(&entry.job).front());
  }
  return found;
}

const Job& Store::cancel_job(std::string_view id, const CancelOptions& options, Instant now) {
  expire(now);
  JobEntry& entry = job_named(id);
  Job& job = entry.job;
  if (job.status == JobStatus::completed) {
    throw invalid_request("Job " + job.definition.id + " cannot be canceled: it is COMPLETED.");
  }
  job.status = JobStatus::canceled;
  job.last_updated_at = now;
  job.completed_at = now;
  job.force_canceled = job.force_canceled || options.force;
  job.reason_code = options.reason_code;
  job.comment = options.comment;
  cancel_executions(entry, options.force, now);
  return job;
}

void Store::delete_job(std::string_view id, bool force, Instant now) {
  expire(now);
  JobEntry& entry = job_named(id);
  if (entry.job.status == JobStatus::in_progress && !force) {
    throw invalid_state_transition("Job " + entry.job.definition.id +
                                   " is IN_PROGRESS and can only be deleted with force.");
  }
  for (Thing* thing : entry.things) {
    const auto tries = thing->executions.find(&entry.job);
    for (Execution& execution : tries->second) forget(execution);
    thing->executions.erase(tries);
  }
  jobs_.erase(jobs_.find(id));
}

bool Store::knows_thing(std::string_view thing) const {
  return things_.find(thing) != things_.end();
}

std::vector<const Execution*> Store::pending(std::string_view name, std::size_t limit,
                                             Instant now) {
  expire(now);
  std::vector<const Execution*> found;
  const Thing* thing = thing_named(name);
  if (thing == nullptr) return found;
  for (const auto* list : {&thing->in_progress, &thing->queued}) {
    for (const auto& [order, execution] : *list) {
      if (found.size() == limit) return found;
      found.push_back(execution);
    }
  }
  return found;
}

const Execution* Store::next(std::string_view name, Instant now) {
  expire(now);
  Thing* thing = thing_named(name);
  return thing == nullptr ? nullptr : head(*thing);
}

const Execution* Store::start_next(std::string_view name,
                                   const std::optional<StatusDetails>& details,
                                   std::optional<std::int64_t> step_timeout_minutes, Instant now) {
  expire(now);
  Thing* thing = thing_named(name);
  Execution* execution = thing == nullptr ? nullptr : head(*thing);
  if (execution != nullptr && execution->status == ExecutionStatus::queued) {
    if (details) execution->details = *details;
    move(*execution, ExecutionStatus::in_progress, now);
    set_step_timer(*execution, step_timeout_minutes, now);
  }
  return execution;
}

const Execution& Store::find_execution(std::string_view thing, std::string_view job,
                                       std::optional<std::int64_t> number, Instant now) {
  expire(now);
  return execution_of(thing, job, number);
}

const Execution& Store::update(std::string_view thing, std::string_view job,
                               const ExecutionUpdate& update, Instant now) {
  expire(now);
  Execution& execution = execution_of(thing, job, update.execution_number);
  if (update.expected_version && *update.expected_version != execution.version) {
    throw invalid_state_transition("Expected version " + std::to_string(*update.expected_version) +
                                   " but found version " + std::to_string(execution.version));
  }
  if (is_terminal(execution.status)) {
    throw invalid_state_transition("Job execution status cannot be changed from " +
                                   std::string(name_of(execution.status)) + " to " +
                                   std::string(name_of(update.status)));
  }
  if (update.status == ExecutionStatus::queued) {
    throw invalid_state_transition("Job execution status cannot be changed from " +
                                   std::string(name_of(execution.status)) + " to QUEUED");
  }
  if (!may_be_set_by_device(update.status)) {
    throw invalid_request("A job execution cannot be updated to status " +
                          std::string(name_of(update.status)));
  }
  if (update.details) execution.details = *update.details;
  move(execution, update.status, now);
  if (is_terminal(update.status)) {
    follow_up(execution, now);
  } else {
    set_step_timer(execution, update.step_timeout_minutes, now);
  }
  return execution;
}

std::optional<std::int64_t> Store::seconds_left(const Execution& execution, Instant now) const {
  const std::optional<Instant> deadline = execution.deadline();
  if (!deadline) return std::nullopt;
  const std::chrono::duration<double> left = *deadline - now;
  return static_cast<std::int64_t>(std::max(0.0, std::ceil(left.count() * time_scale_)));
}

Store::JobEntry& Store::job_named(std::string_view id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) throw resource_not_found("Job " + std::string(id) + " not found.");
  return *found->second;
}

Store::Thing* Store::thing_named(std::string_view name) {
  const auto found = things_.find(name);
  return found == things_.end() ? nullptr : found->second.get();
}

Store::Thing& Store::thing_made(const std::string& name) {
  std::unique_ptr<Thing>& thing = things_[name];
  if (thing == nullptr) thing = std::make_unique<Thing>(Thing{name});
  return *thing;
}

Execution& Store::execution_of(std::string_view thing_name, std::string_view job_id,
                               std::optional<std::int64_t> number) {
  Thing* thing = thing_named(thing_name);
  const auto job = jobs_.find(job_id);
  if (thing != nullptr && job != jobs_.end()) {
    if (const auto tries = thing->executions.find(&job->second->job);
        tries != thing->executions.end()) {
      for (Execution& execution : tries->second) {
        if (!number || execution.number == *number) return execution;
      }
    }
  }
  throw resource_not_found(
      "No job execution found for thing " + in_quotes(thing_name) + " and job " +
      in_quotes(job_id) +
      (number ? " with execution number " + std::to_string(*number) : std::string()));
}

Execution* Store::head(Thing& thing) {
  if (!thing.in_progress.empty()) return thing.in_progress.begin()->second;
  return thing.queued.empty() ? nullptr : thing.queued.begin()->second;
}

Execution& Store::enqueue(Job& job, Thing& thing, Instant now) {
  Execution& execution = thing.executions[&job].emplace_front();
  execution.job = &job;
  execution.thing = &thing.name;
  execution.order = ++queued_ever_;
  execution.queued_at = now;
  execution.last_updated_at = now;
  thing.queued.emplace(execution.order, &execution);
  ++job.things_in[index(ExecutionStatus::queued)];
  return execution;
}

void Store::move(Execution& execution, ExecutionStatus to, Instant now) {
  const std::optional<Instant> before = execution.deadline();
  Thing& thing = *thing_named(*execution.thing);
  const ExecutionStatus from = execution.status;
  --execution.job->things_in[index(from)];
  ++execution.job->things_in[index(to)];
  if (from == ExecutionStatus::queued) thing.queued.erase(execution.order);
  if (is_terminal(to)) {
    thing.in_progress.erase(execution.order);
    execution.in_progress_deadline.reset();
    execution.step_deadline.reset();
  } else if (from == ExecutionStatus::queued) {
    thing.in_progress.emplace(execution.order, &execution);
    execution.started_at = now;
    if (const auto timeout = execution.job->definition.in_progress_timeout) {
      execution.in_progress_deadline = after(now, timeout->count());
    }
  }
  execution.status = to;
  ++execution.version;
  execution.last_updated_at = now;
  reschedule(execution, before);
}

void Store::set_step_timer(Execution& execution, std::optional<std::int64_t> minutes, Instant now) {
  if (!minutes) return;
  const std::optional<Instant> before = execution.deadline();
  execution.step_deadline.reset();
  if (*minutes > 0) execution.step_deadline = after(now, *minutes);
  reschedule(execution, before);
}

void Store::reschedule(Execution& execution, const std::optional<Instant>& before) {
  const std::optional<Instant> deadline = execution.deadline();
  if (deadline == before) return;
  if (before) deadlines_.erase({*before, execution.order});
  if (deadline) deadlines_.emplace(std::pair(*deadline, execution.order), &execution);
}

void Store::forget(Execution& execution) {
  Thing& thing = *thing_named(*execution.thing);
  thing.queued.erase(execution.order);
  thing.in_progress.erase(execution.order);
  if (const auto deadline = execution.deadline()) deadlines_.erase({*deadline, execution.order});
}

void Store::expire(Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first.first <= now) {
    const Instant deadline = deadlines_.begin()->first.first;
    Execution& execution = *deadlines_.begin()->second;
    move(execution, ExecutionStatus::timed_out, deadline);
    follow_up(execution, deadline);
  }
}

Instant Store::after(Instant start, std::int64_t minutes) const {
  const std::chrono::duration<double> scaled(static_cast<double>(minutes) * 60 / time_scale_);
  return start + std::chrono::ceil<std::chrono::microseconds>(scaled);
}

// What becomes of a job when its executions end: retries, abort, completion, cancellation.

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
