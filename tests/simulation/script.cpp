#include "tests/simulation/script.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace jobs_bridge::simulation {

bool belongs_to(const Faults& faults, const Happening& what) {
  switch (what.kind) {
    using enum Happening::Kind;
    case request:
    case weather:
    case new_job:
      return true;
    case cancellation:
      return faults.has(Fault::cancellations);
    case clock_jump:
      return faults.has(Fault::clock_jumps);
    case full_disk:
      return faults.has(Fault::full_disks);
    case end:
      return faults.has(Fault::kills) || faults.has(Fault::power_cuts) ||
             faults.has(Fault::shutdowns);
    case standstill:
      return faults.has(Fault::standstills);
    case broker_loss:
      return faults.has(Fault::broker_losses);
    case credentials_loss:
      return faults.has(Fault::lost_credentials);
    case credentials_refusal:
      return faults.has(Fault::refused_credentials);
    case dead_link:
      return faults.has(Fault::dead_links);
  }
  return true;
}

Script random_script(const Shape& shape, std::uint64_t seed) {
  using namespace std::chrono_literals;
  using enum Happening::Kind;
  const std::pair<Happening::Kind, Duration> means[] = {
      {request, shape.between_requests},
      {weather, shape.between_weathers},
      {cancellation, shape.between_cancellations},
      {new_job, shape.between_new_jobs},
      {clock_jump, shape.between_clock_jumps},
      {full_disk, shape.between_full_disks},
      {end, shape.between_ends},
      {standstill, shape.between_stalls},
      {broker_loss, shape.between_broker_losses},
      {credentials_loss, shape.between_lost_credentials},
      {credentials_refusal, shape.between_refused_credentials},
      {dead_link, shape.between_dead_links}};
  Script script;
  for (const auto& [kind, mean] : means) {
    Dice dice(seed++);
    if (mean <= Duration::zero()) continue;
    const auto pause = [&dice, mean = mean] { return std::max<Duration>(dice.about(mean), 1us); };
    for (auto at = pause(); at < shape.length; at += pause()) {
      const auto thing = static_cast<std::uint32_t>(dice.below(shape.things));
      const bool flood = kind == request && dice.chance(shape.floods);
      for (auto count = flood ? dice.between(5, 60) : 1; count > 0; --count) {
        script.push_back({.at = at, .kind = kind, .thing = thing, .seed = dice.next()});
      }
    }
  }
  std::ranges::stable_sort(script, {}, &Happening::at);
  return script;
}

}  // namespace jobs_bridge::simulation
