#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "bridge/flow/back_off.h"
#include "bridge/flow/quota.h"
#include "bridge/flow/random.h"
#include "bridge/flow/recent_failures.h"
#include "bridge/jobs/answer.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/reconciliation.h"
#include "bridge/jobs/request.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// The way of one request to its answer, through as many calls as it takes: what is sent next, and
/// what an outcome means.
///
/// Only calls that are safe to repeat are repeated: reads and start-nexts always (an execution in
/// progress is returned again), but at most four times if the endpoint answered with a failure; an
/// update if it provably was not carried out, or if a describe shows that it was not, for as long
/// as the caller likes. A call is not repeated if that cannot change its outcome. Not thread-safe.
class Delivery {
 public:
  explicit Delivery(Request request) : request_(std::move(request)) {}
  /// An update restored after a restart. It may already have been sent, but not before `received`,
  /// which is absent if the clock was not reliable. `expired`: if it has not been sent yet, it must
  /// not be sent any more.
  static Delivery resumed(Request update, bool expired, std::optional<MonotonicTime> received);

  [[nodiscard]] const Request& request() const { return request_; }

  /// The call to make next; operation() and quota() tell what it is and which quota it counts
  /// against.
  [[nodiscard]] HttpRequest call() const;
  /// The call is being made. `before`: for an update to FAILED.
  void called(MonotonicTime now, const RecentFailures::Before& before);
  [[nodiscard]] Operation operation() const;
  [[nodiscard]] QuotaKind quota() const { return facts_of(operation()).quota; }
  /// Whether the next call finds out whether an update was carried out.
  [[nodiscard]] bool reconciling() const { return retry_ && retry_->reconciliation; }

  /// Another call is needed, after this pause.
  struct Again {
    Duration pause{};
    /// The endpoint asked for the pause, so that retrying earlier would probably fail.
    bool asked = false;
  };
  /// What the outcome of the call means.
  [[nodiscard]] Outcome read(const HttpOutcome& outcome) const;
  /// Processes an outcome. Returns the answer for the device, or that another call is needed.
  /// `evidence`: what the caller knows; needed while reconciling().
  std::variant<Answer, Again> ended(Outcome outcome, const Reconciliation::Evidence& evidence,
                                    Random& random);
  struct Sent {
    MonotonicTime first;  ///< or later
    MonotonicTime last;
    RecentFailures::Before before = {};  ///< the first time
  };
  /// When an update was sent; nothing if it was not sent yet, or if that is unknown.
  [[nodiscard]] const std::optional<Sent>& sent() const { return sent_; }
  /// The execution on which an update was found to have been carried out; nothing if that was not
  /// looked up.
  [[nodiscard]] std::optional<std::int64_t> applied_to() const;

  /// Whether this is a resumed update that must not be sent any more, only described.
  [[nodiscard]] bool expired() const { return retry_ && retry_->expired; }
  /// The rejection of an update when it is certain and only the execution's state is missing.
  [[nodiscard]] std::optional<Rejection> known_rejection() const;
  /// What the last call failed with; nothing if none did.
  [[nodiscard]] std::optional<Rejection> failure() const;
  /// Whether an update may have been carried out by an earlier call.
  [[nodiscard]] bool maybe_applied() const { return retry_ && retry_->maybe_sent; }

 private:
  /// State that most requests never need, allocated on demand.
  struct RetryState {
    std::optional<Reconciliation> reconciliation;
    std::optional<Rejection> failure;
    BackOff back_off;
    int failed_calls = 0;
    int failures_answered = 0;  ///< of those, the ones that may have reached the endpoint
    bool expired = false;       ///< not to be sent any more, only described
    bool maybe_sent = false;    ///< an update that an earlier call may have carried out
    /// The execution that the update is for, as a describe has shown.
    std::optional<std::int64_t> execution;
  };
  using Step = std::variant<Answer, Again>;

  RetryState& retry_state();
  Step described(const Outcome& outcome, Reconciliation::Evidence evidence, Random& random);
  /// The pause is at least as long as the endpoint asks for, unless that exceeds what an update may
  /// wait.
  Again later(const Outcome& outcome, Random& random);

  Request request_;
  std::optional<Sent> sent_;
  std::unique_ptr<RetryState> retry_;
};

}  // namespace jobs_bridge
