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
/// A probe costs one call; the longest pause bounds how late the end of an outage is noticed.
constexpr Duration shortest_pause = 250ms;
constexpr Duration longest_pause = 5s;
/// From so many calls in flight on there is no limit.
constexpr std::size_t recovered_window = 256;

}  // namespace

bool Circuit::allows(MonotonicTime now, std::size_t in_flight) const {
  if (open_) return !probe_ && now >= next_probe_;
  return window_ == 0 || in_flight < window_;
}

MonotonicTime Circuit::next_probe() const {
  if (!open_) return MonotonicTime::min();
  return probe_ ? MonotonicTime::max() : next_probe_;
}

void Circuit::called(RequestId call) {
  if (open_) probe_ = call;
}

void Circuit::succeeded(MonotonicTime now) {
  last_success_ = now;
  failures_ = 0;
  cause_.clear();
  if (open_) {
    open_ = false;
    probe_.reset();
    back_off_ = {};
    window_ = 1;
  }
  if (window_ > 0 && ++window_ > recovered_window) window_ = 0;
}

void Circuit::failed(MonotonicTime now, RequestId call, const std::string& cause,
                     std::optional<Duration> retry_after, Random& random) {
  cause_ = cause;
  ++failures_;
  if (open_ && probe_ != call) return;
  if (!open_) {
    if (failures_ < failures_to_open || now - last_success_ < silence_to_open) return;
    open_ = true;
    since_ = now;
  }
  probe_.reset();
  const auto asked = std::min(retry_after.value_or(Duration::zero()), longest_pause);
  next_probe_ = now + std::max(asked, back_off_.next(shortest_pause, longest_pause, random));
}

}  // namespace jobs_bridge
