#include "tests/endpoint/status.h"

#include <array>

namespace jobs_endpoint {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, execution_statuses> names = {
    "QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED", "REMOVED", "CANCELED"};

}  // namespace

std::string_view name_of(ExecutionStatus status) {
  return names[static_cast<std::size_t>(status)];
}

std::optional<ExecutionStatus> execution_status_named(std::string_view name) {
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (names[index] == name) return static_cast<ExecutionStatus>(index);
  }
  return std::nullopt;
}

bool is_terminal(ExecutionStatus status) {
  return status != ExecutionStatus::queued && status != ExecutionStatus::in_progress;
}

std::string_view name_of(JobStatus status) {
  switch (status) {
    case JobStatus::in_progress:
      return "IN_PROGRESS";
    case JobStatus::canceled:
      return "CANCELED";
    case JobStatus::completed:
      return "COMPLETED";
  }
  return "IN_PROGRESS";
}

}  // namespace jobs_endpoint
