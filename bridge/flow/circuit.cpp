#include "bridge/flow/circuit.h"

#include <algorithm>
#include <chrono>

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// An endpoint where half of all calls fail has five failures in a row all the time, but successes
/// in between within a second.
constexpr int failures_to_open = 5;
constexpr Duration silence_to_open = 1s;
/// A probe costs one call.
constexpr Duration min_probe_pause = 250ms;
/// As a request's own, see Delivery.
constexpr Duration min_pause_of_thing = 100ms;
/// From so many calls in flight on there is no limit.
constexpr std::size_t recovered_window = 256;
/// Where there is so little to do, nothing is left that could come in a herd.
constexpr Duration max_recovery = 1min;
/// While recovering, a call that takes longer no longer counts as in flight.
constexpr Duration counts_in_flight_for = 1s;

}  // namespace

MonotonicTime Circuit::ready_at(MonotonicTime now, bool suspected) const {
  if (open_) {
    if (unsuspected_probe_ || (suspected && probe_)) return MonotonicTime::max();
    return suspected ? next_probe_ : next_unsuspected_probe_;
  }
  if (!is_recovering(now)) return MonotonicTime::min();
  const auto counts = [&](const auto& call) { return call.first > now - counts_in_flight_for; };
  const auto first = std::ranges::find_if(begun_, counts);
  if (static_cast<std::size_t>(begun_.end() - first) < window_) return MonotonicTime::min();
  const auto oldest = (begun_.end() - static_cast<std::ptrdiff_t>(window_))->first;
  return std::min(oldest + counts_in_flight_for, recovered_at_);
}

MonotonicTime Circuit::failing_alone_ready_at(MonotonicTime now, std::size_t most) const {
  // While open they are probes like any others.
  if (open_) return ready_at(now, true);
  if (begun_failing_alone_.size() >= most) return MonotonicTime::max();
  if (!is_recovering(now) || begun_failing_alone_.empty()) return MonotonicTime::min();
  return std::min(begun_failing_alone_.back().first + counts_in_flight_for, recovered_at_);
}

void Circuit::called(MonotonicTime now, RequestId call, std::string_view thing, bool fails_alone) {
  if (fails_alone) begun_failing_alone_.emplace_back(now, call);
  if (open_) {
    (is_suspected(thing) ? probe_ : unsuspected_probe_) = call;
  } else if (!fails_alone && is_recovering(now)) {
    begun_.emplace_back(now, call);
  }
}

void Circuit::ended(MonotonicTime now, RequestId call, std::string_view name,
                    const Outcome& outcome, Random& random) {
  const auto thing = name_hash(name);
  bool probe = false;
  for (auto* under_way : {&probe_, &unsuspected_probe_}) {
    if (*under_way != call) continue;
    under_way->reset();
    probe = true;
  }
  for (auto* begun : {&begun_, &begun_failing_alone_}) {
    std::erase_if(*begun, [&](const auto& one) { return one.second == call; });
  }
  switch (outcome.health) {
    case Health::healthy:
    case Health::throttling:
      succeeded(now, thing);
      break;
    case Health::failing:
      failed(now, probe, thing, outcome, random);
      break;
    case Health::unknown:
      break;
  }
}

void Circuit::succeeded(MonotonicTime now, std::uint64_t thing) {
  things_.succeeded(now, thing);
  last_success_ = now;
  failures_ = failures_for_all_ = 0;
  cause_.clear();
  if (open_) {
    open_ = false;
    things_.set_endpoint_down(false);
    probe_.reset();
    unsuspected_probe_.reset();
    back_off_ = {};
    begun_.clear();
    window_ = 1;
    recovered_at_ = now + max_recovery;
  }
  if (window_ > 0 && (++window_ > recovered_window || !is_recovering(now))) {
    window_ = 0;
    begun_.clear();
  }
}

void Circuit::failed(MonotonicTime now, bool probe, std::uint64_t thing, const Outcome& outcome,
                     Random& random) {
  cause_ = outcome.fault;
  if (outcome.fails_for_all || !things_.tells_nothing(thing)) ++failures_;
  if (outcome.fails_for_all) ++failures_for_all_;
  auto& failing = things_.failed(thing);
  failing.cause = outcome.fault;
  failing.pause = failing.back_off.next(min_pause_of_thing, max_pause, random);
  const bool news = failing.calls == 1 || outcome.fails_for_all;
  if (open_ && !probe) return;
  if (!open_) {
    const bool of_endpoint = failures_for_all_ >= failures_to_open || things_.endpoint_fails(now);
    if (failures_ < failures_to_open || !of_endpoint) return;
    if (now - last_success_ < silence_to_open) return;
    open_ = true;
    things_.set_endpoint_down(true);
    since_ = now;
    next_unsuspected_probe_ = now;
  }
  const auto asked = std::min(outcome.retry_after.value_or(Duration::zero()), max_pause);
  next_probe_ = now + std::max(asked, back_off_.next(min_probe_pause, max_pause, random));
  if (news) next_unsuspected_probe_ = next_probe_;
}

}  // namespace jobs_bridge
