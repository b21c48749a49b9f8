#include "bridge/flow/delivery.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "bridge/flow/circuit.h"
#include "bridge/jobs/call.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

constexpr Duration min_retry_pause = 100ms;
/// A device waits for a reply for some seconds; an update is held for as long as it takes, and is
/// sent no later than a probe after an outage would be.
constexpr Duration max_pause_of_request = 2s;
constexpr Duration max_pause_of_update = Circuit::max_pause;
/// The longest pause that an endpoint can ask for.
constexpr Duration max_pause_asked = 15s;
/// Longer, since it ends only when somebody changes a policy.
constexpr Duration max_pause_of_denied = 1min;
constexpr int max_failures_answered = 4;

}  // namespace

Delivery Delivery::resumed(Request update, bool expired, std::optional<MonotonicTime> received) {
  Delivery delivery(std::move(update));
  if (received) delivery.sent_ = {.first = *received, .last = *received};
  auto& retry = delivery.retry_state();
  retry.reconciliation = Reconciliation::of_unknown(delivery.request_);
  retry.maybe_sent = true;
  retry.expired = expired;
  return delivery;
}

Delivery::RetryState& Delivery::retry_state() {
  if (!retry_) retry_ = std::make_unique<RetryState>();
  return *retry_;
}

HttpRequest Delivery::call() const {
  return build_call(reconciling() ? retry_->reconciliation->describe(request_) : request_);
}

void Delivery::called(MonotonicTime now, const RecentFailures::Before& before) {
  if (!must_be_delivered(request_.operation) || reconciling()) return;
  // If it was resumed without a time, it is unknown when it was first sent.
  const bool resumed = retry_ && retry_->maybe_sent;
  if (!sent_ && !resumed) sent_ = {.first = now, .last = now, .before = before};
  if (sent_) sent_->last = now;
}

std::optional<std::int64_t> Delivery::applied_to() const {
  return reconciling() ? retry_->reconciliation->applied_to() : std::nullopt;
}

Outcome Delivery::read(const HttpOutcome& outcome) const {
  if (!reconciling()) return read_outcome(request_, outcome);
  return read_outcome(retry_->reconciliation->describe(request_), outcome);
}

Operation Delivery::operation() const {
  return reconciling() ? Operation::describe : request_.operation;
}

Delivery::Step Delivery::ended(Outcome outcome, const Reconciliation::Evidence& evidence,
                               Random& random) {
  if (reconciling()) return described(outcome, evidence, random);
  auto* rejection = std::get_if<Rejection>(&outcome.answer);
  if (rejection == nullptr) return std::move(outcome.answer);

  const bool update = must_be_delivered(request_.operation);
  // A device can repeat a request once the gateway's credentials are in order; an update must not
  // be lost because of them.
  const bool passes =
      outcome.repeat == Repeat::may_help || (update && outcome.repeat == Repeat::helps_when_fixed);
  const bool sent_before = retry_ && retry_->maybe_sent;
  auto reconciliation = Reconciliation::of(request_, outcome, sent_before);
  if (!passes && !reconciliation) {
    if (sent_before && rejection->code == ErrorCode::internal_error) {
      rejection->message += "; it is not known whether the update was carried out";
      rejection->maybe_applied = true;
    }
    return std::move(outcome.answer);
  }

  auto& known = retry_state();
  known.failure = *rejection;
  ++known.failed_calls;
  if (reconciliation) {
    if (outcome.applied == Applied::maybe) known.maybe_sent = true;
    known.reconciliation = std::move(reconciliation);
    // The describe follows at once, unless the endpoint asked for a pause.
    return outcome.retry_after ? later(outcome, random) : Again{};
  }
  if (!update) {
    if (outcome.maybe_sent) ++known.failures_answered;
    if (known.failures_answered >= max_failures_answered) return std::move(outcome.answer);
  }
  return later(outcome, random);
}

Delivery::Step Delivery::described(const Outcome& outcome, Reconciliation::Evidence evidence,
                                   Random& random) {
  if (retry_->execution) evidence.execution = retry_->execution;
  auto step = retry_->reconciliation->described(request_, outcome, evidence);
  if (auto* answer = std::get_if<Answer>(&step)) return std::move(*answer);
  switch (std::get<Reconciliation::Next>(step)) {
    case Reconciliation::Next::describe:
      return Again{};
    case Reconciliation::Next::send_update:
      if (retry_->expired) {
        return Rejection{ErrorCode::request_throttled,
                         "the message expired before the gateway was restarted; the update was not "
                         "sent again"};
      }
      retry_->execution = retry_->reconciliation->latest_execution();
      retry_->reconciliation.reset();
      // An update whose calls never failed is sent at once: it may simply not have been sent yet.
      return retry_->failed_calls == 0 ? Again{} : later(outcome, random);
    case Reconciliation::Next::describe_later:
      break;
  }
  ++retry_->failed_calls;
  return later(outcome, random);
}

Delivery::Again Delivery::later(const Outcome& outcome, Random& random) {
  const auto longest = [&] {
    if (outcome.access_denied) return max_pause_of_denied;
    return must_be_delivered(request_.operation) ? max_pause_of_update : max_pause_of_request;
  }();
  const auto pause = retry_state().back_off.next(min_retry_pause, longest, random);
  const auto asked = std::min(outcome.retry_after.value_or(Duration::zero()), max_pause_asked);
  return {.pause = std::max(pause, asked), .asked = asked > pause};
}

std::optional<Rejection> Delivery::known_rejection() const {
  if (!reconciling() || !retry_->reconciliation->is_rejected()) return std::nullopt;
  return retry_->reconciliation->undecided();
}

std::optional<Rejection> Delivery::failure() const {
  if (!retry_) return std::nullopt;
  if (retry_->reconciliation) return retry_->reconciliation->undecided();
  return retry_->failure;
}

}  // namespace jobs_bridge
