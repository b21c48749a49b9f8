#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "tests/worlds/world.h"

/// Worlds of every shape. To see one that failed again:
///   JOBS_BRIDGE_SIMULATION_SEED=n simulation_test --gtest_filter=SeedsTest.*
/// For more of them than belong into every run:
///   JOBS_BRIDGE_SIMULATION_MINUTES=120 simulation_test --gtest_filter=SeedsTest.*
namespace jobs_bridge::simulation {
namespace {

std::uint64_t number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : std::stoull(text);
}

void print(const Tally& tally) {
  std::cout << tally.worlds << " worlds, " << static_cast<std::uint64_t>(tally.seconds / 3600)
            << " simulated hours: " << tally.requests << " requests (" << tally.accepted
            << " accepted, " << tally.rejected << " rejected, " << tally.refused
            << " of them at once; " << tally.held << " updates held), " << tally.calls << " calls, "
            << tally.kills << " kills, " << tally.power_cuts << " power cuts, " << tally.restarts
            << " restarts; " << tally.applied_again << " updates applied twice, "
            << tally.lost_to_power_cuts
            << " lost in the last tenth of a second before a power cut, " << tally.lost_to_crashes
            << " requests ended by a crash" << std::endl;
}

TEST(SeedsTest, EveryPromiseHoldsInEveryWorld) {
  const auto minutes = number_in("JOBS_BRIDGE_SIMULATION_MINUTES");
  const auto only = number_in("JOBS_BRIDGE_SIMULATION_SEED");
  const auto start = std::chrono::steady_clock::now();
  const auto in_time = [&](std::uint64_t worlds) {
    if (minutes == 0) return worlds < 600;
    return std::chrono::steady_clock::now() - start < std::chrono::minutes(minutes);
  };
  Tally tally;
  // Other seeds each time when there is time for many, the same ones in every short run.
  auto seed = only != 0 ? only : 1 + (minutes == 0 ? 0 : std::uint64_t{1000000} * minutes);
  while (in_time(tally.worlds)) {
    try {
      World world(random_plan(seed));
      world.run();
      tally += world.tally();
    } catch (const std::exception& failure) {
      FAIL() << failure.what() << "\nto see it again: JOBS_BRIDGE_SIMULATION_SEED=" << seed
             << " simulation_test --gtest_filter=SeedsTest.*";
    }
    if (only != 0) break;
    if (minutes != 0 && tally.worlds % 10000 == 0) print(tally);
    ++seed;
  }
  print(tally);
}

}  // namespace
}  // namespace jobs_bridge::simulation
