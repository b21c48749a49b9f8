#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/endpoint/instant.h"
#include "tests/endpoint/service_error.h"
#include "tests/endpoint/status.h"

namespace jobs_endpoint {

/// The name and value pairs that a device reports, in order of name.
using StatusDetails = std::map<std::string, std::string>;

/// How often a failed execution is tried again, beyond the first try.
struct RetryLimits {
  int failed = 0;
  int timed_out = 0;
  /// For both kinds together; a criterion of the type ALL.
  int either = 0;
};

/// "Cancel the job when this share of its things has failed so" (AWS API model iot, AbortCriteria).
struct AbortCriterion {
  /// Nothing: ALL, any of failed, rejected and timed out.
  std::optional<ExecutionStatus> failure;
  double threshold_percentage = 100;
  int fewest_executed_things = 1;
};

/// What CreateJob was given, checked.
struct JobDefinition {
  std::string id;
  /// Byte for byte what `document` held.
  std::string document;
  /// ARNs of things, each one valid; shared, since a seeded fleet's jobs all have the same.
  std::shared_ptr<const std::vector<std::string>> targets;
  std::string description = {};
  bool continuous = false;
  std::optional<std::chrono::minutes> in_progress_timeout = std::nullopt;
  RetryLimits retries = {};
  std::vector<AbortCriterion> abort_criteria = {};
  /// Members that DescribeJob returns as they were given: the configurations.
  Json echoed = Json::object();
};

struct Job {
  JobDefinition definition;
  /// Grows with each job that is created.
  std::uint64_t order = 0;
  std::string arn;
  JobStatus status = JobStatus::in_progress;
  Instant created_at;
  Instant last_updated_at;
  std::optional<Instant> completed_at = std::nullopt;
  bool force_canceled = false;
  std::string reason_code = {};
  std::string comment = {};
  /// How many things are in each state, by their latest execution.
  std::array<int, execution_statuses> things_in = {};
};

/// One try of one job on one thing.
struct Execution {
  Job* job = nullptr;
  const std::string* thing = nullptr;
  ExecutionStatus status = ExecutionStatus::queued;
  std::int64_t number = 1;
  std::int64_t version = 1;
  /// Grows with each execution that is queued: tells the order within a microsecond, too.
  std::uint64_t order = 0;
  Instant queued_at;
  std::optional<Instant> started_at = std::nullopt;
  Instant last_updated_at;
  StatusDetails details = {};
  std::optional<Instant> in_progress_deadline = std::nullopt;
  std::optional<Instant> step_deadline = std::nullopt;
  bool force_canceled = false;
  /// How many tries before this one ended so.
  int failures = 0;
  int timeouts = 0;

  /// When it times out: the earlier of the two; nothing: never.
  [[nodiscard]] std::optional<Instant> deadline() const;
};

}  // namespace jobs_endpoint
