#include "adapters/aws/renewal_schedule.h"

#include <algorithm>
#include <chrono>

namespace jobs_bridge::aws {
namespace {

using namespace std::chrono_literals;

constexpr Duration max_margin = 15min;
constexpr Duration look_at_files = 10s;
constexpr Duration min_pause = 1s;
constexpr Duration max_pause = 60s;

}  // namespace

void RenewalSchedule::succeeded(MonotonicTime now, const Credentials& credentials,
                                bool can_change) {
  back_off_ = {};
  if (!credentials.expires) {
    due_ = can_change ? now + look_at_files : MonotonicTime::max();
    return;
  }
  const auto life = *credentials.expires - now;
  const auto margin = std::min(max_margin, life / 4);
  const std::chrono::duration<double> earlier =
      random_.fraction() * std::chrono::duration<double>(margin) / 2;
  due_ = *credentials.expires - margin - std::chrono::duration_cast<Duration>(earlier);
  // A source that returns the same credentials until they expire must not be queried without a
  // pause.
  due_ = std::max(due_, now + min_pause);
}

void RenewalSchedule::failed(MonotonicTime now) {
  due_ = now + back_off_.next(min_pause, max_pause, random_);
}

}  // namespace jobs_bridge::aws
