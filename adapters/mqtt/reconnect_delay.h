#pragma once

#include <algorithm>
#include <chrono>
#include <random>

#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// The pauses between attempts to connect: 0.1 s first, then twice as long each time, up to 10 s.
/// Half of each is random, so that the gateways of a site do not all reconnect at once.
class ReconnectDelay {
 public:
  explicit ReconnectDelay(std::minstd_rand::result_type seed) : random_(seed) {}

  /// The next pause. `connected`: how long the connection lasted that has just ended, zero if the
  /// attempt failed. A connection that has lasted resets the pauses; one that ends right after it
  /// began (as when two bridges with one client id disconnect each other) does not.
  Duration next(Duration connected) {
    if (connected >= stable) longest_ = first;
    const auto pause = spread(longest_);
    longest_ = std::min(longest_ * 2, limit);
    return pause;
  }

  /// The pause before an address that has not been tried since the last connection or pause of
  /// next(): the first pause; it does not make the next ones longer.
  Duration before_another_address() { return spread(first); }

 private:
  Duration spread(std::chrono::milliseconds longest) {
    std::uniform_int_distribution<std::chrono::milliseconds::rep> within(longest.count() / 2,
                                                                         longest.count());
    return std::chrono::milliseconds(within(random_));
  }

  static constexpr std::chrono::milliseconds first{100};
  static constexpr std::chrono::milliseconds limit{10000};
  static constexpr std::chrono::seconds stable{10};

  std::minstd_rand random_;
  std::chrono::milliseconds longest_ = first;
};

}  // namespace jobs_bridge::mqtt
