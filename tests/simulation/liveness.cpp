#include "tests/simulation/liveness.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

/// What the product allows itself, see Circuit, Delivery, Pause and EndpointModel.
constexpr Duration late_news = 200ms;  ///< of a call that hangs
constexpr Duration between_probes = 5s;
constexpr Duration longest_pause = 15s;  ///< of an update, or that the endpoint asks for
constexpr Duration call = 30ms;          ///< the longest, in fair weather

/// Of one update in fair weather: sent once at most. Before it, and after a refusal of what may
/// have been sent before: the execution, the one before it, and one further back.
constexpr double writes_of_update = 1;
constexpr double reads_of_update = 6;

/// Calls a second, so long after the last throttling answer, if nothing got through before it: see
/// Quota. It is never lower.
double least_rate(double seconds) {
  constexpr double first_step = 0.9;
  return seconds < 10 ? first_step : 1 + 0.1 * std::pow((seconds - 10) / 10, 3);
}

Duration time_for(double calls, double per_second, double polls, bool throttled) {
  double seconds = 0;
  while (calls > 0) {
    double rate = per_second > 0 ? per_second : 1e6;
    if (throttled) rate = std::min(rate, least_rate(seconds));
    calls -= std::max(rate - polls, rate / 2);
    ++seconds;
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

Duration time_to_finish(const Shape& shape, const Load& load) {
  const auto& settings = shape.engine;
  const bool throttled = shape.faults.has(Fault::throttling);
  const bool polls = settings.notifier.enabled;
  const auto updates = static_cast<double>(load.updates);
  const auto requests = static_cast<double>(load.requests - std::min(load.requests, load.updates));
  const auto reads = updates * reads_of_update + requests + 1;
  const auto writes = updates * writes_of_update + requests + 1;
  const auto at_quota = time_for(reads, settings.reads_per_second,
                                 polls ? settings.notifier.calls_per_second : 0, throttled) +
                        time_for(writes, settings.writes_per_second, 0, throttled);
  const auto one = call + shape.timer_lateness;
  const auto in_line = one * static_cast<Duration::rep>(load.longest_line) * 7;
  const auto over_connections =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(one) * (reads + writes) /
                                           static_cast<double>(shape.connections));
  // Those under way when it begins may hang.
  auto time = settings.deadline + late_news;
  if (polls) time = std::max<Duration>(time, settings.notifier.call_deadline + late_news);
  time += between_probes;
  // The source of credentials is asked that often at least; sooner, ten seconds after the last
  // time, if a call finds its credentials refused.
  if (shape.credentials_life > Duration::zero()) time += 62s;
  if (throttled) time += longest_pause;
  // The one that has failed of each thing waits before it asks what has become of it, and once more
  // before it is sent again.
  if (load.updates > 0) time += 2 * longest_pause;
  // A device that waits is told in time, whatever happens.
  return time + settings.deadline + at_quota + in_line + over_connections + 1s;
}

}  // namespace jobs_bridge::simulation
