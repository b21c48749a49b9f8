#pragma once

#include <algorithm>
#include <chrono>
#include <random>

#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// The pauses between attempts to connect: 0.1 s first, then twice as long each time, up to 10 s.
/// Half of each is random, so that the gateways of a site do not all return at once.
class BackOff {
 public:
  explicit BackOff(std::minstd_rand::result_type seed) : random_(seed) {}

  /// The next pause. `connected`: how long the connection lasted that has just ended, zero if the
  /// attempt failed. A connection that has held starts the pauses anew; one that ends as soon as it
  /// has begun (two bridges with one client id throw each other out so) does not.
  Duration next(Duration connected) {
    if (connected >= settled) longest_ = first;
    std::uniform_int_distribution<std::chrono::milliseconds::rep> spread(longest_.count() / 2,
                                                                         longest_.count());
    const std::chrono::milliseconds pause(spread(random_));
    longest_ = std::min(longest_ * 2, limit);
    return pause;
  }

 private:
  static constexpr std::chrono::milliseconds first{100};
  static constexpr std::chrono::milliseconds limit{10000};
  static constexpr std::chrono::seconds settled{10};

  std::minstd_rand random_;
  std::chrono::milliseconds longest_ = first;
};

}  // namespace jobs_bridge::mqtt
