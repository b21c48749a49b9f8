#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "bridge/time.h"

namespace jobs_bridge::simulation {

/// What happens when, in virtual time; at the same time in the order in which it was planned.
class Agenda {
 public:
  using Event = std::function<void()>;

  void at(MonotonicTime when, Event event) {
    planned_.push_back({.when = when, .order = next_++, .event = std::move(event)});
    std::ranges::push_heap(planned_, later);
  }
  /// MonotonicTime::max() if nothing is planned.
  [[nodiscard]] MonotonicTime next() const {
    return planned_.empty() ? MonotonicTime::max() : planned_.front().when;
  }
  /// There must be one.
  Event take() {
    std::ranges::pop_heap(planned_, later);
    auto event = std::move(planned_.back().event);
    planned_.pop_back();
    return event;
  }

 private:
  struct Planned {
    MonotonicTime when;
    std::uint64_t order;
    Event event;
  };
  static bool later(const Planned& one, const Planned& other) {
    return one.when != other.when ? one.when > other.when : one.order > other.order;
  }

  std::vector<Planned> planned_;
  std::uint64_t next_ = 0;
};

}  // namespace jobs_bridge::simulation
