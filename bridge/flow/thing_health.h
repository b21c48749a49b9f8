#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/time.h"

namespace jobs_bridge {

/// Of the things that calls were lately made for: whether the last call of each failed. Tells a
/// few things whose calls alone fail from an endpoint that fails them all.
///
/// It knows the eight things that were heard of last. The endpoint fails all only if each of them
/// has failed: up to seven failing things are told apart by a single other one. Where there are
/// fewer things, all there are must fail: of two, both, and one alone stands for the endpoint. A
/// thing that has not been heard of for ten minutes no longer counts, so that one that was switched
/// off does not vouch for the endpoint for ever. Not thread-safe; time must not go backwards.
class ThingHealth {
 public:
  static constexpr std::size_t most_things = 8;
  static constexpr Duration counts_for = std::chrono::minutes(10);

  /// `thing`: name_hash() of its name.
  void succeeded(MonotonicTime now, std::uint64_t thing) { hear(now, thing, false); }
  /// Whether that is news: the call before of this thing had not failed.
  bool failed(MonotonicTime now, std::uint64_t thing) {
    const bool known = is_failing(thing);
    hear(now, thing, true);
    return !known;
  }

  [[nodiscard]] bool is_failing(std::uint64_t thing) const {
    return std::ranges::any_of(
        heard_, [&](const Heard& heard) { return heard.thing == thing && heard.failing; });
  }
  /// Whether there is a thing that was heard of lately, and each has failed.
  [[nodiscard]] bool all_fail(MonotonicTime now) const {
    const auto counts = [&](const Heard& heard) { return heard.at > now - counts_for; };
    return std::ranges::any_of(heard_, counts) &&
           std::ranges::all_of(heard_, [&](const Heard& h) { return h.failing || !counts(h); });
  }

 private:
  struct Heard {
    std::uint64_t thing;
    bool failing;
    MonotonicTime at;
  };

  void hear(MonotonicTime now, std::uint64_t thing, bool failing) {
    auto at = std::ranges::find(heard_, thing, &Heard::thing);
    if (at == heard_.end() && heard_.size() < most_things) at = heard_.insert(at, Heard{});
    if (at == heard_.end()) at = std::ranges::min_element(heard_, {}, &Heard::at);
    *at = {.thing = thing, .failing = failing, .at = now};
  }

  std::vector<Heard> heard_;
};

}  // namespace jobs_bridge
