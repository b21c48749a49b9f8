#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

#include "tests/simulation/shrink.h"
#include "tests/simulation/violation.h"
#include "tests/support/sanitized.h"

/// Small worlds of random shape, one for each seed. By default as many as take about a minute, the
/// same ones in every run. In the environment:
///   JOBS_BRIDGE_SIMULATION_SEED=N     that world alone
///   JOBS_BRIDGE_SIMULATION_WORLDS=N   so many
///   JOBS_BRIDGE_SIMULATION_DIGESTS=1  a digest of each world's effects; two versions that decide
///                                     alike print the same
///   JOBS_BRIDGE_SIMULATION_MINUTES=N  for so long, new worlds in every run
namespace jobs_bridge::simulation {
namespace {

/// In so many everything happens that can.
constexpr std::uint64_t enough_worlds = 10000;
#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t usual_worlds = 100;  // of one thread: there are no races to find
#else
constexpr std::uint64_t usual_worlds = 4000 / testing_support::slowdown;
#endif

std::optional<std::uint64_t> setting(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

/// At most so many failures are shrunk, which takes time; of the others the seed is printed.
constexpr int max_stories = 3;

void run_world(std::uint64_t seed, Totals& totals) {
  const auto plan = random_plan(seed);
  try {
    const auto world = run(plan);
    totals.add(world);
    if (setting("JOBS_BRIDGE_SIMULATION_DIGESTS")) {
      std::cout << "world " << seed << " " << std::hex << world.fingerprint << std::dec << " "
                << world.text() << "\n";
    }
  } catch (const Violation& violation) {
    static int stories = 0;
    const auto smallest = stories++ < max_stories ? shrink(plan) : std::nullopt;
    ADD_FAILURE()
        << "seed " << seed << ": broken promise: " << violation.what()
        << "\n  world: " << plan.shape.describe_world() << (smallest ? "\n" + smallest->text() : "")
        << "\n  again: JOBS_BRIDGE_SIMULATION_SEED=" << seed
        << " build/bin/simulation_test --gtest_filter=RandomWorldsTest.EveryPromiseIsKept";
  }
}

TEST(RandomWorldsTest, TheSameSeedMakesTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto once = run(random_plan(seed));
    const auto again = run(random_plan(seed));
    EXPECT_EQ(once.fingerprint, again.fingerprint);
    EXPECT_NE(once.fingerprint, run(random_plan(seed + 1)).fingerprint);
  }
}

TEST(RandomWorldsTest, EveryPromiseIsKept) {
  Totals totals;
  if (const auto only = setting("JOBS_BRIDGE_SIMULATION_SEED")) {
    run_world(*only, totals);
  } else if (const auto minutes = setting("JOBS_BRIDGE_SIMULATION_MINUTES")) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::minutes(*minutes);
    auto report = Clock::now();
    auto next =
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    while (Clock::now() < end) {
      run_world(next++, totals);
      if (Clock::now() < report) continue;
      report = Clock::now() + std::chrono::seconds(30);
      std::cout << totals.text() << std::endl;
    }
  } else {
    const auto worlds = setting("JOBS_BRIDGE_SIMULATION_WORLDS").value_or(usual_worlds);
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) run_world(seed, totals);
  }
  std::cout << totals.text() << "\n"
            << totals.coverage.table() << totals.transitions.table() << std::flush;
  auto missing = totals.coverage.missing();
  std::ranges::copy(totals.transitions.missing(), std::back_inserter(missing));
  for (const auto& pair : missing) {
    // Few worlds may miss what is rare; so many do not, and miss the same in every run.
    if (totals.worlds >= enough_worlds) {
      ADD_FAILURE() << "in no world: " << pair;
    } else {
      std::cout << "never: " << pair << std::endl;
    }
  }
}

}  // namespace
}  // namespace jobs_bridge::simulation
