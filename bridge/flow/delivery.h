#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "bridge/flow/back_off.h"
#include "bridge/flow/quota.h"
#include "bridge/flow/random.h"
#include "bridge/jobs/answer.h"
#include "bridge/jobs/http.h"
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
  /// An update that was taken over from before a restart: it may have been sent. `expired`: if it
  /// was not, it is not to be sent any more.
  static Delivery resumed(Request update, bool expired);

  [[nodiscard]] const Request& request() const { return request_; }

  /// The call to make next, and the quota that it takes from.
  [[nodiscard]] HttpRequest call() const;
  [[nodiscard]] QuotaKind quota() const;
  /// Whether that call asks what became of an update.
  [[nodiscard]] bool reconciling() const { return trouble_ && trouble_->reconciliation; }

  /// Another call is needed, after that pause.
  struct Again {
    Duration pause{};
  };
  /// Takes the outcome of the call. The answer for the device, or that there is none yet.
  std::variant<Answer, Again> ended(const HttpOutcome& outcome, Random& random);

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
  };
  using Step = std::variant<Answer, Again>;

  Trouble& trouble();
  Step described(const HttpOutcome& outcome, Random& random);
  Again later(Random& random);

  Request request_;
  std::unique_ptr<Trouble> trouble_;
};

}  // namespace jobs_bridge
