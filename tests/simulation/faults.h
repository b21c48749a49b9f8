#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

/// What can go wrong, by kind.
enum class Fault : std::uint8_t {
  // of calls, see Weather
  refused,
  unreachable,
  hangs,
  breaks,
  fails,
  nonsense,
  forbidden,
  throttling,
  slowness,
  failing_things,
  // of the cloud's and the devices' doing
  cancellations,
  repeats,
  floods,
  expiries,
  invalid_requests,
  // of the gateway
  clock_jumps,
  unset_clock,
  kills,
  power_cuts,
  shutdowns,
  full_disks,
  slow_disks,
  standstills,
  late_timers,
  lost_credentials,
  refused_credentials,
  // of the broker
  broker_losses,
  blocked_publishes,
  refused_publishes,
  dead_links,
};
inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::dead_links) + 1;

/// The kinds of fault that a world has at all. Worlds that have few show what worlds that have all
/// hide: where every call may fail no queue ever fills up, and where nothing but the disk fails it
/// fails in every state (swarm testing: Groce et al., ISSTA 2012).
class Faults {
 public:
  static constexpr Faults none() { return Faults(0); }
  static constexpr Faults all() { return Faults((std::uint32_t{1} << fault_count) - 1); }
  /// Each kind with the same probability, which is thrown first: from no kind to all of them.
  static Faults random(Dice& dice);

  [[nodiscard]] constexpr bool has(Fault fault) const { return (bits_ & bit(fault)) != 0; }
  [[nodiscard]] constexpr Faults without(Fault fault) const { return Faults(bits_ & ~bit(fault)); }
  [[nodiscard]] constexpr Faults with(Fault fault) const { return Faults(bits_ | bit(fault)); }
  [[nodiscard]] std::vector<Fault> list() const;
  /// Their names, with commas.
  [[nodiscard]] std::string text() const;

 private:
  explicit constexpr Faults(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t bit(Fault fault) {
    return std::uint32_t{1} << static_cast<unsigned>(fault);
  }

  std::uint32_t bits_;
};

}  // namespace jobs_bridge::simulation
