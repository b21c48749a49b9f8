#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "bridge/flow/back_off.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Tracks whether the last call of each thing failed. Distinguishes things that fail alone from an
/// endpoint that fails all calls.
///
/// Once a thing has failed and another succeeds, its failures say nothing more about the endpoint,
/// until it succeeds itself: if other things make few calls, these failures may be all outcomes for
/// a while. So the endpoint counts as failing only if things fail that did not fail before:
/// - eight of them since any thing succeeded; or
/// - if there are fewer, every one that succeeded within the last ten minutes. Of two things, both
///   must fail; a single thing stands for the endpoint.
///
/// A thing fails alone if it failed before another succeeded, and not because of an outage: after
/// an outage it has to fail again.
///
/// It keeps the 4,096 failing things whose calls ended last. Not thread-safe; time must not go
/// backwards.
class ThingHealth {
 public:
  ThingHealth() = default;
  // A copy's index would point into the original.
  ThingHealth(const ThingHealth&) = delete;
  ThingHealth& operator=(const ThingHealth&) = delete;
  ThingHealth(ThingHealth&&) = default;
  ThingHealth& operator=(ThingHealth&&) = default;
  ~ThingHealth() = default;

  static constexpr std::size_t enough_things = 8;
  static constexpr std::size_t max_failing = 4096;
  /// After that a success no longer counts, so that a device that was switched off is not taken as
  /// evidence that the endpoint works.
  static constexpr Duration counts_for = std::chrono::minutes(10);

  struct Failing {
    std::uint64_t thing = 0;
    std::uint64_t successes = 0;  ///< of other things, before its first failure
    int calls = 0;                ///< that failed in a row
    bool outside_outage = false;  ///< a call failed while the endpoint was not down
    // Set by whoever called failed():
    std::string cause = {};  ///< of the last failure, for the device
    BackOff back_off = {};
    Duration pause{};  ///< before its next try
  };

  /// `thing`: name_hash() of its name.
  void succeeded(MonotonicTime now, std::uint64_t thing) {
    if (const auto found = by_thing_.find(thing); found != by_thing_.end()) {
      failing_.erase(found->second);
      by_thing_.erase(found);
    }
    ++successes_;
    failing_since_success_ = 0;
    auto at = std::ranges::find(healthy_, thing, &Healthy::thing);
    if (at == healthy_.end() && healthy_.size() < enough_things)
      at = healthy_.insert(at, Healthy{});
    if (at == healthy_.end()) at = std::ranges::min_element(healthy_, {}, &Healthy::at);
    *at = {.thing = thing, .at = now};
  }

  Failing& failed(std::uint64_t thing) {
    if (const auto found = by_thing_.find(thing); found != by_thing_.end()) {
      failing_.splice(failing_.end(), failing_, found->second);
      ++found->second->calls;
      if (!endpoint_down_) found->second->outside_outage = true;
      return *found->second;
    }
    if (failing_.size() >= max_failing) {
      by_thing_.erase(failing_.front().thing);
      failing_.pop_front();
    }
    std::erase_if(healthy_, [&](const Healthy& healthy) { return healthy.thing == thing; });
    ++failing_since_success_;
    failing_.push_back(
        {.thing = thing, .successes = successes_, .calls = 1, .outside_outage = !endpoint_down_});
    by_thing_.emplace(thing, std::prev(failing_.end()));
    return failing_.back();
  }

  /// Null if its last call did not fail.
  [[nodiscard]] const Failing* find(std::uint64_t thing) const {
    const auto found = by_thing_.find(thing);
    return found == by_thing_.end() ? nullptr : &*found->second;
  }
  [[nodiscard]] bool none_fails() const { return failing_.empty(); }
  /// Whether another failure of that thing says nothing about the endpoint.
  [[nodiscard]] bool tells_nothing(std::uint64_t thing) const {
    const auto* failing = find(thing);
    return failing != nullptr && failing->successes < successes_;
  }
  [[nodiscard]] bool fails_alone(std::uint64_t thing) const {
    const auto* failing = find(thing);
    return failing != nullptr && failing->successes < successes_ && failing->outside_outage;
  }
  [[nodiscard]] bool endpoint_fails(MonotonicTime now) const {
    if (failing_since_success_ >= enough_things) return true;
    return failing_since_success_ > 0 &&
           std::ranges::none_of(
               healthy_, [&](const Healthy& healthy) { return healthy.at > now - counts_for; });
  }

  /// From now on the endpoint is assumed to be down, or no longer.
  void set_endpoint_down(bool down) {
    endpoint_down_ = down;
    if (!down) return;
    for (auto& failing : failing_) {
      if (failing.successes == successes_) failing.outside_outage = false;
    }
  }

 private:
  struct Healthy {
    std::uint64_t thing = 0;
    MonotonicTime at;
  };

  std::vector<Healthy> healthy_;  ///< the last `enough_things` that succeeded
  std::list<Failing> failing_;    ///< the one whose last call ended longest ago first
  std::unordered_map<std::uint64_t, std::list<Failing>::iterator> by_thing_;
  std::uint64_t successes_ = 0;
  std::size_t failing_since_success_ = 0;  ///< things that began to fail
  bool endpoint_down_ = false;
};

}  // namespace jobs_bridge
