#pragma once

#include <string_view>

namespace jobs_bridge {

/// The operations of the Jobs API that a device can ask for.
enum class Operation {
  start_next,   ///< StartNextPendingJobExecution
  get_pending,  ///< GetPendingJobExecutions
  describe,     ///< DescribeJobExecution
  update,       ///< UpdateJobExecution
};

/// The name in logs and metrics, which is the verb of the request topic.
constexpr std::string_view to_string(Operation operation) {
  switch (operation) {
    case Operation::start_next:
      return "start-next";
    case Operation::get_pending:
      return "get";
    case Operation::describe:
      return "describe";
    case Operation::update:
      return "update";
  }
  return "unknown";
}

}  // namespace jobs_bridge
