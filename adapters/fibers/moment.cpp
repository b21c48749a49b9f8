#include "adapters/fibers/moment.h"

#include <chrono>
#include <ctime>

namespace jobs_bridge::fibers {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

Duration since_boot() noexcept {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

Moment read_moment() noexcept {
  // If the thread were preempted between two readings, that would look like a suspension.
  constexpr Duration max_reading = 100us;
  constexpr int max_readings = 10;
  Moment moment;
  for (int reading = 0; reading < max_readings; ++reading) {
    moment.now = steady_clock::now();
    moment.suspended = since_boot() - moment.now.time_since_epoch();
    if (steady_clock::now() - moment.now < max_reading) break;
  }
  return moment;
}

}  // namespace jobs_bridge::fibers
