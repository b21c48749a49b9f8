#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/endpoint/job.h"

namespace jobs_endpoint {

/// What a device may ask for when it reports progress (UpdateJobExecution).
struct ExecutionUpdate {
  ExecutionStatus status;
  std::optional<StatusDetails> details = std::nullopt;
  std::optional<std::int64_t> expected_version = std::nullopt;
  std::optional<std::int64_t> execution_number = std::nullopt;
  /// -1 stops the step timer; nothing leaves it unchanged.
  std::optional<std::int64_t> step_timeout_minutes = std::nullopt;
};

struct CancelOptions {
  bool force = false;
  std::string reason_code = {};
  std::string comment = {};
};

/// Jobs, things and job executions, and the rules that move them: the state machine of AWS IoT
/// Jobs, in memory. It reads no clock: every call says what time it is, and times never go back.
///
/// Timers need no help: a call first lets everything expire whose deadline has passed, in the order
/// of the deadlines and stamped with them, so that a late timer cannot be observed.
///
/// Pointers that it hands out stay valid until the next call. One thread at a time. Functions that
/// are said to throw throw ServiceError, and then have changed nothing.
class Store {
 public:
  /// `time_scale` divides every timeout: with 60 a minute's timer fires after a second.
  explicit Store(double time_scale = 1);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Queues an execution for every thing. Throws if the id is taken.
  const Job& create_job(JobDefinition definition, Instant now);
  /// Throws if there is no such job.
  const Job& find_job(std::string_view id, Instant now);
  /// All of them, in the order in which they were created.
  std::vector<const Job*> jobs(Instant now);
  /// The latest execution of each of the job's things, in the order in which the things were given.
  /// Throws if there is no such job.
  std::vector<const Execution*> executions_of_job(std::string_view id, Instant now);
  /// Cancels what is queued, and with `force` also what is in progress. Throws if there is no such
  /// job, or it has completed.
  const Job& cancel_job(std::string_view id, const CancelOptions& options, Instant now);
  /// Forgets the job and its executions. Throws if there is no such job, or it is in progress and
  /// `force` is not set.
  void delete_job(std::string_view id, bool force, Instant now);

  /// Whether any job was ever created for that thing.
  [[nodiscard]] bool knows_thing(std::string_view thing) const;

  /// What is in progress, then what is queued, each in the order of queueing; at most `limit`.
  std::vector<const Execution*> pending(std::string_view thing, std::size_t limit, Instant now);
  /// The first that is pending, put in progress if it was queued (only then do `details` and the
  /// step timer apply); null: nothing is pending.
  const Execution* start_next(std::string_view thing, const std::optional<StatusDetails>& details,
                              std::optional<std::int64_t> step_timeout_minutes, Instant now);
  /// The first that is pending; null: nothing is.
  const Execution* next(std::string_view thing, Instant now);
  /// The execution of that number, or the latest. Throws if there is none.
  const Execution& find_execution(std::string_view thing, std::string_view job,
                                  std::optional<std::int64_t> number, Instant now);
  /// Throws if there is no such execution, its version is another than expected, it is in a
  /// terminal state, or a device may not set that status.
  const Execution& update(std::string_view thing, std::string_view job,
                          const ExecutionUpdate& update, Instant now);

  /// Seconds until the execution times out, as the device should see them: not scaled.
  [[nodiscard]] std::optional<std::int64_t> seconds_left(const Execution& execution,
                                                         Instant now) const;

 private:
  struct Thing;
  struct JobEntry;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  template <typename T>
  using ByName = std::unordered_map<std::string, std::unique_ptr<T>, TextHash, std::equal_to<>>;

  JobEntry& job_named(std::string_view id);
  Thing* thing_named(std::string_view name);
  Thing& thing_made(const std::string& name);
  Execution& execution_of(std::string_view thing, std::string_view job,
                          std::optional<std::int64_t> number);
  static Execution* head(Thing& thing);
  Execution& enqueue(Job& job, Thing& thing, Instant now);
  /// Into a state, the same one or another: version, stamps, timers, pending lists and counts.
  void move(Execution& execution, ExecutionStatus to, Instant now);
  void set_step_timer(Execution& execution, std::optional<std::int64_t> minutes, Instant now);
  void reschedule(Execution& execution, const std::optional<Instant>& before);
  void forget(Execution& execution);
  void expire(Instant now);
  /// What an execution's end leads to: a retry, the job's abort, the job's completion.
  void follow_up(Execution& ended, Instant now);
  void abort_if_failing(JobEntry& job, Instant now);
  void cancel_executions(JobEntry& job, bool also_in_progress, Instant now);
  [[nodiscard]] Instant after(Instant start, std::int64_t minutes) const;

  const double time_scale_;
  std::uint64_t created_ever_ = 0;
  std::uint64_t queued_ever_ = 0;
  ByName<JobEntry> jobs_;
  ByName<Thing> things_;
  /// By time, then by order of queueing.
  std::map<std::pair<Instant, std::uint64_t>, Execution*> deadlines_;
};

}  // namespace jobs_endpoint
