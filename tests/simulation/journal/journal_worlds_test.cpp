#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "tests/simulation/journal/journal_world.h"
#include "tests/simulation/violation.h"
#include "tests/support/sanitized.h"

/// The journal's two threads in worlds of random shape, one for each seed; by default the same ones
/// in every run. In the environment:
///   JOBS_BRIDGE_SIMULATION_SEED=N    that world alone
///   JOBS_BRIDGE_SIMULATION_WORLDS=N  so many
namespace jobs_bridge::simulation {
namespace {

constexpr std::uint64_t usual_worlds = 2000 / testing_support::slowdown;
constexpr int max_failures = 5;

std::optional<std::uint64_t> setting(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

bool run_world(std::uint64_t seed, JournalTotals& totals) {
  try {
    totals.add(JournalWorld(seed).run());
    return true;
  } catch (const Violation& violation) {
    ADD_FAILURE() << "seed " << seed << ": broken promise: " << violation.what()
                  << "\n  again: JOBS_BRIDGE_SIMULATION_SEED=" << seed
                  << " build/bin/journal_simulation_test"
                     " --gtest_filter=JournalWorldsTest.EveryPromiseIsKept";
    return false;
  }
}

TEST(JournalWorldsTest, TheSameSeedMakesTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(JournalWorld(seed).run().text(), JournalWorld(seed).run().text());
  }
}

TEST(JournalWorldsTest, EveryPromiseIsKept) {
  JournalTotals totals;
  if (const auto only = setting("JOBS_BRIDGE_SIMULATION_SEED")) {
    run_world(*only, totals);
  } else {
    const auto worlds = setting("JOBS_BRIDGE_SIMULATION_WORLDS").value_or(usual_worlds);
    int failures = 0;
    for (std::uint64_t seed = 1; seed <= worlds && failures < max_failures; ++seed) {
      if (!run_world(seed, totals)) ++failures;
    }
  }
  std::cout << totals.text() << std::endl;
}

}  // namespace
}  // namespace jobs_bridge::simulation
