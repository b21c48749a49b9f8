#include "bridge/flow/delivery.h"

#include <chrono>
#include <utility>

#include "bridge/jobs/call.h"
#include "bridge/jobs/endpoint_error.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

constexpr Duration shortest_pause = 100ms;
/// A device waits for a reply for some seconds; an update is held for as long as it takes.
constexpr Duration longest_pause_of_request = 2s;
constexpr Duration longest_pause_of_update = 15s;
constexpr int most_failures_answered = 4;

bool maybe_reached_endpoint(const HttpOutcome& outcome) {
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  return failure == nullptr || failure->maybe_sent;
}

}  // namespace

Delivery Delivery::resumed(Request update, bool expired) {
  Delivery delivery(std::move(update));
  auto& trouble = delivery.trouble();
  trouble.reconciliation = Reconciliation::of_unknown(delivery.request_);
  trouble.maybe_sent = true;
  trouble.expired = expired;
  return delivery;
}

Delivery::Trouble& Delivery::trouble() {
  if (!trouble_) trouble_ = std::make_unique<Trouble>();
  return *trouble_;
}

HttpRequest Delivery::call() const {
  return reconciling() ? trouble_->reconciliation->call(request_) : build_call(request_);
}

QuotaKind Delivery::quota() const {
  return reconciling() ? QuotaKind::reads : facts_of(request_.operation).quota;
}

Delivery::Step Delivery::ended(const HttpOutcome& outcome, Random& random) {
  if (reconciling()) return described(outcome, random);
  auto answer = read_answer(request_, outcome);
  auto* rejection = std::get_if<Rejection>(&answer);
  if (rejection == nullptr) return answer;

  const bool update = request_.operation == Operation::update;
  // A device can ask again when the gateway's credentials are in order; an update must not be lost
  // for them.
  const bool passes = may_pass(outcome, *rejection) || (update && refuses_credentials(outcome));
  const bool sent_before = trouble_ && trouble_->maybe_sent;
  auto reconciliation = Reconciliation::of(request_, outcome, *rejection, sent_before);
  if (!passes && !reconciliation) {
    if (sent_before && rejection->code == ErrorCode::internal_error) {
      rejection->message += "; whether the update was carried out is not known";
    }
    return answer;
  }

  auto& known = trouble();
  known.failure = *rejection;
  ++known.failed_calls;
  if (reconciliation) {
    if (rejection->code == ErrorCode::internal_error) known.maybe_sent = true;
    known.reconciliation = std::move(reconciliation);
    return Again{};
  }
  if (!update) {
    if (maybe_reached_endpoint(outcome)) ++known.failures_answered;
    if (known.failures_answered >= most_failures_answered) return answer;
  }
  return later(random);
}

Delivery::Step Delivery::described(const HttpOutcome& outcome, Random& random) {
  auto step = trouble_->reconciliation->described(request_, outcome);
  if (auto* answer = std::get_if<Answer>(&step)) return std::move(*answer);
  switch (std::get<Reconciliation::Next>(step)) {
    case Reconciliation::Next::describe:
      return Again{};
    case Reconciliation::Next::send_update:
      if (trouble_->expired) {
        return Rejection{ErrorCode::request_throttled,
                         "the message expired before the gateway was restarted; the update was not "
                         "sent again"};
      }
      trouble_->reconciliation.reset();
      // One that was never seen to fail goes at once: it may just not have been sent.
      return trouble_->failed_calls == 0 ? Again{} : later(random);
    case Reconciliation::Next::describe_later:
      break;
  }
  ++trouble_->failed_calls;
  return later(random);
}

Delivery::Again Delivery::later(Random& random) {
  const auto longest =
      request_.operation == Operation::update ? longest_pause_of_update : longest_pause_of_request;
  return {.pause = trouble().back_off.next(shortest_pause, longest, random)};
}

std::optional<Rejection> Delivery::known_refusal() const {
  if (!reconciling() || !trouble_->reconciliation->is_refused()) return std::nullopt;
  return trouble_->reconciliation->undecided();
}

std::optional<Rejection> Delivery::failure() const {
  if (!trouble_) return std::nullopt;
  if (trouble_->reconciliation) return trouble_->reconciliation->undecided();
  return trouble_->failure;
}

}  // namespace jobs_bridge
