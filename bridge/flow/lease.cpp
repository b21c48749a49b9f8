#include "bridge/flow/lease.h"

#include <algorithm>

namespace jobs_bridge {

Lease::Lease(Duration length, bool standby)
    : length_(length), standby_(standby), wants_primary_(!standby), quiet_needed_(length / 2) {}

bool Lease::has_waited(MonotonicTime now) const {
  return waited_ || (connected_ && now - *connected_ >= length_);
}

void Lease::connected(MonotonicTime now) {
  waited_ = has_waited(now) && is_recent(now, proven_);
  connected_ = now;
  wants_primary_ = true;
}

void Lease::disconnected(MonotonicTime now) {
  waited_ = has_waited(now);
  connected_.reset();
  if (!standby_) return;
  // Not every broker says that another client has connected with our client id, but that client
  // sends a canary as soon as it has.
  wants_primary_ = false;
  if (!quiet_since_) return;
  quiet_since_ = now;
  quiet_needed_ = length_ / 10;
}

void Lease::canary_returned(MonotonicTime sent) {
  if (connected_) proven_ = std::max(proven_.value_or(sent), sent);
}

void Lease::standby_canary_returned(MonotonicTime now, MonotonicTime sent) {
  if (!quiet_since_) quiet_since_ = now;
  if (standby_ && sent - *quiet_since_ >= quiet_needed_) wants_primary_ = true;
}

void Lease::standby_link_ended() {
  quiet_since_.reset();
  quiet_needed_ = length_ / 2;
}

void Lease::other_canary_arrived(MonotonicTime now) {
  if (quiet_since_) quiet_since_ = now;
  if (!standby_ || connected_) return;  // it is our own
  wants_primary_ = false;
  quiet_needed_ = length_ / 2;
}

Lease::State Lease::state(MonotonicTime now) const {
  if (!wants_primary_) return State::standby;
  if (!has_waited(now)) return connected_ ? State::waiting : State::connecting;
  return is_recent(now, proven_) ? State::active : State::unproven;
}

MonotonicTime Lease::due(MonotonicTime now) const {
  if (!connected_ || has_waited(now)) return MonotonicTime::max();
  return *connected_ + length_;
}

std::string_view to_string(Lease::State state) {
  switch (state) {
    case Lease::State::standby:
      return "standby";
    case Lease::State::connecting:
      return "connecting";
    case Lease::State::waiting:
      return "waiting";
    case Lease::State::active:
      return "active";
    case Lease::State::unproven:
      break;
  }
  return "unproven";
}

}  // namespace jobs_bridge
