#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/jobs/answer.h"

/// The notifications of AWS IoT Jobs (AWS IoT developer guide, jobs-comm-notifications). The HTTP
/// API has none, so they are built from the answers to GetPendingJobExecutions and
/// DescribeJobExecution.
namespace jobs_bridge {

/// The pending executions of a thing. An execution is named by its job's id and its number, since a
/// job that is retried is another execution.
struct PendingExecutions {
  /// Those in progress first, in the order of the answer. If there are hundreds, the last name is a
  /// hash of the rest; a long name is shortened. Both still differ if what they stand for differs.
  std::vector<std::string> names;
  std::string in_progress;  ///< the summaries, JSON text without brackets, at most
  std::string queued;       ///< `max_in_notification` in both together
};

/// The maximum number of executions that a notification lists (AWS IoT, job limits).
inline constexpr std::size_t max_in_notification = 10;

/// Reads the answer to a get; nothing if it lacks what identifies an execution.
std::optional<PendingExecutions> read_pending(const Accepted& answer);

/// The execution at the head of the queue.
struct NextExecution {
  std::string name;       ///< empty: nothing is pending
  std::string execution;  ///< JSON text of the object
  bool has_document = false;
};

/// Reads the answer of a start-next, or of a describe of `$next`; nothing if it lacks what
/// identifies the execution.
std::optional<NextExecution> read_next(const Accepted& answer);

/// The payload of `notify`: which executions are pending now.
std::string notify_payload(const PendingExecutions& pending, std::int64_t unix_seconds);

/// The payload of `notify-next`: which execution is at the head now; without `execution` if none
/// is pending.
std::string notify_next_payload(const NextExecution& next, std::int64_t unix_seconds);

}  // namespace jobs_bridge
