#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace jobs_endpoint {

/// The states of a job execution (AWS API model iot-jobs-data, shape JobExecutionStatus).
///
///            +-------------------------------------------+
///            |                                           v
///   QUEUED --+--> IN_PROGRESS --> SUCCEEDED | FAILED | REJECTED     by the device
///     |                |  ^---- again, as often as the device likes
///     |                +--------> TIMED_OUT                          by a timer
///     +----------------+--------> CANCELED                           by CancelJob (with force)
///
/// QUEUED and IN_PROGRESS are pending, the others terminal: nothing leads out of them.
enum class ExecutionStatus {
  queued,
  in_progress,
  succeeded,
  failed,
  timed_out,
  rejected,
  removed,
  canceled,
};
inline constexpr std::size_t execution_statuses = 8;

[[nodiscard]] std::string_view name_of(ExecutionStatus status);
[[nodiscard]] std::optional<ExecutionStatus> execution_status_named(std::string_view name);
[[nodiscard]] bool is_terminal(ExecutionStatus status);

enum class JobStatus { in_progress, canceled, completed };
[[nodiscard]] std::string_view name_of(JobStatus status);

}  // namespace jobs_endpoint
