#include "bridge/jobs/arrival.h"

#include <chrono>

#include "bridge/text/parse_number.h"

namespace jobs_bridge {

std::optional<Duration> age_of_arrival(std::string_view value, std::int64_t unix_seconds) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  /// As far as a Duration reaches, which counts nanoseconds.
  constexpr std::int64_t latest_clock = earliest_sane_clock + 100LL * 365 * 24 * 3600;
  const auto arrival = parse_number<std::int64_t>(value);
  if (!arrival || *arrival < earliest_sane_clock * 1000 || *arrival >= latest_clock * 1000) {
    return std::nullopt;
  }
  if (unix_seconds < earliest_sane_clock || unix_seconds >= latest_clock) return std::nullopt;
  const auto age = milliseconds(seconds(unix_seconds + 1)) - milliseconds(*arrival);
  if (age <= milliseconds(0)) return std::nullopt;
  return age;
}

}  // namespace jobs_bridge
