#include "tests/simulation/faults.h"

#include <array>
#include <string_view>

namespace jobs_bridge::simulation {
namespace {

constexpr std::array<std::string_view, fault_count> fault_names = {"refused connections",
                                                                   "unreachable endpoint",
                                                                   "hanging calls",
                                                                   "broken connections",
                                                                   "failing calls",
                                                                   "nonsense",
                                                                   "forbidden calls",
                                                                   "throttling",
                                                                   "slowness",
                                                                   "failing things",
                                                                   "cancellations",
                                                                   "repeats",
                                                                   "floods",
                                                                   "expiries",
                                                                   "invalid requests",
                                                                   "clock jumps",
                                                                   "unset clock",
                                                                   "kills",
                                                                   "power cuts",
                                                                   "shutdowns",
                                                                   "full disks",
                                                                   "slow disks",
                                                                   "standstills",
                                                                   "late timers",
                                                                   "lost credentials",
                                                                   "refused credentials",
                                                                   "lost broker",
                                                                   "blocked publishes",
                                                                   "refused publishes",
                                                                   "dead links"};

}  // namespace

Faults Faults::random(Dice& dice) {
  constexpr std::array shares = {0.0, 0.1, 0.25, 0.5, 0.5, 0.75, 1.0, 1.0};
  const auto share = shares.at(dice.below(shares.size()));
  auto faults = none();
  for (const auto fault : all().list()) {
    if (dice.chance(share)) faults = faults.with(fault);
  }
  return faults;
}

std::vector<Fault> Faults::list() const {
  std::vector<Fault> faults;
  for (std::size_t fault = 0; fault < fault_count; ++fault) {
    if (has(static_cast<Fault>(fault))) faults.push_back(static_cast<Fault>(fault));
  }
  return faults;
}

std::string Faults::text() const {
  std::string text;
  for (const auto fault : list()) {
    if (!text.empty()) text += ", ";
    text += fault_names.at(static_cast<std::size_t>(fault));
  }
  return text.empty() ? "none" : text;
}

}  // namespace jobs_bridge::simulation
