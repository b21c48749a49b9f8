#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobs_bridge {

/// The operations of the Jobs API that a device can ask for, numbered from 0 without gaps.
enum class Operation {
  start_next,   ///< StartNextPendingJobExecution
  get_pending,  ///< GetPendingJobExecutions
  describe,     ///< DescribeJobExecution
  update,       ///< UpdateJobExecution
};

/// The two quotas that AWS IoT counts calls of the Jobs data plane in.
enum class QuotaKind : std::uint8_t { reads, writes };

/// Whether a request topic names a job, in the level below the base.
enum class NamedJob : std::uint8_t { none, by_id, by_id_or_next };

/// Everything that differs between operations, except the members of their payloads and answers.
struct OperationFacts {
  std::string_view name;  ///< in logs, metrics and the status
  NamedJob job = NamedJob::none;
  std::string_view verb;  ///< the end of the request topic, behind the base and the job
  QuotaKind quota = QuotaKind::reads;
  /// The operation's name in the API; behind "iotjobsdata:", the action that a policy allows.
  std::string_view api;
  /// Whether its effect must not be lost when its device has stopped waiting: it is recorded in the
  /// journal, held through an outage, and not repeated before it is known whether it was applied.
  bool must_be_delivered = false;
};

/// The one table of operations: topics, quotas, metrics and the status page follow it.
constexpr OperationFacts facts_of(Operation operation) {
  switch (operation) {
    case Operation::start_next:
      return {"start-next", NamedJob::none, "start-next", QuotaKind::writes,
              "StartNextPendingJobExecution"};
    case Operation::get_pending:
      return {"get", NamedJob::none, "get", QuotaKind::reads, "GetPendingJobExecutions"};
    case Operation::describe:
      return {"describe", NamedJob::by_id_or_next, "get", QuotaKind::reads, "DescribeJobExecution"};
    case Operation::update:
      return {"update", NamedJob::by_id, "update", QuotaKind::writes, "UpdateJobExecution", true};
  }
  return {};
}

constexpr std::string_view to_string(Operation operation) {
  return facts_of(operation).name;
}

constexpr bool must_be_delivered(Operation operation) {
  return facts_of(operation).must_be_delivered;
}

/// What an IAM or AWS IoT policy has to allow for the operation.
inline std::string policy_action(Operation operation) {
  return "iotjobsdata:" + std::string(facts_of(operation).api);
}

/// The number of operations: a value that is not an operation has no name.
inline constexpr std::size_t operation_count = [] {
  std::size_t count = 0;
  while (!to_string(static_cast<Operation>(count)).empty()) ++count;
  return count;
}();

/// All of them, in the order of their numbers.
inline constexpr auto every_operation = [] {
  std::array<Operation, operation_count> all{};
  for (std::size_t number = 0; number < all.size(); ++number) {
    all.at(number) = static_cast<Operation>(number);
  }
  return all;
}();

/// The index of an operation in a list that has one entry for each.
constexpr std::size_t index_of(Operation operation) {
  return static_cast<std::size_t>(operation);
}

}  // namespace jobs_bridge
