#include "bridge/flow/driver.h"

#include <algorithm>
#include <utility>

namespace jobs_bridge {

Driver::Driver(Engine engine, std::size_t connections, std::optional<Lease> lease)
    : engine_(std::move(engine)), lease_(lease), calls_(connections) {
  // The connection used last is used first again, so that the number of connections in use follows
  // the calls in flight. Connections that were never used are at the bottom of the stack.
  free_.reserve(connections);
  for (auto connection = connections; connection > 0; --connection) free_.push_back(connection - 1);
}

void Driver::received(Now now, Message message, Orders& orders) {
  engine_.received(now, std::move(message), orders.effects);
  note_publications(orders);
}

void Driver::recorded(Now now, Orders& orders) {
  engine_.recorded(now, orders.effects);
  note_publications(orders);
}

void Driver::not_recorded(Now now, const std::string& cause, Orders& orders) {
  engine_.not_recorded(now, cause, orders.effects);
  note_publications(orders);
}

void Driver::begin_calls(Now now, Orders& orders) {
  order_calls(now, orders);
  conclude(now, orders);
}

void Driver::defer_calls(Now now, Orders& orders) {
  may_have_call_ = may_have_call_ || engine_.has_call(now);
  conclude(now, orders);
}

void Driver::timer_fired(Now now, Orders& orders) {
  if (!drained_) engine_.tick(now, orders.effects);
  order_calls(now, orders);
  note_publications(orders);
  note_lease(now, orders);
  orders.send = std::exchange(unsent_, false);
  drain_reported_ = drained_.has_value();
  due_ = next_due(now.monotonic);
  orders.wake_at = due_;
}

Health Driver::call_ended(Now now, std::size_t connection, const HttpOutcome& outcome,
                          Orders& orders) {
  const auto health =
      engine_.call_ended(now, std::exchange(calls_[connection], 0), outcome, orders.effects);
  free_.push_back(connection);
  order_calls(now, orders);
  conclude(now, orders);
  return health;
}

void Driver::cannot_make_call(Now now, std::size_t connection, const std::string& cause,
                              Orders& orders) {
  const HttpFailure failure{
      .kind = HttpFailure::Kind::connect, .maybe_sent = false, .detail = cause};
  engine_.call_ended(now, std::exchange(calls_[connection], 0), failure, orders.effects);
  free_.insert(free_.begin(), connection);
  defer_calls(now, orders);
}

void Driver::reply_ended(std::uint64_t number, Orders& orders) {
  engine_.reply_ended(number, orders.effects);
}

void Driver::lease_event(Now now, const std::function<void(Lease&)>& event, Orders& orders) {
  if (!lease_) return;
  const bool wanted = lease_->wants_primary();
  event(*lease_);
  if (lease_->wants_primary() != wanted) orders.be_primary = !wanted;
  defer_calls(now, orders);
}

void Driver::note_lease(Now now, Orders& orders) {
  if (!lease_) return;
  const auto state = lease_->state(now.monotonic);
  if (state == lease_state_) return;
  lease_state_ = state;
  orders.lease = state;
}

void Driver::limits_changed(Now now, const EngineSettings& settings, Orders& orders) {
  engine_.change_limits(now, settings);
  defer_calls(now, orders);
}

void Driver::drain(Now now, Duration timeout, Orders& orders) {
  if (draining()) return;
  drain_until_ = now.monotonic + timeout;
  engine_.reject_new_requests();
  conclude(now, orders);
}

void Driver::order_calls(Now now, Orders& orders) {
  end_drain_if_due(now, orders);  // first: no call may be ordered for a request that is given up
  const bool may_call = !lease_ || lease_->may_call(now.monotonic);
  while (may_call && !drained_ && !free_.empty()) {
    auto call = engine_.next_call(now, orders.effects);
    if (!call) break;
    if (lease_)
      call->deadline = std::min(call->deadline, now.monotonic + lease_->max_call_duration());
    const auto connection = free_.back();
    free_.pop_back();
    calls_[connection] = call->id;
    orders.calls.push_back({.connection = connection, .call = *std::move(call)});
  }
  // Either there is no call, or it waits for a connection or the lease: the event that changes that
  // asks again.
  may_have_call_ = false;
}

void Driver::end_drain_if_due(Now now, Orders& orders) {
  if (!draining() || drained_) return;
  if (!engine_.is_idle() && now.monotonic < *drain_until_) return;
  const auto finished = orders.effects.finished.size();
  Drained drained;
  drained.left_to_journal = engine_.reject_remaining(now, orders.effects);
  drained.rejected = orders.effects.finished.size() - finished;
  drained_ = drained;
}

void Driver::note_publications(const Orders& orders) {
  unsent_ = unsent_ || !orders.effects.publications.empty();
}

void Driver::conclude(Now now, Orders& orders) {
  end_drain_if_due(now, orders);
  note_publications(orders);
  note_lease(now, orders);
  const auto next = next_due(now.monotonic);
  if (next >= due_) return;
  due_ = next;
  orders.wake_at = next;
}

MonotonicTime Driver::next_due(MonotonicTime now) const {
  if (unsent_) return now;
  if (drained_) return drain_reported_ ? MonotonicTime::max() : now;
  if (may_have_call_ && !free_.empty()) return now;
  auto next = engine_.next_tick(now);
  if (lease_) next = std::min(next, lease_->due(now));
  return draining() ? std::min(next, *drain_until_) : next;
}

}  // namespace jobs_bridge
