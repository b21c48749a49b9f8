#include "adapters/config/library_costs.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>

namespace jobs_bridge::config {
namespace {

/// CPU for a request, in microseconds.
struct Costs {
  const char* name;
  double steady;  ///< at a thousand requests a second, or fewer
  double busy;    ///< with two hundred in flight all the time
};
constexpr Costs paho{.name = "paho", .steady = 160, .busy = 73};
constexpr Costs mosquitto{.name = "mosquitto", .steady = 103, .busy = 28};
constexpr std::uint64_t steady_rate = 1000;

long percent_of_a_core(std::uint64_t rate, double microseconds) {
  return std::max(1L, std::lround(static_cast<double>(rate) * microseconds / 1e4));
}

}  // namespace

std::string compare_libraries(const Configuration& configuration) {
  if (!JOBS_BRIDGE_HAS_PAHO || !JOBS_BRIDGE_HAS_MOSQUITTO) return {};
  const bool is_paho = configuration.broker.library == MqttLibrary::paho;
  const auto& ours = is_paho ? paho : mosquitto;
  const auto& other = is_paho ? mosquitto : paho;
  const auto& limits = configuration.limits;
  std::ostringstream line;
  line << "broker.library: \"" << ours.name << "\" takes about ";
  if (limits.reads_per_second == 0 || limits.writes_per_second == 0) {
    line << ours.busy << " us of CPU for each request under load; \"" << other.name << "\" "
         << other.busy << " us";
  } else {
    const auto rate = limits.reads_per_second + limits.writes_per_second;
    const auto cost = rate > steady_rate ? &Costs::busy : &Costs::steady;
    line << percent_of_a_core(rate, ours.*cost) << " % of a core for the " << rate
         << " requests a second that the limits allow; \"" << other.name << "\" "
         << percent_of_a_core(rate, other.*cost) << " %";
  }
  line << " (measured on one machine; yours may differ)";
  return line.str();
}

}  // namespace jobs_bridge::config
