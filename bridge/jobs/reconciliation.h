#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "bridge/jobs/answer.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/request.h"

namespace jobs_bridge {

/// Finds out, by describing the execution, what an update's own answer leaves open:
///
/// - A rejection for the execution's state or version: the reply carries `executionState`, which
/// the
///   HTTP API's error does not have, and it tells the two codes apart, for which the HTTP API has
///   one exception.
/// - An update that may have been carried out although no proper answer came (the connection broke,
///   5xx, nonsense). If the execution is in the state that the update asked for, the device gets
///   `accepted`; if not, the update is to be sent again.
///
/// An update to FAILED is harder to verify: if the job retries failed executions, the service
/// queues another execution, and that is what a describe without a number shows. So execution N +
/// 1, queued, may stand for a failure of N by this very update, or the update was for N + 1 and has
/// not arrived. The two are distinguished by the following, in this order:
///
/// - the update names its execution: that one is described;
/// - an earlier describe has shown which execution the update is for;
/// - N + 1 was queued before the update was first sent: then its failure is not what queued it;
/// - N has not failed with the update's details, or not from the version that it expected;
/// - the failures of this job that were accepted just before the update was first sent: if those
///   account for every recent failure, this update has not failed any execution.
///
/// The case is undecidable within the three seconds of uncertainty of time stamps in whole seconds,
/// if the previous failure did not pass through this bridge or the bridge has been killed since, or
/// if there is no Date header to compare with. Then N counts as failed by this update, since a lost
/// answer is by far the likelier case, and sending the update again would end an execution that no
/// device has begun.
///
/// A describe changes nothing, so it may be sent whether or not the update was carried out. Usage:
/// send describe(), pass the outcome to described(), and do what it says. Not thread-safe.
class Reconciliation {
 public:
  /// The reconciliation that the outcome of an update needs, if it needs one. `sent_before`: an
  /// earlier call for this update may have been carried out too, so that a rejection may be the
  /// consequence of our own retry.
  static std::optional<Reconciliation> of(const Request& update, const Outcome& outcome,
                                          bool sent_before);
  /// For an update of which it is no longer known whether it was sent.
  static Reconciliation of_unknown(const Request& update);

  /// The describe to send next.
  [[nodiscard]] Request describe(const Request& update) const;

  enum class Next {
    describe,        ///< at once
    describe_later,  ///< it failed, with an error that may be corrected
    send_update,     ///< it has had no effect; nothing else is left to settle
  };
  /// What else is known about an update to FAILED.
  struct Evidence {
    /// When it was first sent, at the earliest, by the endpoint's clock: seconds since 1970.
    std::optional<double> first_sent = {};
    /// How many failures of the same job the endpoint accepted in the seconds before that, and how
    /// many seconds these are.
    std::size_t failures_before = 0;
    double seconds_before = 0;
    /// The execution that it is for, if an earlier describe has shown it.
    std::optional<std::int64_t> execution = {};
  };
  /// Takes the describe's outcome.
  std::variant<Answer, Next> described(const Request& update, const Outcome& outcome,
                                       const Evidence& evidence);
  /// With send_update: the execution that the update will apply to; nothing if the endpoint does
  /// not tell.
  [[nodiscard]] std::optional<std::int64_t> latest_execution() const { return latest_; }
  /// With an accepted answer: the execution that the update was carried out on, if the endpoint
  /// says.
  [[nodiscard]] std::optional<std::int64_t> applied_to() const { return applied_to_; }

  /// Whether the endpoint has rejected the update, and only the state is asked for.
  [[nodiscard]] bool is_rejected() const { return !may_be_applied_; }
  /// The rejection if the time is up before the question is decided.
  [[nodiscard]] Rejection undecided() const;

 private:
  enum class Question { execution_state, applied };
  struct Execution;
  using Step = std::variant<Answer, Next>;

  Reconciliation(Question question, bool may_be_applied, Rejection rejection,
                 std::optional<std::int64_t> number)
      : question_(question),
        may_be_applied_(may_be_applied),
        rejection_(std::move(rejection)),
        execution_number_(number) {}

  /// `again`: whether another describe may show more.
  [[nodiscard]] Step without_description(const Request& update, const Rejection& rejection,
                                         bool again);
  static bool is_as_wanted(const Request& update, const Execution& execution);
  static Accepted accepted(const Request& update, const Execution& execution);
  [[nodiscard]] Rejection ended_otherwise(const Execution& execution) const;
  [[nodiscard]] Answer with_state(const Request& update, const Execution& execution) const;
  Step judge(const Request& update, const Execution& execution, const Evidence& evidence);
  /// The latest execution is queued and not the first: it remains to be checked whether this update
  /// failed the one before.
  [[nodiscard]] bool may_have_failed_before(const Request& update, const Execution& latest,
                                            const Evidence& evidence) const;
  Step judge_before(const Request& update, const Execution& before, const Evidence& evidence);

  Question question_;
  bool may_be_applied_;
  Rejection rejection_;
  std::optional<std::int64_t> execution_number_;  ///< of the execution to describe; none: latest
  std::optional<std::int64_t> latest_;            ///< the number of the latest execution
  std::optional<std::int64_t> applied_to_;
  /// What the device is told if a further execution turns out to have failed lately.
  std::optional<Accepted> accepted_;
  int failed_describes_ = 0;
  std::string last_failure_;  ///< of a describe, for the operator
};

}  // namespace jobs_bridge
