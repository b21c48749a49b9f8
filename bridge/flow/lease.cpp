#include "bridge/flow/lease.h"

#include <algorithm>

namespace jobs_bridge {

Lease::Lease(Duration length, bool standby)
    : length_(length), standby_(standby), wants_place_(!standby), patience_(length / 2) {}

bool Lease::holds(MonotonicTime now) const {
  return held_ || (connected_ && now - *connected_ >= length_);
}

void Lease::connected(MonotonicTime now) {
  held_ = holds(now) && is_recent(now, proven_);
  connected_ = now;
  wants_place_ = true;
}

void Lease::disconnected(MonotonicTime now) {
  held_ = holds(now);
  connected_.reset();
  if (!standby_) return;
  // Not every broker says that another has taken the place, but that one speaks as soon as it has.
  wants_place_ = false;
  if (!quiet_since_) return;
  quiet_since_ = now;
  patience_ = length_ / 10;
}

void Lease::came_back(MonotonicTime sent) {
  if (connected_) proven_ = std::max(proven_.value_or(sent), sent);
}

void Lease::watch_came_back(MonotonicTime now, MonotonicTime sent) {
  if (!quiet_since_) quiet_since_ = now;
  if (standby_ && sent - *quiet_since_ >= patience_) wants_place_ = true;
}

void Lease::watch_ended() {
  quiet_since_.reset();
  patience_ = length_ / 2;
}

void Lease::heard(MonotonicTime now) {
  if (quiet_since_) quiet_since_ = now;
  if (!standby_ || connected_) return;  // it is our own
  wants_place_ = false;
  patience_ = length_ / 2;
}

Lease::State Lease::state(MonotonicTime now) const {
  if (!wants_place_) return State::standby;
  if (!holds(now)) return connected_ ? State::waiting : State::connecting;
  return is_recent(now, proven_) ? State::active : State::unproven;
}

MonotonicTime Lease::due(MonotonicTime now) const {
  if (!connected_ || holds(now)) return MonotonicTime::max();
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
