#include "tests/simulation/shrink.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

std::optional<Violation> try_out(const Plan& plan, Extras extras) {
  try {
    run(plan, std::move(extras));
    return std::nullopt;
  } catch (const Violation& violation) {
    return violation;
  }
}

/// Settings that say nothing by being as they usually are.
using Simplification = void (*)(Shape&);
const std::vector<Simplification>& simplifications() {
  static const EngineSettings usual = {};
  static const std::vector<Simplification> all = {
      [](Shape& s) { s.engine.notifier = {}; },
      [](Shape& s) { s.engine.notifier.repeat_replies = {}; },
      [](Shape& s) { s.engine.deadline = usual.deadline; },
      [](Shape& s) { s.engine.queue = usual.queue; },
      [](Shape& s) { s.engine.queue_per_thing = usual.queue_per_thing; },
      [](Shape& s) { s.engine.queue_per_thing = 1; },
      [](Shape& s) { s.engine.reads_per_second = 0; },
      [](Shape& s) { s.engine.writes_per_second = 0; },
      [](Shape& s) { s.engine.holding.max_age = usual.holding.max_age; },
      [](Shape& s) { s.engine.holding.max_bytes = usual.holding.max_bytes; },
      [](Shape& s) { s.engine.holding.max_per_thing = usual.holding.max_per_thing; },
      [](Shape& s) { s.callbacks_apart = false; },
      [](Shape& s) { s.response_topic = 0; },
      [](Shape& s) { s.receive_maximum = Shape().receive_maximum; },
      [](Shape& s) { s.weather = Weather::fair(); },
      [](Shape& s) { s.last_outage = {}; },
      [](Shape& s) { s.credentials_life = {}; },
      [](Shape& s) { s.ends_jobs = 0; },
      [](Shape& s) { s.get = 0; },
      [](Shape& s) { s.describe = 0; },
      [](Shape& s) { s.start_next = 0; },
      [](Shape& s) { s.jobs = 1; },
      [](Shape& s) { s.connections = 1; },
  };
  return all;
}

class Shrinking {
 public:
  Shrinking(Plan plan, const Extras& extras, const std::string& promise, int max_runs)
      : plan_(std::move(plan)), extras_(extras), promise_(promise), left_(max_runs) {
    extras_.story = nullptr;
  }

  void go() {
    for (bool smaller = true; std::exchange(smaller, false) && left_ > 0;) {
      smaller = fewer_happenings() || smaller;
      smaller = fewer_faults() || smaller;
      smaller = fewer_things() || smaller;
      smaller = plainer_settings() || smaller;
      smaller = less_time() || smaller;
    }
  }

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] int left() const { return left_; }

 private:
  bool keep_if_broken(Plan candidate) {
    if (left_ <= 0) return false;
    --left_;
    const auto violation = try_out(candidate, extras_);
    if (!violation || violation->promise() != promise_) return false;
    plan_ = std::move(candidate);
    return true;
  }

  template <typename Change>
  bool keep_if_broken(const Change& change) {
    auto candidate = plan_;
    change(candidate);
    return keep_if_broken(std::move(candidate));
  }

  /// Halves, quarters and so on, to single ones: delta debugging (Zeller, Hildebrandt 2002).
  bool fewer_happenings() {
    bool smaller = false;
    auto chunk = std::max<std::size_t>(plan_.script.size(), 1);
    while (chunk > 0) {
      bool any = false;
      // From the end: what comes after the broken promise goes at once.
      for (auto end = plan_.script.size(); end > 0;) {
        const auto begin = end - std::min(end, chunk);
        any = keep_if_broken([&](Plan& it) {
                const auto first = it.script.begin();
                it.script.erase(first + static_cast<std::ptrdiff_t>(begin),
                                first + static_cast<std::ptrdiff_t>(end));
              }) ||
              any;
        end = begin;
      }
      smaller = smaller || any;
      if (!any || chunk > 1) chunk /= 2;
    }
    return smaller;
  }

  bool fewer_faults() {
    bool smaller = false;
    for (const auto fault : plan_.shape.faults.list()) {
      smaller = keep_if_broken([&](Plan& it) {
                  it.shape = it.shape.with_only(it.shape.faults.without(fault));
                  std::erase_if(it.script, [&](const Happening& what) {
                    return !belongs_to(it.shape.faults, what);
                  });
                }) ||
                smaller;
    }
    return smaller;
  }

  bool fewer_things() {
    const auto things = plan_.shape.things;
    for (std::uint32_t fewer = 1; fewer < things; fewer *= 2) {
      if (keep_if_broken([&](Plan& it) { it.shape.things = fewer; })) return true;
    }
    return false;
  }

  bool plainer_settings() {
    bool smaller = false;
    for (std::size_t i = 0; i < simplifications().size(); ++i) {
      if (plain_[i]) continue;
      plain_[i] = keep_if_broken([i](Plan& it) { simplifications()[i](it.shape); });
      smaller = smaller || plain_[i];
    }
    return smaller;
  }

  bool less_time() {
    bool smaller = false;
    auto& script = plan_.script;
    // All pauses, then each.
    while (!script.empty() && script.back().at > 1ms && keep_if_broken([](Plan& it) {
      for (auto& what : it.script) what.at /= 2;
    })) {
      smaller = true;
    }
    for (std::size_t i = 0; i < script.size(); ++i) {
      const auto pause = script[i].at - (i > 0 ? script[i - 1].at : Duration::zero());
      if (pause <= 1ms) continue;
      for (const auto less : {pause - Duration(1ms), Duration(pause / 2)}) {
        const bool kept = keep_if_broken([&](Plan& it) {
          for (auto later = i; later < it.script.size(); ++later) it.script[later].at -= less;
        });
        smaller = smaller || kept;
        if (kept) break;
      }
    }
    const auto length = script.empty() ? Duration(1ms) : Duration(script.back().at + Duration(1ms));
    if (length < plan_.shape.length) {
      smaller = keep_if_broken([&](Plan& it) { it.shape.length = length; }) || smaller;
    }
    return smaller;
  }

  Plan plan_;
  Extras extras_;
  std::string promise_;
  int left_;
  std::vector<bool> plain_ = std::vector<bool>(simplifications().size());
};

}  // namespace

std::string Smallest::text() const {
  return "the smallest world found (of " + std::to_string(runs) +
         " tried) that breaks it: " + plan.shape.describe_world() + "\n" + story.text() +
         "  broken promise: " + violation;
}

std::optional<Smallest> shrink(Plan plan, const Extras& extras, int max_runs) {
  const auto first = try_out(plan, extras);
  if (!first) return std::nullopt;
  Shrinking shrinking(std::move(plan), extras, first->promise(), max_runs);
  shrinking.go();
  Smallest smallest{
      .plan = shrinking.plan(), .violation = {}, .story = {}, .runs = max_runs - shrinking.left()};
  auto telling = extras;
  telling.story = &smallest.story;
  if (const auto violation = try_out(smallest.plan, telling)) {
    smallest.violation = violation->what();
  }
  return smallest;
}

}  // namespace jobs_bridge::simulation
