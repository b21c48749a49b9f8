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
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/reconciliation.h"
#include "bridge/jobs/request.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// The way of one request to its answer, through as many calls as it takes: what is sent next, and
/// what an outcome means.
///
/// Repeated is only what does no harm: reads and start-nexts always (an execution in progress is
/// handed out again), at most four times if the endpoint answered with a failure; an update if it
/// provably was not carried out, or if a describe shows that it was not, for as long as the caller
/// likes. What another call cannot change is not repeated. Not thread-safe.
class Delivery {
 public:
  explicit Delivery(Request request) : request_(std::move(request)) {}
  /// An update that was taken over from before a restart: it may have been sent, not before
  /// `received`, which is not known if clocks were off. `expired`: if it was not, it is not to be
  /// sent any more.
  static Delivery resumed(Request update, bool expired, std::optional<MonotonicTime> received);

  [[nodiscard]] const Request& request() const { return request_; }

  /// The call to make next, and the quota that it takes from.
  [[nodiscard]] HttpRequest call() const;
  /// It is made. `before`: of an update to FAILED.
  void called(MonotonicTime now, const RecentFailures::Before& before);
  [[nodiscard]] QuotaKind quota() const;
  /// Whether that call asks what became of an update.
  [[nodiscard]] bool reconciling() const { return trouble_ && trouble_->reconciliation; }

  /// Another call is needed, after that pause.
  struct Again {
    Duration pause{};
    /// The endpoint asked for a pause, so that a shorter one is likely to be in vain.
    bool asked = false;
  };
  /// What the outcome of the call means.
  [[nodiscard]] Outcome read(const HttpOutcome& outcome) const;
  /// Takes it. The answer for the device, or that there is none yet. `evidence`: what the caller
  /// knows, needed while reconciling().
  std::variant<Answer, Again> ended(Outcome outcome, const Reconciliation::Evidence& evidence,
                                    Random& random);
  struct Sent {
    MonotonicTime first;  ///< or later
    MonotonicTime last;
    RecentFailures::Before before = {};  ///< the first time
  };
  /// When an update was sent; nothing: not yet, or nobody knows.
  [[nodiscard]] const std::optional<Sent>& sent() const { return sent_; }
  /// The execution that an update was found to be carried out on; nothing: that was not asked.
  [[nodiscard]] std::optional<std::int64_t> applied_to() const;

  /// Of one that was resumed: it is not to be sent, only to be asked for.
  [[nodiscard]] bool expired() const { return trouble_ && trouble_->expired; }
  /// The refusal of an update that is certain and only lacks the execution's state.
  [[nodiscard]] std::optional<Rejection> known_refusal() const;
  /// What the last call failed with; nothing if none did.
  [[nodiscard]] std::optional<Rejection> failure() const;

 private:
  /// What most requests never need.
  struct Trouble {
    std::optional<Reconciliation> reconciliation;
    std::optional<Rejection> failure;
    BackOff back_off;
    int failed_calls = 0;
    int failures_answered = 0;  ///< of those, the ones that may have reached the endpoint
    bool expired = false;       ///< not to be sent, only to be asked for
    bool maybe_sent = false;    ///< an update that may have been carried out by a call before
    /// The execution that the update is for, as a look has shown.
    std::optional<std::int64_t> execution;
  };
  using Step = std::variant<Answer, Again>;

  Trouble& trouble();
  Step described(const Outcome& outcome, Reconciliation::Evidence evidence, Random& random);
  /// At least as long as the endpoint asks for, if it is not more than an update waits.
  Again later(const Outcome& outcome, Random& random);

  Request request_;
  std::optional<Sent> sent_;
  std::unique_ptr<Trouble> trouble_;
};

}  // namespace jobs_bridge
