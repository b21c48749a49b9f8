#include "tests/simulation/weather.h"

#include <array>

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

double some(Dice& dice) {
  constexpr std::array shares = {0.02, 0.1, 0.3, 0.6, 1.0};
  return shares.at(dice.below(shares.size()));
}

}  // namespace

Weather Weather::outage(Dice& dice) {
  auto weather = fair();
  std::array kinds = {&Weather::refused, &Weather::unreachable, &Weather::hangs, &Weather::breaks,
                      &Weather::fails};
  weather.*kinds.at(dice.below(kinds.size())) = 1;
  return weather;
}

Weather Weather::random(Dice& dice) {
  if (dice.chance(0.3)) return fair();
  if (dice.chance(0.25)) return outage(dice);
  Weather weather;
  weather.least_latency = dice.between(1ms, 50ms);
  weather.most_latency = weather.least_latency + dice.about(200ms);
  if (dice.chance(0.1)) weather.most_latency += 12s;  // slower than any deadline, now and then
  std::array kinds = {&Weather::refused, &Weather::unreachable, &Weather::hangs,  &Weather::breaks,
                      &Weather::fails,   &Weather::nonsense,    &Weather::refuses};
  for (auto left = dice.between(1, 3); left > 0; --left) {
    weather.*kinds.at(dice.below(kinds.size())) = some(dice);
  }
  weather.carried_out = static_cast<double>(dice.below(5)) / 4;
  if (dice.chance(0.3)) weather.capacity = static_cast<double>(dice.between(1, 60));
  weather.retry_after = dice.chance(0.5);
  return weather;
}

}  // namespace jobs_bridge::simulation
