#include "tests/simulation/weather.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

struct Kind {
  Fault fault;
  double Weather::*share;
  const char* name;
};
constexpr std::array kinds = {Kind{Fault::refused, &Weather::refused, "refused"},
                              Kind{Fault::unreachable, &Weather::unreachable, "unreachable"},
                              Kind{Fault::hangs, &Weather::hangs, "hang"},
                              Kind{Fault::breaks, &Weather::breaks, "break"},
                              Kind{Fault::fails, &Weather::fails, "fail"},
                              Kind{Fault::nonsense, &Weather::nonsense, "get nonsense"},
                              Kind{Fault::forbidden, &Weather::refuses, "are forbidden"}};
/// Of those the first ones let nothing through.
constexpr std::size_t outages = 5;

using Share = double Weather::*;

std::vector<Share> shares_of(const Faults& faults, std::size_t most) {
  std::vector<Share> shares;
  for (std::size_t kind = 0; kind < most; ++kind) {
    if (faults.has(kinds.at(kind).fault)) shares.push_back(kinds.at(kind).share);
  }
  return shares;
}

double some(Dice& dice) {
  constexpr std::array shares = {0.02, 0.1, 0.3, 0.6, 1.0};
  return shares.at(dice.below(shares.size()));
}

}  // namespace

Weather Weather::outage(Dice& dice, const Faults& faults) {
  auto weather = fair();
  const auto shares = shares_of(faults, outages);
  if (!shares.empty()) weather.*shares.at(dice.below(shares.size())) = 1;
  return weather;
}

Weather Weather::random(Dice& dice, const Faults& faults) {
  if (dice.chance(0.3)) return fair();
  if (dice.chance(0.25)) return outage(dice, faults);
  Weather weather;
  weather.min_latency = dice.between(1ms, 50ms);
  weather.max_latency = weather.min_latency + dice.about(200ms);
  // Slower than any deadline, now and then.
  if (dice.chance(0.1) && faults.has(Fault::slowness)) weather.max_latency += 12s;
  const auto shares = shares_of(faults, kinds.size());
  for (auto left = dice.between(1, 3); left > 0 && !shares.empty(); --left) {
    weather.*shares.at(dice.below(shares.size())) = some(dice);
  }
  weather.carried_out = static_cast<double>(dice.below(5)) / 4;
  if (dice.chance(0.3) && faults.has(Fault::throttling)) {
    weather.capacity = static_cast<double>(dice.between(1, 60));
  }
  weather.retry_after = dice.chance(0.5);
  return weather;
}

Weather Weather::with_only(const Faults& those) const {
  auto weather = *this;
  for (const auto& [fault, share, name] : kinds) {
    if (!those.has(fault)) weather.*share = 0;
  }
  if (!those.has(Fault::throttling)) weather.capacity = 0;
  if (!those.has(Fault::slowness)) weather.max_latency = std::min<Duration>(max_latency, 1s);
  return weather;
}

std::string Weather::text() const {
  std::string text;
  const auto percent = [](double share) { return std::to_string(static_cast<int>(share * 100)); };
  for (const auto& [fault, share, name] : kinds) {
    if (this->*share > 0) text += percent(this->*share) + " % of the calls " + name + ", ";
  }
  if (capacity > 0) text += std::to_string(static_cast<int>(capacity)) + " calls a second, ";
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(max_latency);
  return text + "an answer takes up to " + std::to_string(milliseconds.count()) + " ms";
}

}  // namespace jobs_bridge::simulation
