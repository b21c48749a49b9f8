#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace jobs_bridge::simulation {

/// Where a request stands, seen from outside the bridge. Held: an update whose device waits no
/// more.
enum class Stage : std::uint8_t {
  waiting,        ///< for its first call
  calling,        ///< a call is under way
  describing,     ///< a call that asks what became of it is under way
  between_calls,  ///< one has ended without an answer for the device
  held_waiting,
  held_calling,
  held_describing,
  held_between_calls,
  restored,  ///< taken over from the life before, and not asked about yet
  late,      ///< answered, while its call is still under way
};
inline constexpr std::size_t stage_count = static_cast<std::size_t>(Stage::late) + 1;

enum class Event : std::uint8_t {
  call_begins,
  describe_begins,
  // A call ends with
  success,
  refusal,              ///< 4xx
  forbidden,            ///< 403
  refused_credentials,  ///< the same, for what it is signed with
  throttling,
  server_error,
  nonsense,
  broken_connection,
  no_answer,
  no_connection,
  no_credentials,
  // Time passes.
  deadline,  ///< the device is told that it has come
  expiry,
  too_old,  ///< given up
  repeat,   ///< another request joins it
  circuit_opens,
  circuit_closes,
  broker_lost,
  standstill,
  shutdown_begins,
  drained,
  killed,
  power_cut,
};
inline constexpr std::size_t event_count = static_cast<std::size_t>(Event::power_cut) + 1;

/// How often each event has met a request in each stage.
class Coverage {
 public:
  /// Throws Violation if that cannot be.
  void count(Stage stage, Event event);
  void add(const Coverage& other);
  /// What can be and has never been.
  [[nodiscard]] std::vector<std::string> missing() const;
  [[nodiscard]] std::size_t reached() const;
  [[nodiscard]] std::string table() const;

  static bool possible(Stage stage, Event event);

 private:
  std::array<std::array<std::uint64_t, event_count>, stage_count> counts_{};
};

}  // namespace jobs_bridge::simulation
