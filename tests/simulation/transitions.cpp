#include "tests/simulation/transitions.h"

#include <cstddef>

namespace jobs_bridge::simulation {
namespace {

template <typename Visit>
void for_each_allowed(const Visit& visit) {
  for (std::size_t state = 0; state < request_state_count; ++state) {
    for (std::size_t event = 0; event < request_event_count; ++event) {
      const auto from = static_cast<RequestState>(state);
      const auto what = static_cast<RequestEvent>(event);
      if (next_state(from, what)) visit(from, what);
    }
  }
}

std::string name_of(RequestState state, RequestEvent event) {
  return std::string(to_string(event)) + " while " + std::string(to_string(state));
}

}  // namespace

void Transitions::add(const TransitionCounts& other) {
  for (std::size_t state = 0; state < request_state_count; ++state) {
    for (std::size_t event = 0; event < request_event_count; ++event) {
      counts_[state][event] += other[state][event];
    }
  }
}

std::vector<std::string> Transitions::missing() const {
  std::vector<std::string> missing;
  for_each_allowed([&](RequestState state, RequestEvent event) {
    if (counts_[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)] == 0) {
      missing.push_back(name_of(state, event));
    }
  });
  return missing;
}

std::string Transitions::table() const {
  std::string table;
  for_each_allowed([&](RequestState state, RequestEvent event) {
    const auto count = counts_[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
    table += name_of(state, event) + " " + std::to_string(count) + "; ";
  });
  return table + "\n";
}

}  // namespace jobs_bridge::simulation
