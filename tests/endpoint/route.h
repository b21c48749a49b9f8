#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobs_endpoint {

enum class Operation {
  get_pending,
  start_next,
  describe_execution,
  update_execution,
  create_job,
  describe_job,
  cancel_job,
  delete_job,
  get_job_document,
  list_jobs,
  list_job_executions,
  assume_role,
  unknown,  // stays the last
};
inline constexpr std::size_t operations = static_cast<std::size_t>(Operation::unknown) + 1;

/// AWS's name of it, "StartNextPendingJobExecution"; "UnknownOperation" for any other value.
[[nodiscard]] std::string_view name_of(Operation operation);
/// The operation of that name; nothing if there is none.
[[nodiscard]] std::optional<Operation> operation_named(std::string_view name);

/// Whether it belongs to the data plane, AWS's `iot-jobs-data`, and not to the control plane, AWS's
/// `iot`, or to the credential provider. What is no operation is answered as the data plane does.
[[nodiscard]] bool is_data_plane(Operation operation);
/// Whether a call of the data plane has a body and counts as a write.
[[nodiscard]] bool is_write(Operation operation);

/// What a request line asks for. Names are percent-decoded and not yet checked; `thing` and `job`
/// are empty where the operation has none.
struct Route {
  Operation operation = Operation::unknown;
  std::string thing = {};
  std::string job = {};
  std::vector<std::pair<std::string, std::string>> query = {};

  /// The first value of a query parameter; nothing if it is not given.
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

/// The literal in the place of a job id that stands for the first pending job.
inline constexpr std::string_view next_job = "$next";

/// Never fails: what matches no operation is Operation::unknown.
[[nodiscard]] Route route_of(std::string_view method, std::string_view target);

/// Whether the target is one of the emulator's own, under `/_`.
[[nodiscard]] bool is_emulator_control(std::string_view target);

/// The path of a target, not decoded and without scheme and host, and its decoded query parameters.
struct Target {
  std::string_view path;
  std::vector<std::pair<std::string, std::string>> query;
};
[[nodiscard]] Target split_target(std::string_view target);

}  // namespace jobs_endpoint
