#include "adapters/mqtt/canary.h"

#include <algorithm>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

/// Both in keep-alives: a link that dies just after a canary came back is noticed after the next
/// one has been waited for, which is one keep-alive in all.
constexpr double every = 0.5;
constexpr double patience = 0.5;
/// A link that answers but brings no canary is given this much longer: the canary may wait behind
/// many replies.
constexpr int patience_of_living_link = 4;

Duration part_of(Duration duration, double share) {
  return std::chrono::duration_cast<Duration>(duration * share);
}

}  // namespace

Canary::Canary(std::string topic, std::string nonce, Duration keep_alive)
    : topic_(std::move(topic)),
      nonce_(std::move(nonce)),
      every_(part_of(keep_alive, every)),
      patience_(part_of(keep_alive, patience)) {}

void Canary::begin(MonotonicTime now, bool granted) {
  on_ = granted && !topic_.empty();
  outstanding_.reset();
  last_return_.reset();
  next_at_ = now;
  unanswered_since_.reset();
  last_arrival_ = now;
}

void Canary::end() {
  on_ = false;
  outstanding_.reset();
  last_return_.reset();
}

std::optional<Publication> Canary::next(MonotonicTime now) {
  if (!on_ || now < next_at_) return std::nullopt;
  next_at_ = now + every_;
  if (!outstanding_) outstanding_ = now;
  if (!unanswered_since_) unanswered_since_ = now;
  ++sequence_;
  return Publication{.topic = topic_, .payload = nonce_ + " " + std::to_string(sequence_)};
}

bool Canary::arrived(MonotonicTime now, std::string_view topic, std::string_view payload) {
  unanswered_since_.reset();
  last_arrival_ = now;
  if (topic_.empty() || topic != topic_) return false;
  // Any of this process's will do: one that was sent on the connection before and comes now shows
  // that messages flow now.
  if (on_ && payload.starts_with(nonce_ + " ")) {
    if (outstanding_) round_trip_ = now - *outstanding_;
    outstanding_.reset();
    last_return_ = now;
  }
  return true;
}

void Canary::acknowledged() {
  unanswered_since_.reset();
}

Canary::Finding Canary::look(MonotonicTime now) {
  if (!on_ || !outstanding_) return Finding::fine;
  if (unanswered_since_ && now - *unanswered_since_ >= patience_) return Finding::dead;
  if (now - *outstanding_ < patience_ * patience_of_living_link) return Finding::fine;
  if (last_return_) {
    // It flowed before. If other messages still come, the canary is only late.
    return last_arrival_ > *outstanding_ ? Finding::fine : Finding::dead;
  }
  on_ = false;
  return Finding::impossible;
}

MonotonicTime Canary::due() const {
  if (!on_) return MonotonicTime::max();
  if (!unanswered_since_) return next_at_;
  return std::min(next_at_, *unanswered_since_ + patience_);
}

}  // namespace jobs_bridge::mqtt
