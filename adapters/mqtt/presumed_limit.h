#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>

#include "adapters/mqtt/outbox.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// The size from which a broker seems to end the connection without announcing a limit, which it
/// cannot do over MQTT 3.1.1. Without this, each of a hundred replies that are too large would cost
/// three connections before it is identified.
///
/// A limit is presumed once a publication has ended connections and its small replacement was
/// accepted, and nothing as large has been accepted. It holds for a while; then one large
/// publication is tried again.
///
/// Sizes are Outbox::size_of(). Not thread-safe.
class PresumedLimit {
 public:
  static constexpr Duration validity = std::chrono::minutes(10);

  /// Whether a publication of that size is presumed to be too large.
  [[nodiscard]] bool excludes(MonotonicTime now, std::size_t size) const {
    return size >= size_ && now < until_;
  }
  /// The size of the smallest that ended connections; valid while anything is excluded.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// A publication of that size ended connections, and `replacement` replaces it.
  void ended_connections(Outbox::Sequence replacement, std::size_t size) {
    candidate_ = Candidate{.replacement = replacement, .size = size, .largest_accepted = 0};
  }
  /// The broker has accepted a publication. Returns whether from now on a size, or a smaller size
  /// than before, is presumed too large.
  bool accepted(MonotonicTime now, Outbox::Sequence sequence, std::size_t size) {
    if (!candidate_) return false;
    candidate_->largest_accepted = std::max(candidate_->largest_accepted, size);
    if (candidate_->replacement != sequence) return false;
    const auto candidate = *candidate_;
    candidate_.reset();
    if (candidate.largest_accepted >= candidate.size) return false;
    size_ = now < until_ ? std::min(size_, candidate.size) : candidate.size;
    until_ = now + validity;
    return true;
  }

 private:
  struct Candidate {
    Outbox::Sequence replacement;
    std::size_t size;
    std::size_t largest_accepted;
  };
  std::optional<Candidate> candidate_;
  std::size_t size_ = std::numeric_limits<std::size_t>::max();
  MonotonicTime until_ = MonotonicTime::min();
};

}  // namespace jobs_bridge::mqtt
